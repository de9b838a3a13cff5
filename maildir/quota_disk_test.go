package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// quotaWork is done to a tree with two messages and a quota of which 20 octets are
// left. It returns which bodies must be there, and which must not.
func quotaWork(fsys disk.FS) (sure, gone []string) {
	ctx := context.Background()
	told := func(err error, yes, no *[]string, bodies ...string) {
		if err == nil {
			*yes = append(*yes, bodies...)
		} else if no != nil {
			*no = append(*no, bodies...)
		}
	}
	store, err := limited(fsys, 40, 0).Open(ctx, "user")
	if err != nil {
		return
	}
	mb, err := store.Mailbox(ctx, "INBOX")
	if err != nil {
		return
	}
	_, err = mailparts.Append(ctx, mb, incoming("0123456789"))
	told(err, &sure, &gone, "0123456789")
	_, err = mailparts.Append(ctx, mb, incoming("too long for what is left of it"))
	told(err, &sure, &gone, "too long for what is left of it")
	told(mb.Expunge(ctx, uids(1), ""), &gone, nil, "tenoctets1")
	_, err = mb.Append(ctx, batchOf(incoming("a"), incoming("b", mailparts.FlagSeen)))
	told(err, &sure, &gone, "a", "b")
	told(store.(mailparts.Manager).Delete(ctx, "other"), &gone, nil, "tenoctets2")
	_, err = mailparts.Append(ctx, mb, incoming("c")) // which makes durable what an error took back
	told(err, &sure, &gone, "c")
	return sure, gone
}

func quotaSetUp(t *testing.T) func(fsys *disktest.FS) {
	return func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { quotaTree(t, fsys) })
	}
}

func quotaTree(t *testing.T, fsys *disktest.FS) {
	store := openStore(t, limited(fsys, 40, 0))
	must(t, store.(mailparts.Manager).Create(t.Context(), "other"))
	for name, body := range map[string]string{"INBOX": "tenoctets1", "other": "tenoctets2"} {
		mb, err := store.Mailbox(t.Context(), name)
		must(t, err)
		deliver(t, mb, body)
	}
}

// bodies are what is in all mailboxes.
func bodies(t *testing.T, store mailparts.Store) map[string]int {
	t.Helper()
	found := map[string]int{}
	for info, err := range store.List(t.Context()) {
		must(t, err)
		mb, err := store.Mailbox(t.Context(), info.Name)
		must(t, err)
		for _, line := range describe(t, mb) {
			found[line[strings.Index(line, "] ")+2:]]++
		}
	}
	return found
}

// checkQuota looks at a tree that was given up in the midst of quotaWork: the limits
// are there, and the sum is right when it was counted.
func checkQuota(t *testing.T, fsys *disktest.FS, sure, gone []string) {
	t.Helper()
	if text := get(t, fsys, quotaFile); !strings.HasPrefix(text, "40S\n") {
		t.Errorf("maildirsize is %q, want the limit in it", text)
	}
	store := openStore(t, on(fsys))
	found := bodies(t, store)
	for _, body := range sure {
		if found[body] != 1 {
			t.Errorf("message %q is there %d times, want once", body, found[body])
		}
	}
	for _, body := range gone {
		if found[body] != 0 {
			t.Errorf("message %q is there, and should not be", body)
		}
	}
	wantSum(t, fsys, store, "40")
}

// wantSum has the tree counted, and compares with what its messages have.
func wantSum(t *testing.T, fsys disk.FS, store mailparts.Store, limit string) {
	t.Helper()
	octets := 0
	for body, n := range bodies(t, store) {
		octets += n * len(body)
	}
	f, err := fsys.OpenFile(quotaFile, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = io.WriteString(f, "\nbad\n")
	must(t, errors.Join(err, f.Close()))
	wantQuota(t, store, fmt.Sprintf("S %d/%s", octets, limit))
}

// quotaTold is what quotaWork was told.
type quotaTold struct{ sure, gone []string }

func quotaDo(t *testing.T) func(fsys *disktest.FS) quotaTold {
	return func(fsys *disktest.FS) (p quotaTold) {
		synctest.Test(t, func(t *testing.T) { p.sure, p.gone = quotaWork(fsys) })
		return p
	}
}

// Every operation fails once, in a process that lives on.
func TestQuotaDiskFails(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		t.Run(cause.Error(), func(t *testing.T) {
			disktest.Fail(t, cause, quotaSetUp(t), quotaDo(t), func(t *testing.T, after *disktest.FS, p quotaTold) {
				synctest.Test(t, func(t *testing.T) { checkQuota(t, after, p.sure, p.gone) })
			})
		})
	}
}

func TestQuotaCrash(t *testing.T) {
	disktest.Crash(t, quotaSetUp(t), quotaDo(t), func(t *testing.T, after *disktest.FS, p quotaTold) {
		synctest.Test(t, func(t *testing.T) { checkQuota(t, after, p.sure, nil) }) // what got an error may be there
	})
}

// A change that cannot be written as a line is counted.
func TestQuotaLineFails(t *testing.T) {
	fsys := disktest.New()
	store := openStore(t, limited(fsys, 100, 0))
	mb, err := store.Mailbox(t.Context(), "INBOX")
	must(t, err)
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "write" && op.Path == quotaFile {
			return syscall.EIO
		}
		return nil
	}
	uid := deliver(t, mb, "12345")
	wantFile(t, fsys, "100S\n5 1\n")
	must(t, mb.Expunge(t.Context(), uids(uid), ""))
	wantFile(t, fsys, "100S\n0 0\n")
}

// What was placed and is taken back is taken out of the sum.
func TestQuotaGivesBack(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, limited(fsys, 100, 0), "INBOX")
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "syncdir" && op.Path == root+"/user/new" {
			return syscall.EIO
		}
		return nil
	}
	if _, err := mailparts.Append(t.Context(), mb, incoming("12345")); !errors.Is(err, syscall.EIO) {
		t.Errorf("Append: %v", err)
	}
	wantFile(t, fsys, "100S\n0 0\n5 1\n-5 -1\n")
}

// Nobody of our kind counts the tree between the removal of a message and its line.
func TestQuotaExpungeIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		b := limited(fsys, 100, 0)
		mb, theirs := openMailbox(t, b, "INBOX"), openStore(t, on(fsys))
		deliver(t, mb, "stays")
		uid := deliver(t, mb, "goes")
		put(t, fsys, quotaFile, "100S\n9 2\nbad\n")
		var removed, counting atomic.Bool
		counted := make(chan error, 1)
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "remove" && strings.Contains(op.Path, "/new/") {
				removed.Store(true)
			}
			if removed.Load() && op.Name == "openfile" && op.Path == quotaFile && counting.CompareAndSwap(false, true) {
				go func() {
					_, err := mailparts.QuotaOf(context.Background(), theirs, "INBOX")
					counted <- err
				}()
				synctest.Wait() // until it has counted, or waits
			}
			return nil
		}
		must(t, mb.Expunge(t.Context(), uids(uid), ""))
		must(t, <-counted)
		wantFile(t, fsys, "100S\n5 1\n")
	})
}

// What is removed is removed even if nobody can say so to the quota.
func TestQuotaExpungeAlways(t *testing.T) {
	fsys := disktest.New()
	mb := openMailbox(t, limited(fsys, 100, 0), "INBOX")
	uid := deliver(t, mb, "12345")
	fsys.Before = func(op disktest.Op) error {
		if strings.Contains(op.Path, "maildirsize") || strings.Contains(op.Path, "mailparts-quota") {
			return syscall.EIO
		}
		return nil
	}
	must(t, mb.Expunge(t.Context(), uids(uid), ""))
	want(t, mb)
	if _, err := mailparts.Append(t.Context(), mb, incoming("x")); !errors.Is(err, syscall.EIO) || errors.Is(err, mailparts.ErrQuota) {
		t.Errorf("Append where the quota cannot be read: %v", err)
	}
}

// Processes deliver, expunge and count at once, and another program writes lines of
// its own: the sum is exact, and no limit is passed.
func TestQuotaConcurrency(t *testing.T) {
	for _, tc := range []struct {
		name string
		fsys disk.FS
		root string
	}{{"memory", disktest.New(), root}, {"os", disk.OS{}, t.TempDir()}} {
		t.Run(tc.name, func(t *testing.T) {
			const each, processes, limit = 30, 4, 50
			ctx := context.Background()
			file := filepath.Join(tc.root, "user", "maildirsize")
			line := func(text string) {
				f, err := tc.fsys.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
				must(t, err)
				_, err = io.WriteString(f, text)
				must(t, errors.Join(err, f.Close()))
			}
			var mu sync.Mutex
			taken := 0
			var wg sync.WaitGroup
			for p := range processes {
				b := limited(tc.fsys, 0, limit)
				b.Root = tc.root
				store := openStore(t, b)
				name := "INBOX"
				if p%2 == 1 {
					name = "other"
				}
				if err := store.(mailparts.Manager).Create(ctx, "other"); err != nil && !errors.Is(err, mailparts.ErrExists) {
					t.Fatal(err)
				}
				mb, err := store.Mailbox(ctx, name)
				must(t, err)
				wg.Go(func() {
					for i := range each {
						placed, err := mailparts.Append(ctx, mb, incoming("x"))
						if err != nil && !errors.Is(err, mailparts.ErrQuota) {
							t.Error(err)
							return
						}
						mu.Lock()
						if err == nil {
							if taken++; taken > limit {
								t.Errorf("%d messages, and the limit is %d", taken, limit)
							}
						}
						mu.Unlock()
						if err == nil && i%3 == 0 {
							mu.Lock() // or what came into its place may be counted first
							if err := mb.Expunge(ctx, placed.UIDs, ""); err != nil {
								t.Error(err)
							}
							taken--
							mu.Unlock()
						}
						if i%5 == p {
							line("bad\n") // this has it counted
						}
					}
				})
			}
			wg.Wait()
			b := on(tc.fsys)
			b.Root = tc.root
			wantQuota(t, openStore(t, b), fmt.Sprintf("M %d/%d", taken, limit))
			line("0 0\nbad\n")
			wantQuota(t, openStore(t, b), fmt.Sprintf("M %d/%d", taken, limit))
		})
	}
}
