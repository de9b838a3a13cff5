package maildir_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

const cacheFile = root + "/user/mailparts-cache"

// derivedFrom are octets that tell whose they are.
func derivedFrom(uid mailparts.UID) string { return fmt.Sprintf("derived from %d.", uid) }

// cache keeps what derivedFrom makes of messages.
func cache(mb mailparts.Mailbox, uids ...mailparts.UID) error {
	return mb.(mailparts.Cacher).Cache(context.Background(), func(yield func(mailparts.UID, []byte) bool) {
		for _, uid := range uids {
			if !yield(uid, []byte(derivedFrom(uid))) {
				return
			}
		}
	})
}

// withDerived yields what is cached of each message.
func withDerived(t testing.TB, mb mailparts.Mailbox) iter.Seq2[mailparts.UID, string] {
	return func(yield func(mailparts.UID, string) bool) {
		for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDerived}) {
			must(t, err)
			if !yield(m.UID, string(m.Derived)) {
				return
			}
		}
	}
}

// cachedIn says which messages have derived octets, and whether any has another's.
func cachedIn(t testing.TB, mb mailparts.Mailbox) (list []mailparts.UID) {
	t.Helper()
	for uid, octets := range withDerived(t, mb) {
		if octets == "" {
			continue
		}
		if list = append(list, uid); octets != derivedFrom(uid) {
			t.Errorf("UID %d has %q", uid, octets)
		}
	}
	return list
}

func wantCached(t testing.TB, mb mailparts.Mailbox, list ...mailparts.UID) {
	t.Helper()
	if got := cachedIn(t, mb); !slices.Equal(got, list) {
		t.Errorf("cached are %d, want %d", got, list)
	}
}

// cachedFive is a mailbox of five messages, of which 1 to 4 are cached.
func cachedFive(t testing.TB, fsys *disktest.FS) {
	mb := openMailbox(t, on(fsys), "INBOX")
	for i := range 5 {
		deliver(t, mb, fmt.Sprint("message ", i+1))
	}
	must(t, cache(mb, 1, 2, 3, 4))
	wantCached(t, mb, 1, 2, 3, 4)
}

// What is cached stays through a restart, and while messages get flags, move to cur/
// and come; it changes nothing that a session is told of, and goes with the index.
func TestCacheStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		cachedFive(t, fsys)
		mb := openMailbox(t, on(fsys), "INBOX")
		wantCached(t, mb, 1, 2, 3, 4)
		_, _, err := mb.SetFlags(t.Context(), uids(1, 3), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen, "Work"}})
		must(t, err)
		must(t, mb.Expunge(t.Context(), uids(2), ""))
		deliver(t, mb, "another")
		before, seqs := status(t, mb), modSeqs(t, mb)
		must(t, cache(mb, 3, 6, 2, 99))
		if after := status(t, mb); after.HighestModSeq != before.HighestModSeq || !slices.Equal(modSeqs(t, mb), seqs) {
			t.Errorf("Status is %+v and was %+v; mod-sequences are %d and were %d", after, before, modSeqs(t, mb), seqs)
		}
		time.Sleep(time.Hour)
		for _, mb := range []mailparts.Mailbox{mb, openMailbox(t, on(fsys), "INBOX")} {
			wantCached(t, mb, 1, 3, 4, 6)
		}
		must(t, fsys.Remove(indexFile))
		mb = openMailbox(t, on(fsys), "INBOX")
		wantCached(t, mb)
		must(t, cache(mb, 1, 5))
		wantCached(t, mb, 1, 5)
	})
}

// Who has the mailbox open sees what another process has cached, and the other way
// round, also when one of them begins the file anew.
func TestCacheOfTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		cachedFive(t, fsys)
		a, b := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		time.Sleep(time.Hour)
		wantCached(t, a, 1, 2, 3, 4)
		wantCached(t, b, 1, 2, 3, 4)
		must(t, cache(a, 5))
		wantCached(t, b, 1, 2, 3, 4, 5)
		must(t, fsys.Remove(cacheFile))
		must(t, cache(b, 2, 4))
		wantCached(t, b, 2, 4)
		wantCached(t, a, 2, 4)
	})
}

// While two processes expunge, deliver, store and list at once, no message has
// another's octets.
func TestCacheConcurrently(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 3 {
		mb := openMailbox(t, &maildir.Backend{Root: dir}, "INBOX")
		wg.Go(func() {
			for range 30 {
				uid := deliver(t, mb, "x")
				if err := cache(mb, uid-1, uid); err != nil {
					t.Error(err)
				}
				if uid%3 == 0 {
					if err := mb.Expunge(context.Background(), uids(uid-2), ""); err != nil {
						t.Error(err)
					}
				}
				cachedIn(t, mb)
			}
		})
	}
	wg.Wait()
	if n := len(cachedIn(t, openMailbox(t, &maildir.Backend{Root: dir}, "INBOX"))); n != 60 {
		t.Errorf("%d messages are cached, want 60", n)
	}
}

// Whatever becomes of the file, no user has an error, the logger is told, and what is
// derived anew is kept.
func TestCacheDamaged(t *testing.T) {
	for name, tc := range map[string]struct {
		damage func(string) string
		left   []mailparts.UID
		says   string
	}{
		"empty":       {func(string) string { return "" }, nil, "begun anew"},
		"no cache":    {func(string) string { return strings.Repeat("no cache", 100) }, nil, "begun anew"},
		"another":     {func(s string) string { return s[:8] + "another" + s[15:] }, nil, "begun anew"},
		"torn":        {func(s string) string { return s[:len(s)-1] }, []mailparts.UID{1, 2, 3}, "derived anew"},
		"bit":         {func(s string) string { return strings.Replace(s, "from 2", "from 3", 1) }, []mailparts.UID{1, 3, 4}, "derived anew"},
		"all of zero": {func(s string) string { return s[:24] + strings.Repeat("\x00", len(s)-24) }, nil, "derived anew"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := disktest.New()
			cachedFive(t, fsys)
			put(t, fsys, cacheFile, tc.damage(get(t, fsys, cacheFile)))
			var log bytes.Buffer
			b := on(fsys)
			b.Logger = slog.New(slog.NewTextHandler(&log, nil))
			mb := openMailbox(t, b, "INBOX")
			wantCached(t, mb, tc.left...)
			must(t, cache(mb, 1, 2, 3, 4, 5))
			wantCached(t, mb, 1, 2, 3, 4, 5)
			wantCached(t, openMailbox(t, on(fsys), "INBOX"), 1, 2, 3, 4, 5)
			if !strings.Contains(log.String(), tc.says) {
				t.Errorf("the log says %q", log.String())
			}
		})
	}
}

// What is in the place of the cache, or of its successor, and is somebody else's is
// not written to.
func TestCacheWritesToNobodysFile(t *testing.T) {
	for _, name := range []string{"mailparts-cache", "mailparts-cache.tmp"} {
		b := &maildir.Backend{Root: t.TempDir()}
		mb := openMailbox(t, b, "INBOX")
		uid := deliver(t, mb, "x")
		other := filepath.Join(t.TempDir(), "other")
		must(t, os.WriteFile(other, []byte("of another"), 0o600))
		must(t, os.Symlink(other, filepath.Join(b.Root, "user", name)))
		must(t, cache(mb, uid))
		wantCached(t, mb, uid)
		if text, err := os.ReadFile(other); err != nil || string(text) != "of another" {
			t.Errorf("what %s leads to is %q, %v", name, text, err)
		}
	}
}

// A file that another program has put in the place of a message's is another message.
func TestCacheOfReplacedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		cachedFive(t, fsys)
		mb := openMailbox(t, on(fsys), "INBOX")
		time.Sleep(time.Hour)
		for _, name := range in(fsys, "new/*")[:2] {
			must(t, fsys.Remove(name))
			put(t, fsys, name+"x", "other")
		}
		time.Sleep(time.Hour)
		wantCached(t, mb, 3, 4)
		if n := status(t, mb).Messages; n != 5 {
			t.Errorf("%d messages", n)
		}
	})
}

// The file is beside the index, wherever that is; both follow a rename and go with
// the mailbox.
func TestCacheFile(t *testing.T) {
	for _, tc := range []struct{ index, file string }{{"", "mailparts-cache"}, {"/indexes", "*/*.mailparts-cache"}} {
		fsys := disktest.New()
		b := on(fsys)
		b.Index = tc.index
		s := openStore(t, b)
		m := s.(mailparts.Manager)
		status(t, openMailbox(t, b, "INBOX")) // has an index
		must(t, m.Create(t.Context(), "a"))
		mb, err := s.Mailbox(t.Context(), "a")
		must(t, err)
		deliver(t, mb, "one")
		must(t, cache(mb, 1))
		must(t, m.Rename(t.Context(), "a", "b"))
		wantCached(t, mb, 1)
		again := on(fsys)
		again.Index = tc.index
		wantCached(t, openMailbox(t, again, "b"), 1)

		pattern := root + "/user/.b/" + tc.file
		if tc.index != "" {
			pattern = tc.index + "/" + tc.file
		}
		if n := matching(fsys, pattern); n != 1 {
			t.Errorf("%d files match %s", n, pattern)
		}
		must(t, m.Delete(t.Context(), "b"))
		caches, indexes := 0, 0
		for name := range fsys.Files() {
			if strings.HasSuffix(name, "mailparts-cache") {
				caches++
			} else if strings.HasSuffix(name, "mailparts-index") {
				indexes++
			}
		}
		if caches != 0 || indexes != 1 {
			t.Errorf("%d caches and %d indexes are left, want the index of INBOX", caches, indexes)
		}
	}
}

func matching(fsys *disktest.FS, pattern string) (n int) {
	for name := range fsys.Files() {
		if ok, _ := filepath.Match(pattern, name); ok {
			n++
		}
	}
	return n
}
