package maildir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// A message that is delivered first of all after a start of the machine keeps the UID
// that was told when the process that delivered it reads the mailbox.
func TestFirstDeliveryAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range disktest.Modes() {
			fsys := settled(t)
			mb := openMailbox(t, on(fsys), "INBOX")
			describe(t, mb)
			_, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged}}) // all is durable
			must(t, err)
			time.Sleep(time.Hour)
			fsys = fsys.Reboot(mode)
			mb = openMailbox(t, on(fsys), "INBOX")
			uid := deliver(t, mb, "four")
			var got mailparts.UID
			for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
				must(t, err)
				if body, err := readBody(mb, m.UID); err == nil && body == "four" {
					got = m.UID
				}
			}
			if got != uid {
				t.Errorf("%v: the message has UID %d, told was %d", mode, got, uid)
			}
		}
	})
}

// What came and went before a crash that lost both from the index is among what
// vanished.
func TestVanishedInCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mode := range disktest.Modes() {
			fsys := settled(t)
			mb := openMailbox(t, on(fsys), "INBOX")
			describe(t, mb)
			_, _, err := mb.SetFlags(t.Context(), uids(1), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagFlagged}}) // all is durable
			must(t, err)
			time.Sleep(time.Hour)
			uid := deliver(t, mb, "four")
			since := status(t, mb).HighestModSeq
			must(t, mb.Expunge(t.Context(), uids(uid), ""))
			mb = openMailbox(t, on(fsys.Reboot(mode)), "INBOX")
			gone, err := mailparts.Vanished(t.Context(), mb, since)
			must(t, err)
			if !gone.Contains(uid) {
				t.Errorf("%v: vanished since %d: %v, want %d too", mode, since, gone, uid)
			}
		}
	})
}

// Two processes: what one has reserved the other does not take back.
func TestReservedByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mine := openMailbox(t, on(fsys), "INBOX")
		deliver(t, mine, "one") // without an index: no mod-sequences yet
		theirs := openMailbox(t, on(fsys), "INBOX")
		describe(t, theirs)
		var last mailparts.UID
		for range 1200 {
			last = deliver(t, theirs, "message")
		}
		must(t, mine.Expunge(t.Context(), uids(1), ""))
		after := openMailbox(t, on(fsys.Reboot(disktest.Strict)), "INBOX")
		uid := deliver(t, after, "new")
		if uid <= last {
			t.Errorf("UID %d is given twice: up to %d are in use", uid, last)
		}
	})
}

// A process learns that another one has made the index anew, with new mod-sequences,
// though nothing else has changed.
func TestIndexMadeAnewByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		mine, theirs := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		describe(t, mine)
		must(t, fsys.Remove(indexFile))
		time.Sleep(time.Hour)
		describe(t, theirs)
		if got, want := status(t, mine).HighestModSeq, status(t, theirs).HighestModSeq; got < want {
			t.Errorf("HighestModSeq is %d, another process says %d", got, want)
		}
	})
}

// After a start of the machine one process goes on with the mod-sequences that another
// one has begun.
func TestModSeqsAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		deliver(t, openMailbox(t, on(fsys), "INBOX"), "lost")
		fsys = fsys.Reboot(disktest.Torn) // the head of the index is
		mine, theirs := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		deliver(t, mine, "four")
		describe(t, theirs)
		time.Sleep(time.Hour)
		deliver(t, theirs, "five")
		want := status(t, theirs).HighestModSeq
		if got := status(t, mine).HighestModSeq; got != want {
			t.Errorf("HighestModSeq is %d, another process says %d", got, want)
		}
	})
}

// A status shows what the same process has delivered without a look at the mailbox, even
// if the folder's time does not tell.
func TestStatusAfterBlindDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		mine, theirs := openMailbox(t, on(fsys), "INBOX"), openMailbox(t, on(fsys), "INBOX")
		deliver(t, theirs, "four")
		status(t, mine)
		was, err := fsys.Stat(root + "/user/new")
		must(t, err)
		cur, err := fsys.Stat(root + "/user/cur")
		must(t, err)
		put(t, fsys, root+"/user/cur/foreign", "five")
		deliver(t, mine, "six")
		must(t, fsys.Remove(root+"/user/cur/foreign"))
		must(t, fsys.Chtimes(root+"/user/new", was.ModTime()))
		must(t, fsys.Chtimes(root+"/user/cur", cur.ModTime()))
		if got, want := status(t, mine).Messages, uint32(len(describe(t, mine))); got != want {
			t.Errorf("Status has %d messages, listed are %d", got, want)
		}
	})
}

// A uidlist that has the inode of the one before, but other lines, is read anew.
func TestListWithInodeOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := settled(t)
		mb := openMailbox(t, on(fsys), "INBOX")
		describe(t, mb)
		list := root + "/user/dovecot-uidlist"
		head, rest, _ := strings.Cut(get(t, fsys, list), "\n")
		_, rest, _ = strings.Cut(rest, "\n") // the first message is expunged
		must(t, fsys.Remove(in(fsys, "new/*")[0]))
		put(t, fsys, root+"/user/new/a", "a")
		put(t, fsys, root+"/user/new/b", "b")
		time.Sleep(time.Hour)
		put(t, fsys, list, head+"\n"+rest+"20 :b\n21 :a\n22 W1 G0123456789012345678901234567890123456789 :gone\n23 W1 G0123456789 :gone\n")
		var got []mailparts.UID
		for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
			must(t, err)
			got = append(got, m.UID)
		}
		if want := []mailparts.UID{2, 3, 20, 21}; !slices.Equal(got, want) {
			t.Errorf("UIDs are %d, want %d", got, want)
		}
	})
}

// A GUID that is too long for the index does not keep it from being written.
func TestListWithLongGUID(t *testing.T) {
	fsys := disktest.New()
	openMailbox(t, on(fsys), "INBOX")
	list := root + "/user/dovecot-uidlist"
	put(t, fsys, root+"/user/new/a", "a")
	put(t, fsys, list, get(t, fsys, list)+"7 G"+strings.Repeat("x", 300)+" :a\n")
	mb := openMailbox(t, on(fsys), "INBOX")
	want(t, mb, "7 [] a")
	if status(t, mb).HighestModSeq == 0 {
		t.Error("there are no mod-sequences")
	}
}

// Sessions that read while the index is made anew see all that is there.
func TestReadersWhileIndexIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		mb := openMailbox(t, on(fsys), "INBOX")
		for i := range 100 {
			deliver(t, mb, fmt.Sprint(i))
		}
		want := status(t, mb)
		before := describe(t, mb)
		time.Sleep(time.Hour)
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "readdir" {
				time.Sleep(time.Minute)
			}
			return nil
		}
		n, ctx := 0, t.Context()
		for _, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
			must(t, err)
			if n++; n != 10 {
				continue
			}
			must(t, fsys.Remove(indexFile))
			put(t, fsys, root+"/user/new/foreign", "foreign")
			go func() {
				if _, err := mb.Status(ctx); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait() // it reads the folders now
			go func() {
				if body, err := readBody(mb, 7); body != "6" {
					t.Errorf("the body is %q: %v", body, err)
				}
			}()
			go func() {
				if st, err := mb.Status(ctx); st.Messages != want.Messages+1 || st.UIDNext != want.UIDNext+1 || st.HighestModSeq <= want.HighestModSeq {
					t.Errorf("the status is %+v, was %+v: %v", st, want, err)
				}
			}()
			synctest.Wait()
		}
		if n != len(before)+1 {
			t.Errorf("%d messages are listed, want %d", n, len(before)+1)
		}
	})
}
