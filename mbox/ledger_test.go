package mbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// ledger is what a workload was told before the crash.
type ledger struct {
	validity uint32
	sure     map[string]bool          // bodies of messages that must be there
	gone     map[string]bool          // and that must not
	refused  map[string]bool          // and of those that an error was answered to
	tried    map[string]bool          // bodies of all that was appended
	batches  [][]string               // of which all are there or none
	torn     bool                     // another program crashed, and left what it left
	seen     map[mailparts.UID]string // body of each UID that anyone was told of
	flagged  map[mailparts.UID]bool   // UIDs that surely have the flag
	next     mailparts.UID            // the highest UIDNext that was told
	fsys     *disktest.FS
}

func newLedger() *ledger {
	return &ledger{sure: map[string]bool{}, gone: map[string]bool{}, refused: map[string]bool{}, tried: map[string]bool{}, seen: map[mailparts.UID]string{}, flagged: map[mailparts.UID]bool{}}
}

// look notes what a session sees.
func (l *ledger) look(mb mailparts.Mailbox) {
	ctx := context.Background()
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return
		}
		if body, err := readBody(mb, m.UID); err == nil {
			l.seen[m.UID] = body
		}
	}
	if st, err := mb.Status(ctx); err == nil {
		l.validity, l.next = st.UIDValidity, max(l.next, st.UIDNext)
	}
}

func (l *ledger) append(mb mailparts.Mailbox, bodies ...string) error {
	placed, err := mb.Append(context.Background(), func(yield func(mailparts.Incoming, error) bool) {
		for _, body := range bodies {
			if !yield(incoming(body), nil) {
				return
			}
		}
	})
	l.batches = append(l.batches, bodies)
	for _, body := range bodies {
		l.tried[body] = true
	}
	if err != nil {
		for _, body := range bodies {
			l.refused[body] = true
		}
		return err
	}
	i := 0
	for _, r := range placed.UIDs {
		for u := r.First; u <= r.Last; u++ {
			l.seen[u], l.sure[bodies[i]] = bodies[i], true
			i++
		}
	}
	l.validity = placed.UIDValidity
	return nil
}

func (l *ledger) expunge(mb mailparts.Mailbox, set mailparts.UIDSet) {
	for u := range l.seen {
		if set.Contains(u) {
			delete(l.sure, l.seen[u])
			delete(l.flagged, u)
		}
	}
	if mb.Expunge(context.Background(), set, "") != nil {
		return
	}
	for u, body := range l.seen {
		if set.Contains(u) {
			l.gone[body] = true
		}
	}
}

func (l *ledger) flag(mb mailparts.Mailbox, set mailparts.UIDSet, flags ...mailparts.Flag) {
	_, _, err := mb.SetFlags(context.Background(), set, mailparts.FlagChange{Flags: append(flags, mailparts.FlagFlagged)})
	for u := range l.seen {
		if set.Contains(u) && err == nil {
			l.flagged[u] = true
		}
	}
}

// deliver is what another program does, whether it was acknowledged or not.
func (l *ledger) deliver(body string) {
	f, err := l.fsys.OpenFile(inboxPath, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	_, err = io.WriteString(f, foreignMessage(body))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		l.sure[foreignBody(body)] = true
	} else {
		l.torn = true
	}
}

// check looks at the mailbox after the crash, and then goes on with it.
func (l *ledger) check(t *testing.T, fsys *disktest.FS, name string) {
	t.Helper()
	mb := openMailbox(t, backendOn(fsys), name)
	l.checkMailbox(t, mb)
	for range 2 {
		body := fmt.Sprint("after the crash ", len(l.seen))
		placed, err := mailparts.Append(context.Background(), mb, incoming(body))
		must(t, err)
		uid := placed.UIDs[0].First
		if was, ok := l.seen[uid]; ok {
			t.Errorf("UID %d of %q is given to a new message", uid, was)
		}
		if uid < l.next {
			t.Errorf("UID %d is given after UIDNext was %d", uid, l.next)
		}
		l.seen[uid], l.sure[body] = body, true
	}
	st, err := mb.Status(context.Background())
	must(t, err)
	l.validity, l.next = st.UIDValidity, st.UIDNext
	l.checkMailbox(t, openMailbox(t, backendOn(fsys), name))
	if t.Failed() {
		t.Logf("the file: %q", fsys.Files()[inboxPath])
	}
}

func (l *ledger) checkMailbox(t *testing.T, mb mailparts.Mailbox) {
	t.Helper()
	st, err := mb.Status(context.Background())
	must(t, err)
	if l.validity != 0 && st.UIDValidity != l.validity {
		t.Errorf("UIDVALIDITY is %d, was %d", st.UIDValidity, l.validity)
	}
	if st.UIDNext < l.next {
		t.Errorf("UIDNext is %d, was %d", st.UIDNext, l.next)
	}
	found := map[string]int{}
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		found[body]++
		if was, ok := l.seen[m.UID]; ok && was != body {
			t.Errorf("UID %d is %q, was %q", m.UID, body, was)
		}
		if l.flagged[m.UID] && !strings.Contains(fmt.Sprint(m.Flags), `\Flagged`) {
			t.Errorf("UID %d has lost its flag: %v", m.UID, m.Flags)
		}
		if int64(len(body)) != m.Size {
			t.Errorf("UID %d: Size is %d, Body has %d octets", m.UID, m.Size, len(body))
		}
		l.seen[m.UID] = body
	}
	for body := range l.sure {
		if found[body] != 1 {
			t.Errorf("message %q is there %d times, want once", body, found[body])
		}
	}
	for body, n := range found {
		known := l.sure[body] || l.tried[body] || strings.HasPrefix(body, "message ") || strings.HasPrefix(body, "Subject: foreign")
		if n > 1 || l.gone[body] || !known {
			t.Errorf("message %q is there %d times, gone for good: %v", body, n, l.gone[body])
		}
	}
	for _, bodies := range l.batches {
		n := 0
		for _, body := range bodies {
			n += found[body]
		}
		if n != 0 && n != len(bodies) && !l.gone[bodies[0]] {
			t.Errorf("of the batch %q %d messages are there", bodies, n)
		}
	}
}

func (l *ledger) copy() *ledger {
	c := *l
	c.sure, c.gone, c.refused, c.seen, c.flagged = maps.Clone(l.sure), maps.Clone(l.gone), maps.Clone(l.refused), maps.Clone(l.seen), maps.Clone(l.flagged)
	return &c
}
