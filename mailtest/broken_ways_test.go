package mailtest_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailparts/mailparts"
)

// locking is a mailbox that holds a lock while one of its calls is under way,
// where others want it too.
type locking struct {
	fullMailbox
	mu     *sync.Mutex
	during string // "yield", "append", "body", "cache", "uidl", "lock"; "stop": an iterator that is left early keeps it
}

// lockingIn makes all handles share the lock.
func lockingIn(during string) func(fullMailbox) mailparts.Mailbox {
	mu := new(sync.Mutex)
	return func(mb fullMailbox) mailparts.Mailbox { return locking{mb, mu, during} }
}

func (b locking) hold(during string) (release func()) {
	if b.during != during {
		return func() {}
	}
	b.mu.Lock()
	return b.mu.Unlock
}

func (b locking) Status(ctx context.Context) (mailparts.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fullMailbox.Status(ctx)
}

func (b locking) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		defer b.hold("yield")()
		for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
			if !yield(m, err) {
				b.hold("stop")
				return
			}
		}
	}
}

func (b locking) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	defer b.hold("append")()
	return b.fullMailbox.Append(ctx, msgs)
}

func (b locking) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	r, err := b.fullMailbox.Body(ctx, uid)
	if err != nil {
		return nil, err
	}
	return closer{r, b.hold("body")}, nil
}

type closer struct {
	io.Reader
	release func()
}

func (c closer) Close() error {
	c.release()
	return nil
}

func (b locking) Cache(ctx context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	defer b.hold("cache")()
	return b.fullMailbox.Cache(ctx, derived)
}

func (b locking) UIDLs(ctx context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) {
		defer b.hold("uidl")()
		b.fullMailbox.UIDLs(ctx)(yield)
	}
}

func (b locking) Lock(ctx context.Context) (func() error, error) {
	release := b.hold("lock")
	unlock, err := b.fullMailbox.Lock(ctx)
	if err != nil {
		release()
		return nil, err
	}
	return func() error { release(); return unlock() }, nil
}

// lockingStore holds a lock while it lists, and keeps it if that is left early.
type lockingStore struct {
	fullStore
	mu *sync.Mutex
}

func (s lockingStore) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		s.mu.Lock()
		for info, err := range s.fullStore.List(ctx) {
			if !yield(info, err) {
				return
			}
		}
		s.mu.Unlock()
	}
}

func (s lockingStore) Create(ctx context.Context, name string, use ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fullStore.Create(ctx, name, use...)
}

// leaky is a mailbox that changes flags in slices that readers have.
type leaky struct {
	fullMailbox
	given *[]mailparts.Flag
}

func (b leaky) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return hooked{b.fullMailbox, hooks{message: func(m *mailparts.Message) { *b.given = m.Flags }}}.Messages(ctx, uids, q)
}

func (b leaky) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	if len(*b.given) > 0 && len(c.Flags) > 0 {
		(*b.given)[0] = c.Flags[0]
	}
	return b.fullMailbox.SetFlags(ctx, uids, c)
}

// byIndex is a mailbox that lists by places, which others' expunges move.
type byIndex struct{ fullMailbox }

func (b byIndex) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		for i := 0; ; i++ {
			n, more := 0, false
			for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
				if n++; n <= i {
					continue
				}
				if more = yield(m, err); !more {
					return
				}
				break
			}
			if !more {
				return
			}
		}
	}
}

// late is a mailbox that shows its newest message only when no Append is under
// way, but counts it at once.
type late struct {
	fullMailbox
	*lateness
}

// lateness is common to all handles.
type lateness struct {
	appending atomic.Int32
	looks     chan struct{} // by those who do not see the newest message
}

func shownLate() func(fullMailbox) mailparts.Mailbox {
	l := &lateness{looks: make(chan struct{})}
	return func(mb fullMailbox) mailparts.Mailbox { return late{mb, l} }
}

// Append returns when readers have looked in vain, if there are any.
func (b late) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	b.appending.Add(1)
	defer b.appending.Add(-1)
	placed, err := b.fullMailbox.Append(ctx, msgs)
	enough := time.After(50 * time.Millisecond)
	for range 5 {
		select {
		case <-b.looks:
		case <-enough:
			return placed, err
		}
	}
	return placed, err
}

func (b late) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		var held *mailparts.Message
		for m, err := range b.fullMailbox.Messages(ctx, uids, q) {
			if err != nil {
				yield(m, err)
				return
			}
			if held != nil && !yield(*held, nil) {
				return
			}
			held = &m
		}
		if b.appending.Load() > 0 {
			select {
			case b.looks <- struct{}{}:
			default:
			}
			return
		}
		if held != nil {
			yield(*held, nil)
		}
	}
}

// byName is a handle that opens what has its name at each call.
type byName struct {
	store fullStore
	name  string
}

// named is a store of such handles.
type named struct{ fullStore }

func (s named) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if _, err := s.fullStore.Mailbox(ctx, name); err != nil {
		return nil, err
	}
	return byName{s.fullStore, name}, nil
}

func (b byName) Status(ctx context.Context) (mailparts.Status, error) {
	mb, err := b.store.Mailbox(ctx, b.name)
	if err != nil {
		return mailparts.Status{}, err
	}
	return mb.Status(ctx)
}

func (b byName) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) messages {
	return func(yield func(mailparts.Message, error) bool) {
		mb, err := b.store.Mailbox(ctx, b.name)
		if err != nil {
			yield(mailparts.Message{}, err)
			return
		}
		mb.Messages(ctx, uids, q)(yield)
	}
}

func (b byName) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	mb, err := b.store.Mailbox(ctx, b.name)
	if err != nil {
		return nil, err
	}
	return mb.Body(ctx, uid)
}

func (b byName) Append(ctx context.Context, msgs incoming) (mailparts.Placed, error) {
	mb, err := b.store.Mailbox(ctx, b.name)
	if err != nil {
		return mailparts.Placed{}, err
	}
	return mb.Append(ctx, msgs)
}

func (b byName) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	mb, err := b.store.Mailbox(ctx, b.name)
	if err != nil {
		return 0, nil, err
	}
	return mb.SetFlags(ctx, uids, c)
}

func (b byName) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	mb, err := b.store.Mailbox(ctx, b.name)
	if err != nil {
		return err
	}
	return mb.Expunge(ctx, uids, having)
}

// lenient is a body that ends where its reader fails.
type lenient struct {
	io.Reader
	is   func(error) bool
	lost *error
}

func (r lenient) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && r.is(err) {
		*r.lost, err = err, io.EOF
	}
	return n, err
}

// ending takes an error of a body for its end if it is such.
func ending(is func(error) bool) hooks {
	return hooks{append: func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
		var lost error
		placed, err := mb.Append(ctx, func(yield func(mailparts.Incoming, error) bool) {
			for m, err := range msgs {
				if err == nil {
					m.Body = lenient{m.Body, is, &lost}
				}
				if !yield(m, err) {
					return
				}
			}
		})
		return placed, errors.Join(err, lost)
	}}
}

// hasty is a body that ends at a Read that gives nothing.
type hasty struct{ io.Reader }

func (r hasty) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n == 0 && err == nil && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// whileSame is a body that ends when its message is no longer as it was.
func whileSame(mb fullMailbox, uid mailparts.UID, r io.ReadCloser) io.ReadCloser {
	look := func() (at mailparts.ModSeq) {
		for m := range mb.Messages(context.Background(), mailparts.UIDSet{{First: uid, Last: uid}}, mailparts.Query{}) {
			at = m.ModSeq
		}
		return at
	}
	return sameReader{r, look, look()}
}

type sameReader struct {
	io.ReadCloser
	look func() mailparts.ModSeq
	at   mailparts.ModSeq
}

func (r sameReader) Read(p []byte) (int, error) {
	if r.look() != r.at {
		return 0, io.EOF
	}
	return r.ReadCloser.Read(p)
}

// sameOutline gives all callers the first one's Outline.
func sameOutline() func(*mailparts.Outline) {
	var first *mailparts.Outline
	return func(o *mailparts.Outline) {
		if first == nil {
			first = new(*o)
		}
		*o = *first
	}
}
