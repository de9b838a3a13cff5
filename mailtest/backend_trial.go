package mailtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// trial is one promise put to the test: a Backend without mail, and the words to
// speak of it. What fails in a helper ends the trial.
type trial struct {
	*testing.T
	kit     BackendKit
	backend mailparts.Backend
	store   mailparts.Store   // of the first user
	inbox   mailparts.Mailbox // in store

	second mailparts.Backend // if not nil, every other open is of it
	opened int

	mu   sync.Mutex // guards over
	over bool
}

func (k BackendKit) trial(t *testing.T) *trial {
	x := &trial{T: t, kit: k}
	t.Cleanup(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.over = true
	})
	x.use(k.New(t))
	return x
}

// use goes on with another Backend.
func (x *trial) use(b mailparts.Backend) {
	x.Helper()
	x.backend = b
	x.store = x.open(x.kit.Users[0])
	x.inbox = x.mailbox(x.store, "INBOX")
}

// Errorf is T's, but that it may be called when the trial is over, by a call of a
// store that did not come back in time.
func (x *trial) Errorf(format string, args ...any) {
	x.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over {
		x.T.Errorf(format, args...)
	}
}

// must ends the trial at an error.
func (x *trial) must(what string, err error) {
	x.Helper()
	if err != nil {
		x.Fatalf("%s: %v", what, err)
	}
}

// mustDo is must for an optional method, which may be unsupported after all.
func (x *trial) mustDo(what string, err error) {
	x.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		x.Skipf("%s: not supported by this store", what)
	}
	x.must(what, err)
}

// wantError checks that err is one of the wanted ones.
func (x *trial) wantError(what string, err error, want ...error) {
	x.Helper()
	if !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
		x.Errorf("%s: got error %v, want one of %q", what, err, want)
	}
}

// within fails a call that does not return: then the store holds a lock that it
// must not hold, or waits for nothing.
func (x *trial) within(what string, f func() error) {
	x.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		x.must(what, err)
	case <-time.After(x.kit.patience):
		x.Fatalf("%s: no answer after %v, as if a lock were held", what, x.kit.patience)
	}
}

func (x *trial) open(user string) mailparts.Store {
	x.Helper()
	b := x.backend
	if x.opened++; x.second != nil && x.opened%2 == 0 {
		b = x.second
	}
	s, err := b.Open(x.Context(), user)
	x.must("Open("+user+")", err)
	return s
}

func (x *trial) mailbox(s mailparts.Store, name string) mailparts.Mailbox {
	x.Helper()
	mb, err := s.Mailbox(x.Context(), name)
	x.must("Mailbox("+name+")", err)
	return mb
}

// other returns a second empty mailbox: in the same store if that is possible,
// else the second user's INBOX.
func (x *trial) other() mailparts.Mailbox {
	x.Helper()
	if m, ok := x.store.(mailparts.Manager); ok {
		err := m.Create(x.Context(), "other")
		if !errors.Is(err, errors.ErrUnsupported) {
			x.must("Create(other)", err)
			return x.mailbox(x.store, "other")
		}
	}
	return x.mailbox(x.open(x.kit.Users[1]), "INBOX")
}

// manager returns the store as a Manager, or skips the trial.
func (x *trial) manager() mailparts.Manager {
	x.Helper()
	return optional[mailparts.Manager](x, x.store)
}

// optional returns v as the optional interface T, or skips the trial.
func optional[T any](x *trial, v any) T {
	x.Helper()
	t, ok := v.(T)
	if !ok {
		x.Skipf("%T is no %v", v, reflect.TypeFor[T]())
	}
	return t
}

func (x *trial) status(mb mailparts.Mailbox) mailparts.Status {
	x.Helper()
	st, err := mb.Status(x.Context())
	x.must("Status", err)
	return st
}

// needModSeq skips the trial if the store keeps no mod-sequences.
func (x *trial) needModSeq() {
	x.Helper()
	if x.status(x.inbox).HighestModSeq == 0 {
		x.Skip("the store keeps no mod-sequences")
	}
}

// keeps reports whether the inbox keeps flag f, by its PermanentFlags.
func (x *trial) keeps(f mailparts.Flag) bool {
	x.Helper()
	have := x.status(x.inbox).PermanentFlags
	return hasFlag(have, f) || f[0] != '\\' && hasFlag(have, mailparts.FlagAny)
}

// needFlags skips the trial if the store does not keep all of fs.
func (x *trial) needFlags(fs ...mailparts.Flag) {
	x.Helper()
	for _, f := range fs {
		if !x.keeps(f) {
			x.Skipf("the store does not keep the flag %s", f)
		}
	}
}

// text is a message of which Body yields the same octets.
func text(body string) mailparts.Incoming {
	return mailparts.Incoming{Body: strings.NewReader(body)}
}

// add appends messages in one batch and returns their UIDs.
func (x *trial) add(mb mailparts.Mailbox, msgs ...mailparts.Incoming) []mailparts.UID {
	x.Helper()
	placed, err := mb.Append(x.Context(), batch(msgs...))
	x.must("Append", err)
	if int(placed.UIDs.Len()) != len(msgs) {
		x.Fatalf("Append of %d messages placed %d: %v", len(msgs), placed.UIDs.Len(), placed.UIDs)
	}
	return each(placed.UIDs)
}

// addTexts appends messages with these bodies.
func (x *trial) addTexts(mb mailparts.Mailbox, bodies ...string) []mailparts.UID {
	x.Helper()
	var msgs []mailparts.Incoming
	for _, b := range bodies {
		msgs = append(msgs, text(b))
	}
	return x.add(mb, msgs...)
}

// batch yields msgs without an error.
func batch(msgs ...mailparts.Incoming) iter.Seq2[mailparts.Incoming, error] {
	return func(yield func(mailparts.Incoming, error) bool) {
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// each returns the UIDs of a small set; of what a broken store may say, the
// first thousand.
func each(s mailparts.UIDSet) (uids []mailparts.UID) {
	for _, r := range s {
		for i := range min(r.Last-r.First+1, 1000) {
			uids = append(uids, r.First+i)
		}
	}
	return uids
}

// set is a UIDSet of single UIDs.
func set(uids ...mailparts.UID) (s mailparts.UIDSet) {
	for _, u := range uids {
		s.Add(u, u)
	}
	return s
}

const wantAll = mailparts.WantSize | mailparts.WantDates | mailparts.WantIDs

// query returns what Messages yields.
func (x *trial) query(mb mailparts.Mailbox, uids mailparts.UIDSet, q mailparts.Query) []mailparts.Message {
	x.Helper()
	msgs, err := collect(x.Context(), mb, uids, q)
	x.must("Messages", err)
	return msgs
}

func collect(ctx context.Context, mb mailparts.Mailbox, uids mailparts.UIDSet, q mailparts.Query) (msgs []mailparts.Message, err error) {
	for m, err := range mb.Messages(ctx, uids, q) {
		if err != nil {
			return msgs, err
		}
		m.Derived = bytes.Clone(m.Derived) // the store may reuse it
		msgs = append(msgs, m)
	}
	return msgs, nil
}

// all returns every message with every field.
func (x *trial) all(mb mailparts.Mailbox) []mailparts.Message {
	x.Helper()
	return x.query(mb, mailparts.AllUIDs(), mailparts.Query{Want: wantAll})
}

// uids returns which messages exist.
func (x *trial) uids(mb mailparts.Mailbox) (uids []mailparts.UID) {
	x.Helper()
	for _, m := range x.query(mb, mailparts.AllUIDs(), mailparts.Query{}) {
		uids = append(uids, m.UID)
	}
	return uids
}

// wantUIDs checks which messages exist.
func (x *trial) wantUIDs(what string, mb mailparts.Mailbox, want ...mailparts.UID) {
	x.Helper()
	if got := x.uids(mb); !slices.Equal(got, want) {
		x.Errorf("%s: Messages yields UIDs %v, want %v", what, got, want)
	}
}

// message returns one message with every field.
func (x *trial) message(mb mailparts.Mailbox, uid mailparts.UID) mailparts.Message {
	x.Helper()
	msgs := x.query(mb, set(uid), mailparts.Query{Want: wantAll})
	if len(msgs) != 1 || msgs[0].UID != uid {
		x.Fatalf("Messages of UID %d yields %v, want that message", uid, msgs)
	}
	return msgs[0]
}

// body reads a message.
func (x *trial) body(mb mailparts.Mailbox, uid mailparts.UID) string {
	x.Helper()
	r, err := mb.Body(x.Context(), uid)
	x.must("Body", err)
	var b bytes.Buffer
	_, err = io.Copy(&b, r)
	x.must("reading Body", err)
	x.must("closing Body", r.Close())
	return b.String()
}

// bodies reads every message, in order.
func (x *trial) bodies(mb mailparts.Mailbox) (all []string) {
	x.Helper()
	for _, u := range x.uids(mb) {
		all = append(all, x.body(mb, u))
	}
	return all
}

// wantBodies checks what messages exist, by their bodies.
func (x *trial) wantBodies(what string, mb mailparts.Mailbox, want ...string) {
	x.Helper()
	if got := x.bodies(mb); !slices.Equal(got, want) {
		x.Errorf("%s: the mailbox holds %q, want %q", what, got, want)
	}
}

// setFlags changes flags without a condition.
func (x *trial) setFlags(mb mailparts.Mailbox, uids mailparts.UIDSet, op mailparts.FlagOp, flags ...mailparts.Flag) mailparts.ModSeq {
	x.Helper()
	at, stale, err := mb.SetFlags(x.Context(), uids, mailparts.FlagChange{Op: op, Flags: flags})
	x.must("SetFlags", err)
	if len(stale) > 0 {
		x.Errorf("SetFlags without UnchangedSince: got stale UIDs %v, want none", stale)
	}
	return at
}

// wantFlags checks a message's flags as a set, ASCII case not regarded.
func (x *trial) wantFlags(what string, mb mailparts.Mailbox, uid mailparts.UID, want ...mailparts.Flag) {
	x.Helper()
	if got := x.message(mb, uid).Flags; !sameFlags(got, want) {
		x.Errorf("%s: UID %d has the flags %v, want %v", what, uid, got, want)
	}
}

func (x *trial) expunge(mb mailparts.Mailbox, uids mailparts.UIDSet, having mailparts.Flag) {
	x.Helper()
	x.must("Expunge", mb.Expunge(x.Context(), uids, having))
}
