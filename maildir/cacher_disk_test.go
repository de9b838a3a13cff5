package maildir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// Octets of messages that are expunged are left out in time, and so are those that
// others have come after.
func TestCacheShrinks(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	mb := openMailbox(t, b, "INBOX")
	var msgs []mailparts.Incoming
	var all []mailparts.UID
	for i := range 1500 {
		msgs = append(msgs, incoming("x"))
		all = append(all, mailparts.UID(i+1))
	}
	_, err := mb.Append(t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	})
	must(t, err)
	size := func() int64 {
		fi, err := os.Stat(filepath.Join(b.Root, "user", "mailparts-cache"))
		must(t, err)
		return fi.Size()
	}
	must(t, cache(mb, all...))
	full := size()
	must(t, mb.Expunge(t.Context(), mailparts.UIDSet{{First: 101, Last: 1500}}, ""))
	if n := size(); n > full/10 {
		t.Errorf("%d octets of %d for 1500 messages are left for 100", n, full)
	}
	wantCached(t, mb, all[:100]...)
	for range 20 {
		must(t, cache(mb, all[:100]...))
	}
	if n := size(); n > full {
		t.Errorf("%d octets for 100 messages that were cached again and again", n)
	}
	wantCached(t, openMailbox(t, &maildir.Backend{Root: b.Root}, "INBOX"), all[:100]...)
}

// What is too large is not kept, and no reason not to keep others.
func TestCacheBound(t *testing.T) {
	mb := openMailbox(t, on(disktest.New()), "INBOX")
	deliver(t, mb, "one")
	deliver(t, mb, "two")
	must(t, mailparts.Cache(t.Context(), mb, func(yield func(mailparts.UID, []byte) bool) {
		_ = yield(1, make([]byte, 64<<10+1)) && yield(2, make([]byte, 64<<10))
	}))
	for uid, octets := range withDerived(t, mb) {
		if want := map[mailparts.UID]int{2: 64 << 10}[uid]; len(octets) != want {
			t.Errorf("UID %d has %d octets, want %d", uid, len(octets), want)
		}
	}
}

// After a crash or an error anywhere each message has its own octets or none, all
// mail is served with its mod-sequences, and what is derived anew is kept.
func TestCacheCrash(t *testing.T) {
	setUp := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { cachedFive(t, fsys) })
	}
	type told struct{ failed, gone bool }
	use := func(fsys *disktest.FS) (p told) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(24 * time.Hour)
			s, err := on(fsys).Open(t.Context(), "user")
			if err != nil {
				return
			}
			mb, err := s.Mailbox(t.Context(), "INBOX")
			if err != nil {
				return
			}
			p.failed = cache(mb, 2, 5) != nil
			p.gone = mb.Expunge(t.Context(), uids(3), "") == nil
			fsys.Remove(cacheFile)
			cache(mb, 1, 2)
			cache(mb, 4)
		})
		return p
	}
	check := func(t *testing.T, after *disktest.FS, p told) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(48 * time.Hour)
			mb := openMailbox(t, on(after), "INBOX")
			cachedIn(t, mb)
			lines := describe(t, mb)
			if p.gone && len(lines) != 4 || len(lines) < 4 {
				t.Errorf("expunged %v, and the mailbox has %q", p.gone, lines)
			}
			if status(t, mb).HighestModSeq == 0 {
				t.Error("there are no mod-sequences")
			}
			must(t, cache(mb, 1, 2, 4, 5))
			for _, mb := range []mailparts.Mailbox{mb, openMailbox(t, on(after), "INBOX")} {
				if got := cachedIn(t, mb); !slices.Contains(got, 5) || len(got) < 4 {
					t.Errorf("cached are %d", got)
				}
			}
		})
	}
	disktest.Crash(t, setUp, use, check)
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		disktest.Fail(t, cause, setUp, use, check)
	}
}

// No room or no permission for the cache is no error for anyone, nor a reason to go
// without mod-sequences.
func TestCacheImpossible(t *testing.T) {
	for _, cause := range []error{syscall.EACCES, syscall.ENOSPC} {
		fsys := disktest.New()
		cachedFive(t, fsys)
		fsys.Before = func(op disktest.Op) error {
			if strings.HasPrefix(op.Path, cacheFile) && op.Name != "stat" {
				return cause
			}
			return nil
		}
		mb := openMailbox(t, on(fsys), "INBOX")
		must(t, cache(mb, 1, 5))
		wantCached(t, mb)
		if status(t, mb).HighestModSeq == 0 {
			t.Error("there are no mod-sequences")
		}
		fsys.Before = nil
		wantCached(t, mb, 1, 2, 3, 4)
	}
}

// Any number of messages is listed with few reads of the disk.
func TestCacheIsReadAhead(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	const n = 2000
	var all []mailparts.UID
	_, err := mb.Append(t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for i := range n {
			if all = append(all, mailparts.UID(i+1)); !yield(incoming("x"), nil) {
				return
			}
		}
	})
	must(t, err)
	must(t, cache(mb, all...))
	mb = openMailbox(t, on(fsys), "INBOX")
	status(t, mb)
	ops := map[string]int{}
	fsys.Before = func(op disktest.Op) error {
		if op.Path == cacheFile {
			ops[op.Name]++
		}
		return nil
	}
	wantCached(t, mb, all...)
	if ops["readat"] > 8 || ops["openfile"] != 1 || ops["close"] != 1 {
		t.Errorf("%d messages take %v", n, ops)
	}
}
