package maildir

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
)

// mailbox is a handle. All that it knows is in the box that handles share.
type mailbox struct{ *box }

// Status costs three stats if nothing has changed, and a read of the index's head
// where nobody has the mailbox open.
func (m *mailbox) Status(ctx context.Context) (mailparts.Status, error) {
	if err := m.hold(ctx, needHead); err != nil {
		return mailparts.Status{}, err
	}
	defer m.mu.Unlock()
	return m.status(), nil
}

// status is what is known. The caller holds mu.
func (b *box) status() mailparts.Status {
	h := &b.ix.Head
	st := mailparts.Status{
		ID:             b.guid,
		UIDValidity:    b.validity,
		UIDNext:        mailparts.UID(h.Next),
		HighestModSeq:  mailparts.ModSeq(h.HighestModSeq),
		Messages:       h.Counts.Messages,
		PermanentFlags: b.permanentFlags(),
	}
	if b.unsaved {
		st.HighestModSeq = 0
	}
	if uint64(h.FirstRecent) < h.Next {
		st.FirstRecent = mailparts.UID(max(h.FirstRecent, 1))
	}
	if h.Counts.Unsized == 0 {
		st.Counts = &mailparts.Counts{
			Unseen: h.Counts.Unseen, Deleted: h.Counts.Deleted, Size: h.Counts.Size, DeletedSize: h.Counts.DeletedSize,
		}
	}
	return st
}

// permanentFlags are the system flags, the keywords of the mailbox, and leave for
// more if there is room. The caller holds mu.
func (b *box) permanentFlags() []mailparts.Flag {
	flags := slices.Clone(flagNames[:])
	room := false
	for _, name := range b.keywords.names() {
		if name != "" {
			flags = append(flags, name)
		}
		room = room || name == ""
	}
	if room {
		flags = append(flags, mailparts.FlagAny)
	}
	return flags
}

// Messages asks the disk for the dates and sizes that nobody has asked for before:
// of messages that others delivered.
func (m *mailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		if err := m.messages(ctx, uids, q, yield); err != nil {
			yield(mailparts.Message{}, err)
		}
	}
}

func (m *mailbox) messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query, yield func(mailparts.Message, error) bool) error {
	if err := m.refresh(ctx, needEntries); err != nil {
		return err
	}
	defer m.saveLearned(ctx)
	p := &page{mailbox: m, want: q.Want, since: uint64(q.Since)}
	defer p.closeDerived()
	var msg mailparts.Message // one for all: a copy of it is a good part of what a message costs
	for after := uint32(0); ; {
		if err := p.turn(ctx, uids, after); err != nil || p.n == 0 {
			return err
		}
		after = p.entries[p.n-1].UID
		for i := range p.n {
			if err := p.message(ctx, i, &msg); err != nil {
				if errors.Is(err, mailparts.ErrNoMessage) {
					continue
				}
				return err
			}
			if !yield(msg, nil) {
				return nil
			}
		}
	}
}

// page is some messages on their way to a reader, copied: nothing is held while the
// reader looks at them.
type page struct {
	*mailbox
	want    mailparts.Field
	since   uint64
	n       int
	entries [64]entry
	flags   [64][]mailparts.Flag
	guids   [64]string
	learned [64]learned
	hide    bool   // mod-sequences
	cached  uint64 // which generation of the cache entries refer to
	derived derived
}

// fill fills the page with those of uids that come after a UID.
func (b *box) fill(ctx context.Context, p *page, uids mailparts.UIDSet, after uint32) error {
	if err := b.holdKnown(ctx, needEntries); err != nil {
		return err
	}
	defer b.mu.Unlock()
	if b.gone {
		return mailparts.ErrNoMailbox
	}
	p.n, p.hide, p.cached = 0, b.unsaved, b.ix.Cache
	if p.hide && p.since > 0 { // nothing has a mod-sequence
		return nil
	}
	for _, r := range uids {
		if uint32(r.Last) <= after {
			continue
		}
		i, _ := b.index(max(uint32(r.First), after+1))
		for ; i < len(b.ix.Entries) && b.ix.Entries[i].UID <= uint32(r.Last); i++ {
			e := &b.ix.Entries[i]
			if e.ModSeq <= p.since {
				continue
			}
			if p.n == len(p.entries) {
				return nil
			}
			p.entries[p.n] = *e
			p.flags[p.n] = b.flagList(flagSet(e.Flags))
			if p.want&mailparts.WantIDs != 0 {
				p.guids[p.n] = b.ix.GUIDs[e.UID]
			}
			if p.want&(mailparts.WantSize|mailparts.WantDates) != 0 {
				p.learned[p.n] = b.learned[e.UID]
			}
			p.n++
		}
	}
	return nil
}

// message sets the fields that are wanted, and those that always are. It returns
// ErrNoMessage if the message is gone by now.
func (p *page) message(ctx context.Context, i int, msg *mailparts.Message) error {
	e := &p.entries[i]
	msg.UID, msg.ModSeq, msg.Flags = mailparts.UID(e.UID), mailparts.ModSeq(e.ModSeq), p.flags[i]
	if p.hide {
		msg.ModSeq = 0
	}
	if p.want&mailparts.WantDates != 0 {
		received, err := p.received(ctx, e, p.learned[i])
		if err != nil {
			return err
		}
		msg.Received, msg.Saved = time.Unix(0, received), time.Time{}
		if e.Saved != 0 {
			msg.Saved = time.Unix(int64(e.Saved), 0)
		}
	}
	if p.want&mailparts.WantSize != 0 {
		var err error
		if msg.Size, err = p.size(ctx, e); err != nil {
			return err
		}
	}
	if p.want&mailparts.WantIDs != 0 {
		msg.ID = objectID(cmp.Or(p.guids[i], keyOf(e)))
	}
	if p.want&mailparts.WantDerived != 0 {
		msg.Derived = p.derived.of(e)
	}
	return nil
}

// follow calls op with the path of a message's file, and again with the one that
// it has got meanwhile, if op says fs.ErrNotExist.
func (b *box) follow(ctx context.Context, e *entry, op func(path string) error) error {
	for range maxLooks {
		err := b.try(func(dir string) error {
			return op(pathOf(dir, e))
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		b.distrustShelves()
		now, err := b.lookUp(ctx, mailparts.UID(e.UID))
		if err != nil {
			return err
		}
		*e = now
	}
	return errors.New("the message's file changes its name too often: " + filepath.Base(e.Name))
}
