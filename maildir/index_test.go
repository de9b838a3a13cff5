package maildir_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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

const indexFile = root + "/user/mailparts-index"

// settled is a mailbox with three messages, the second of them seen, whose index is
// complete and as old as it takes to be believed.
func settled(t *testing.T) *disktest.FS {
	fsys := disktest.New()
	mb := openMailbox(t, on(fsys), "INBOX")
	deliver(t, mb, "one")
	deliver(t, mb, "two", mailparts.FlagSeen, "Work")
	deliver(t, mb, "three")
	time.Sleep(time.Hour)
	describe(t, mb)
	return fsys.Reboot(disktest.Kept)
}

func modSeqs(t *testing.T, mb mailparts.Mailbox) (all []mailparts.ModSeq) {
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(t, err)
		all = append(all, m.ModSeq)
	}
	return all
}

// Another process opens the mailbox, says its status, lists it and appends to it
// without a look at any folder.
func TestIndexSparesFolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		openMailbox(t, on(fsys), "INBOX") // notes the new run of the machine
		describe(t, openMailbox(t, on(fsys), "INBOX"))
		time.Sleep(time.Hour)
		describe(t, openMailbox(t, on(fsys), "INBOX"))

		var ops []disktest.Op
		fsys.Before = func(op disktest.Op) error {
			ops = append(ops, op)
			return nil
		}
		mb := openMailbox(t, on(fsys), "INBOX")
		if st := status(t, mb); st.Messages != 3 || st.Counts == nil || st.Counts.Unseen != 2 || st.Counts.Size != 11 {
			t.Errorf("Status is %+v", st)
		}
		deliver(t, mb, "four")
		want(t, mb, "1 [] one", `2 [\Seen Work] two`, "3 [] three", "4 [] four")
		for _, op := range ops {
			if op.Name == "readdir" && filepath.Base(op.Path) != "tmp" {
				t.Errorf("reads the folder %s", op.Path)
			}
		}
	})
}

// A status of a mailbox that nobody has open reads the head of its index, and nothing
// else.
func TestIndexHeadTellsStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		describe(t, openMailbox(t, on(fsys), "INBOX"))
		time.Sleep(time.Hour)
		describe(t, openMailbox(t, on(fsys), "INBOX"))
		mb := openMailbox(t, on(fsys), "INBOX")
		n := 0
		fsys.Before = func(op disktest.Op) error {
			n++
			if op.Name == "lock" || op.Name == "readdir" {
				t.Errorf("Status needs %v", op)
			}
			return nil
		}
		status(t, mb)
		first := n
		status(t, mb)
		if first > 13 || n-first != 3 {
			t.Errorf("Status takes %d operations, and then %d; want at most 13, and 3", first, n-first)
		}
	})
}

// Whatever happens to an index, messages, flags and UIDs are as before; mod-sequences
// are new ones; the file is kept aside and the logger told.
func TestIndexDamaged(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"empty":           func(b []byte) []byte { return nil },
		"no index":        func(b []byte) []byte { return []byte("no index") },
		"torn in head":    func(b []byte) []byte { return b[:300] },
		"torn in records": func(b []byte) []byte { return b[:len(b)-1] },
		"bit in head":     func(b []byte) []byte { b[40] ^= 1; return b },
		"bit in records":  func(b []byte) []byte { b[len(b)-20] ^= 1; return b },
		"zeros":           func(b []byte) []byte { clear(b[512:]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := settled(t)
				before := status(t, openMailbox(t, on(fsys), "INBOX"))
				put(t, fsys, indexFile, string(damage([]byte(get(t, fsys, indexFile)))))
				var log bytes.Buffer
				b := on(fsys)
				b.Logger = slog.New(slog.NewTextHandler(&log, nil))
				mb := openMailbox(t, b, "INBOX")
				want(t, mb, "1 [] one", `2 [\Seen Work] two`, "3 [] three")
				st := status(t, mb)
				if st.UIDValidity != before.UIDValidity || st.UIDNext < before.UIDNext || st.HighestModSeq <= before.HighestModSeq {
					t.Errorf("Status is %+v, was %+v", st, before)
				}
				for _, m := range modSeqs(t, mb) {
					if m <= before.HighestModSeq {
						t.Errorf("a message has mod-sequence %d, which may have been another's: %d was the highest", m, before.HighestModSeq)
					}
				}
				if aside := in(fsys, "mailparts-index.bad-*"); len(aside) != 1 {
					t.Errorf("set aside: %q", aside)
				}
				if !strings.Contains(log.String(), "index is damaged") {
					t.Errorf("the log says %q", log.String())
				}
			})
		})
	}
}

// Without an index, because there is no room or no permission for one, mail is
// served, and no mod-sequence is shown.
func TestIndexImpossible(t *testing.T) {
	for _, cause := range []error{syscall.EACCES, syscall.EROFS, syscall.ENOSPC} {
		synctest.Test(t, func(t *testing.T) {
			fsys := disktest.New()
			openMailbox(t, on(fsys), "INBOX")
			fsys.Before = func(op disktest.Op) error {
				if strings.Contains(op.Path, "mailparts-index") && op.Name != "stat" {
					return cause
				}
				return nil
			}
			mb := openMailbox(t, on(fsys), "INBOX")
			deliver(t, mb, "one")
			deliver(t, mb, "two", "Work")
			want(t, mb, "1 [] one", "2 [Work] two")
			at, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
			must(t, err)
			must(t, mb.Expunge(t.Context(), uids(2), ""))
			want(t, mb, `1 [\Seen] one`)
			if st := status(t, mb); st.HighestModSeq != 0 || at != 0 || modSeqs(t, mb)[0] != 0 {
				t.Errorf("%v: HighestModSeq is %d, SetFlags said %d, the message %d; want none", cause, st.HighestModSeq, at, modSeqs(t, mb))
			}
			fsys.Before = nil
			again := openMailbox(t, on(fsys), "INBOX")
			want(t, again, `1 [\Seen] one`)
			deliver(t, mb, "three")
			want(t, mb, `1 [\Seen] one`, "3 [] three")
			if st := status(t, again); st.HighestModSeq == 0 {
				t.Errorf("%v: no mod-sequences after the index is possible again", cause)
			}
			if st := status(t, mb); st.HighestModSeq == 0 {
				t.Errorf("%v: no mod-sequences after the index is possible again, in the process that had none", cause)
			}
		})
	}
}

// Indexes in a folder of their own: each mailbox of each tree has one, also of trees
// that are copies.
func TestIndexElsewhere(t *testing.T) {
	dir := t.TempDir()
	backend := func(root string) *maildir.Backend {
		return &maildir.Backend{Root: filepath.Join(dir, root), Index: filepath.Join(dir, "indexes")}
	}
	mb := openMailbox(t, backend("a"), "INBOX")
	deliver(t, mb, "one")
	deliver(t, mb, "two", mailparts.FlagSeen)
	want(t, mb, "1 [] one", `2 [\Seen] two`)
	must(t, os.CopyFS(filepath.Join(dir, "b"), os.DirFS(filepath.Join(dir, "a"))))
	twin := openMailbox(t, backend("b"), "INBOX")
	must(t, twin.Expunge(t.Context(), uids(1), ""))
	want(t, twin, `2 [\Seen] two`)
	want(t, openMailbox(t, backend("a"), "INBOX"), "1 [] one", `2 [\Seen] two`)
	indexes := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if strings.Contains(d.Name(), "mailparts-index") {
			if indexes++; !strings.HasPrefix(path, filepath.Join(dir, "indexes")) {
				t.Errorf("%s is in the tree", path)
			}
		}
		return err
	}))
	if indexes != 2 {
		t.Errorf("%d indexes, want 2", indexes)
	}
}

// What others did while nobody looked has mod-sequences above all that were told.
func TestForeignChangesHaveModSeqs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		mb := openMailbox(t, on(fsys), "INBOX")
		seen := status(t, mb).HighestModSeq
		cur, fresh := in(fsys, "cur/*"), in(fsys, "new/*")
		if len(cur) != 1 || len(fresh) != 2 {
			t.Fatalf("files are %q and %q", cur, fresh)
		}
		time.Sleep(time.Hour)
		must(t, fsys.Rename(cur[0], strings.TrimSuffix(cur[0], "Sa")+"FSa"))
		must(t, fsys.Rename(fresh[0], strings.Replace(fresh[0], "/new/", "/cur/", 1)+":2,")) // no change
		must(t, fsys.Remove(fresh[1]))
		put(t, fsys, root+"/user/new/1.strange", "four\n")
		var changed []mailparts.UID
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Since: seen}) {
			must(t, err)
			changed = append(changed, m.UID)
		}
		if !slices.Equal(changed, []mailparts.UID{2, 4}) {
			t.Errorf("changed since %d: %d, want 2 and 4", seen, changed)
		}
		gone, err := mailparts.Vanished(t.Context(), mb, seen)
		if must(t, err); gone.String() != "3" {
			t.Errorf("vanished since %d: %v, want 3", seen, gone)
		}
		if gone, err := mailparts.Vanished(t.Context(), mb, status(t, mb).HighestModSeq); err != nil || len(gone) != 0 {
			t.Errorf("vanished since now: %v, %v", gone, err)
		}
		if gone, err := mailparts.Vanished(t.Context(), mb, 1); err != nil || gone.String() != "3" {
			t.Errorf("vanished since the beginning: %v, %v", gone, err)
		}
	})
}

// SELECT claims what is new, and moves it where what was seen is.
func TestClaimRecentMovesToCur(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		mb := openMailbox(t, on(fsys), "INBOX")
		before := modSeqs(t, mb)
		r, err := mb.(mailparts.RecentClaimer).ClaimRecent(t.Context())
		if must(t, err); r != (mailparts.UIDRange{First: 1, Last: 3}) {
			t.Errorf("claims %v", r)
		}
		if left := in(fsys, "new/*"); len(left) > 0 {
			t.Errorf("new/ has %q", left)
		}
		want(t, mb, "1 [] one", `2 [\Seen Work] two`, "3 [] three")
		if after := modSeqs(t, mb); !slices.Equal(after, before) {
			t.Errorf("mod-sequences are %d, were %d", after, before)
		}
		deliver(t, mb, "four")
		for _, b := range []mailparts.Mailbox{mb, openMailbox(t, on(fsys), "INBOX")} {
			if st := status(t, b); st.FirstRecent != 4 {
				t.Errorf("FirstRecent is %d, want 4", st.FirstRecent)
			}
		}
	})
}

// After each of many random changes in turn by two processes both have the same
// mailbox, and a third one that must rebuild the index too, but for mod-sequences.
func TestIndexInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mbs := []mailparts.Mailbox{openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")}
		flags := []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDeleted, "Work", "$Junk"}
		for i := range 120 {
			mb := mbs[i%2]
			switch i % 7 {
			case 0, 1, 5:
				deliver(t, mb, fmt.Sprint(i), flags[:i%4]...)
			case 2, 3, 6:
				set := mailparts.UIDSet{{First: mailparts.UID(i / 3), Last: mailparts.UID(i / 2)}}
				_, _, err := mb.SetFlags(t.Context(), set, mailparts.FlagChange{Op: mailparts.FlagOp(i % 3), Flags: flags[i%4:]})
				must(t, err)
			case 4:
				must(t, mb.Expunge(t.Context(), mailparts.UIDSet{{First: mailparts.UID(i / 4), Last: mailparts.UID(i / 3)}}, flags[i%4]))
			}
			if i%10 == 0 {
				time.Sleep(time.Hour)
			}
			mine, theirs := describe(t, mbs[0]), describe(t, mbs[1])
			if !slices.Equal(mine, theirs) || !slices.Equal(modSeqs(t, mbs[0]), modSeqs(t, mbs[1])) {
				t.Fatalf("after change %d one has %q, the other %q", i, mine, theirs)
			}
			if a, b := status(t, mbs[0]), status(t, mbs[1]); a.HighestModSeq != b.HighestModSeq || *a.Counts != *b.Counts || a.UIDNext != b.UIDNext {
				t.Fatalf("after change %d one says %+v %+v, the other %+v %+v", i, a, *a.Counts, b, *b.Counts)
			}
		}
		counts := *status(t, mbs[0]).Counts
		must(t, fsys.Remove(indexFile))
		third := openMailbox(t, on(fsys), "INBOX")
		if lines := describe(t, third); !slices.Equal(lines, describe(t, mbs[0])) || *status(t, third).Counts != counts {
			t.Errorf("rebuilt: %q %+v, was %q %+v", lines, *status(t, third).Counts, describe(t, mbs[0]), counts)
		}
	})
}

// Messages that others delivered without sizes in their names are measured once.
func TestIndexKeepsSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		openMailbox(t, on(fsys), "INBOX")
		put(t, fsys, root+"/user/new/10.strange", "a\nb\n")
		time.Sleep(time.Hour)
		mb := openMailbox(t, on(fsys), "INBOX")
		if st := status(t, mb); st.Counts != nil {
			t.Errorf("counts %+v before anybody has measured", st.Counts)
		}
		if got := sizes(t, mb); !slices.Equal(got, []int64{6}) {
			t.Errorf("sizes are %d", got)
		}
		fsys.Before = func(op disktest.Op) error {
			if strings.HasSuffix(op.Path, "10.strange") {
				return errors.New("is read again")
			}
			return nil
		}
		mb = openMailbox(t, on(fsys), "INBOX")
		if got := sizes(t, mb); !slices.Equal(got, []int64{6}) {
			t.Errorf("sizes are %d", got)
		}
		if st := status(t, mb); st.Counts == nil || st.Counts.Size != 6 {
			t.Errorf("counts %+v, want a size of 6", st.Counts)
		}
	})
}

// The EMAILID of a message is that of its copies, and one that it brings is kept.
func TestObjectIDs(t *testing.T) {
	b := &maildir.Backend{Root: t.TempDir()}
	mb := openMailbox(t, b, "INBOX")
	in := incoming("one")
	in.ID = "M-from_elsewhere"
	_, err := mailparts.Append(context.Background(), mb, in)
	must(t, err)
	deliver(t, mb, "two")
	ids := func(b *maildir.Backend) (ids []string) {
		for m, err := range openMailbox(t, b, "INBOX").Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantIDs}) {
			must(t, err)
			ids = append(ids, m.ID)
		}
		return ids
	}
	first := ids(b)
	if first[0] != "M-from_elsewhere" || first[1] == "" || first[1] == first[0] {
		t.Errorf("ids are %q", first)
	}
	must(t, os.Remove(filepath.Join(b.Root, "user", "mailparts-index")))
	if again := ids(&maildir.Backend{Root: b.Root}); !slices.Equal(again, first) {
		t.Errorf("ids are %q after a rebuild, were %q", again, first)
	}
}
