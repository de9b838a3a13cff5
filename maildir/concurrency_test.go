package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// Two processes deliver, flag and expunge in one mailbox at once: none sees a UID
// twice or a message change its UID, and nothing is lost.
func TestTwoProcesses(t *testing.T) {
	for _, tc := range []struct {
		name string
		fsys disk.FS
		root string
	}{{"memory", disktest.New(), root}, {"os", disk.OS{}, t.TempDir()}} {
		t.Run(tc.name, func(t *testing.T) {
			const each, processes = 40, 3
			var wg sync.WaitGroup
			for p := range processes {
				b := on(tc.fsys)
				b.Root = tc.root
				mb := openMailbox(t, b, "INBOX")
				wg.Go(func() {
					for i := range each {
						body := fmt.Sprintf("%d.%d", p, i)
						placed, err := mailparts.Append(context.Background(), mb, incoming(body))
						if err != nil {
							t.Error(err)
							return
						}
						uid := placed.UIDs[0].First
						if got, err := readBody(mb, uid); got != body || err != nil {
							t.Errorf("UID %d is %q, %v, want %q", uid, got, err, body)
						}
						if _, _, err := mb.SetFlags(context.Background(), uids(uid), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
							t.Error(err)
						}
						if i%4 == 0 {
							if err := mb.Expunge(context.Background(), uids(uid), mailparts.FlagSeen); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			wg.Wait()
			b := on(tc.fsys)
			b.Root = tc.root
			got := describe(t, openMailbox(t, b, "INBOX"))
			if len(got) != processes*each*3/4 {
				t.Errorf("%d messages are left, want %d", len(got), processes*each*3/4)
			}
			for _, line := range got {
				if !strings.Contains(line, `\Seen`) {
					t.Errorf("a flag is lost: %s", line)
				}
			}
		})
	}
}

// Many sessions of one process, while another program renames and delivers.
func TestManySessions(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	mb := openMailbox(t, b, "INBOX")
	user := b.Root + "/user/"
	var fsys disk.OS
	for i := range 20 {
		put(t, fsys, fmt.Sprint(user, "new/", i, ".foreign"), "line\n")
	}
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 4 {
		mb := openMailbox(t, b, "INBOX")
		wg.Go(func() {
			for range 10 {
				for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize | mailparts.WantDates}) {
					if err != nil || m.Size != 6 {
						t.Errorf("UID %d: size %d, %v", m.UID, m.Size, err)
					}
					if body, err := readBody(mb, m.UID); body != "line\r\n" && !errors.Is(err, mailparts.ErrNoMessage) {
						t.Errorf("UID %d: %q, %v", m.UID, body, err)
					}
				}
			}
		})
		wg.Go(func() {
			for i := range 10 {
				_, err := mailparts.Append(ctx, mb, incoming("line\n"))
				_, _, ferr := mb.SetFlags(ctx, uids(mailparts.UID(i+1)), mailparts.FlagChange{Op: mailparts.FlagOp(i % 3), Flags: []mailparts.Flag{mailparts.FlagSeen}})
				eerr := mb.Expunge(ctx, uids(mailparts.UID(2*i)), mailparts.FlagSeen)
				if err := errors.Join(err, ferr, eerr); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 20 {
			name := fmt.Sprint(i, ".foreign")
			fsys.Rename(user+"new/"+name, user+"cur/"+name+":2,R")
			put(t, fsys, user+"tmp/"+name+"2", "line\n") // half a file is no delivery
			must(t, fsys.Rename(user+"tmp/"+name+"2", user+"new/"+name+"2"))
		}
	})
	wg.Wait()
	seen := map[mailparts.UID]bool{}
	for _, line := range describe(t, mb) {
		uid, _, _ := strings.Cut(line, " ")
		n, _ := strconv.Atoi(uid)
		if seen[mailparts.UID(n)] {
			t.Errorf("UID %d twice", n)
		}
		seen[mailparts.UID(n)] = true
	}
	if len(seen) < 60 || len(seen) > 80 {
		t.Errorf("%d messages, want 80 but for those expunged", len(seen))
	}
}

// What handles share goes when they are unreachable.
func TestHandlesAreReleased(t *testing.T) {
	b := on(disktest.New())
	mb := openMailbox(t, b, "INBOX")
	deliver(t, mb, "x")
	for range 3 {
		want(t, openMailbox(t, b, "INBOX"), "1 [] x")
	}
	if n := b.Boxes(); n != 1 {
		t.Errorf("%d mailboxes are kept for one that is open", n)
	}
	runtime.KeepAlive(mb)
	for deadline := time.Now().Add(10 * time.Second); b.Boxes() > 0; {
		if time.Now().After(deadline) {
			t.Fatal("a mailbox is kept that nobody has")
		}
		runtime.GC()
		runtime.Gosched()
	}
}
