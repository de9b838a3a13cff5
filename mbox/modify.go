package mbox

import (
	"bytes"
	"context"
	"time"

	"github.com/mailparts/mailparts"
)

// modify calls op with the mailbox locked for writing and up to date, also in what
// others may have changed unseen: what op writes and expunges goes by the flags that
// stand in the file.
func (b *box) modify(ctx context.Context, op func(h *held) error) error {
	h, err := b.lock(ctx, true)
	if err != nil {
		return quota(err)
	}
	defer h.unlock()
	err = h.update(ctx)
	if err == nil && h.known.partial {
		h.distrust()
		err = h.update(ctx)
	}
	if err != nil {
		return quota(err)
	}
	return quota(op(h))
}

// SetFlags writes flags into the fields that have them, where there is room, and else
// makes room. All of it is durable when it returns, or nothing was done.
func (m *mailbox) SetFlags(ctx context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	return 0, nil, m.modify(ctx, func(h *held) error {
		set, keywords, err := setOf(h.base.keywords, c.Flags, c.Op != mailparts.RemoveFlags)
		if err != nil {
			return err
		}
		apply := applier(c.Op, set)
		return h.setFlags(h.pick(uids, func(e *entry) bool { return apply(e.flags) != e.flags }), apply, keywords)
	})
}

// applier returns what becomes of a message's flags.
func applier(op mailparts.FlagOp, set flagSet) func(flagSet) flagSet {
	switch op {
	case mailparts.AddFlags:
		return func(flags flagSet) flagSet { return flags | set }
	case mailparts.RemoveFlags:
		return func(flags flagSet) flagSet { return flags &^ set }
	}
	return func(flags flagSet) flagSet { return set | flags&old }
}

// setFlags changes the flags of the messages at some places.
func (h *held) setFlags(at []int, apply func(flagSet) flagSet, keywords []string) error {
	if len(at) == 0 {
		return nil
	}
	if h.readOnly {
		return mailparts.ErrReadOnly
	}
	e := edit{held: h, to: h.base}
	e.to.keywords = keywords
	for _, i := range at {
		if err := e.own(i, apply(h.entries[i].flags)); err != nil {
			return err
		}
	}
	entries := append([]entry(nil), h.entries...)
	for _, i := range at {
		entries[i].flags = apply(entries[i].flags)
	}
	return e.commit(entries, at)
}

// Expunge closes the gaps that messages leave, at once for all of them.
func (m *mailbox) Expunge(ctx context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	return m.modify(ctx, func(h *held) error {
		var bit flagSet
		if having != "" {
			if bit, _, _ = setOf(h.base.keywords, []mailparts.Flag{having}, false); bit == 0 {
				return nil // a flag that no message has
			}
		}
		return h.expunge(h.pick(uids, func(e *entry) bool { return e.flags&bit == bit }))
	})
}

func (h *held) expunge(at []int) error {
	if len(at) == 0 {
		return nil
	}
	if h.readOnly {
		return mailparts.ErrReadOnly
	}
	e := edit{held: h, to: h.base}
	var entries []entry
	gone := at
	for i, x := range h.entries {
		if len(gone) > 0 && gone[0] == i {
			gone = gone[1:]
			e.plan.add(x.off, h.end(i)-x.off, nil)
			continue
		}
		entries = append(entries, x)
	}
	if at[0] == 0 && !h.base.pseudo {
		if err := e.carry(at); err != nil {
			return err
		}
	}
	return e.commit(entries, nil)
}

// edit is a change of a mailbox's messages in progress.
type edit struct {
	*held
	plan  plan
	to    base // as it is to be
	moved bool // the base goes to another message, and is placed already
}

// own gives a message flags.
func (e *edit) own(i int, set flagSet) error {
	var m span
	if err := e.span(i, &m); err != nil {
		return err
	}
	b := &e.held.base
	carrier := b.start >= m.header && b.start < m.body
	return e.plan.own(e.f, &m, e.entries[i].uid, set, e.to.keywords, carrier)
}

// carry moves the base from the first message, which goes, to the first that stays,
// or to a message that is none.
func (e *edit) carry(gone []int) error {
	first := 0
	for first < len(gone) && gone[first] == first {
		first++
	}
	e.moved = true
	e.to.last = uint32(max(e.next, e.j.next) - 1)
	e.to = e.to.fresh(false)
	if first == len(e.entries) {
		text := pseudoMessage(e.to, time.Now())
		e.plan[0].text = text
		at := int64(bytes.Index(text, []byte("\nX-IMAP:")) + 1)
		e.to.pseudo = true
		e.to.start = e.plan[0].off + at
		e.to.end = e.to.start + int64(len(firstLine(text[at:])))
		return nil
	}
	text := e.to.append(nil)
	var m span
	if err := e.span(first, &m); err != nil {
		return err
	}
	e.to.start = e.entries[0].off + m.header - m.start
	e.to.end = e.to.start + int64(len(text))
	return e.plan.insert(e.f, &m, text)
}

// commit makes the change, after which the mailbox has these messages: some of those
// before, where they are still at their old places. Some are those whose flags only
// have changed.
func (e *edit) commit(entries []entry, some []int) error {
	h := e.held
	next := max(h.next, h.j.next)
	if !e.moved {
		e.to.last = max(e.to.last, uint32(next-1))
		if e.to.last != h.base.last || len(e.to.keywords) != len(h.base.keywords) {
			e.plan.writeBase(&e.to)
			e.to.end = e.to.start + int64(len(e.plan[len(e.plan)-1].text))
		}
	}
	if len(e.plan) == 0 {
		return nil
	}
	if err := h.commit(e.plan, e.to.validity, next); err != nil {
		h.forget()
		return err
	}
	from := 0
	if e.plan.isInPlace() {
		from = len(entries)
	} else {
		at := &e.to
		if e.moved {
			at = nil
		}
		e.plan.place(entries, at)
	}
	k := h.shape()
	if h.waiting { // what follows has no UIDs yet, and is no part of the last message
		stays := mover{plan: e.plan}
		k.size, k.settled = stays.to(h.known.size), false
	}
	h.publish(entries, e.to, next, k, h.waiting)
	h.tell()
	h.saveIndex(from, some)
	return nil
}
