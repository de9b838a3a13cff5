package imap

import (
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// fetch is FETCH and UID FETCH (RFC 9051 section 6.4.5).
func (s *session) fetch(p *wire.Parser) error {
	p.SP()
	set := p.Set()
	p.SP()
	items := parseItems(p)
	mods := s.fetchModifiers(p)
	if err := p.End(); err != nil {
		return err
	}
	if err := s.needModSeq(mods.changed || asksModSeq(items)); err != nil {
		return err
	}
	uids, err := s.uidSet(set)
	if err != nil {
		return err
	}
	uids = mods.narrow(uids)
	f := &fetching{session: s, items: items, since: mods.since, modseq: mods.changed}
	f.plan()
	if mods.vanished {
		if err := s.tellVanishedEarlier(set, mods.since); err != nil {
			return err
		}
	}
	return f.run(uids)
}

// fetching is one FETCH that is being answered.
type fetching struct {
	*session
	items []fetchItem
	since mailparts.ModSeq
	want  mailparts.Field

	needsTree bool // for some item
	keeps     bool // the store keeps what is derived
	common    bool // some item may do without the message if something is derived of it
	marks     bool // sets \Seen
	flags     bool // FLAGS are among the items
	modseq    bool
	marked    mailparts.UIDSet // that this FETCH has made \Seen
	markedAt  mailparts.ModSeq
	told      mailparts.UIDSet // of these

	message mailparts.Message // that is being answered for
	m       *mailparts.Message
	body    body
	derived derived
	tree    *mime.Part // once it was needed
	cache   cacheBatch
	held    int64 // octets of sections of m that are in memory
	missing bool  // a message was no longer there
}

// plan finds out what the items need.
func (f *fetching) plan() {
	if f.byUID && !slices.ContainsFunc(f.items, func(it fetchItem) bool { return it.kind == itemUID }) {
		f.items = slices.Insert(f.items, 0, fetchItem{kind: itemUID})
	}
	for i := range f.items {
		it := &f.items[i]
		f.want |= it.want()
		f.needsTree = f.needsTree || it.needsTree()
		f.common = f.common || it.section != nil && it.section.isCommon()
		f.marks = f.marks || it.marks()
		f.flags = f.flags || it.kind == itemFlags
	}
	if f.modseq && !asksModSeq(f.items) {
		f.items = append(f.items, fetchItem{kind: itemModSeq}) // RFC 7162 section 3.1.4.1
	}
	if f.modseq = asksModSeq(f.items); f.modseq {
		f.enableCondstore()
	}
	_, f.keeps = f.box.mb.(mailparts.Cacher)
	if f.needsTree || f.common {
		f.want |= mailparts.WantDerived
	}
	f.marks = f.marks && !f.box.readOnly
}

// run answers for each message.
func (f *fetching) run(uids mailparts.UIDSet) error {
	if len(uids) == 0 {
		return nil
	}
	if f.marks {
		if err := f.mark(uids); err != nil {
			return err
		}
		// Of those that an error leaves without a response update tells.
		defer func() { f.box.hush(f.told, f.markedAt) }()
	}
	defer f.body.close()
	f.m = &f.message
	at := follower{v: &f.box.view}
	answer, finish := f.readAhead(func(m *mailparts.Message) error {
		if seq := at.seq(m.UID); seq != 0 {
			f.message = *m
			if err := f.one(seq); err != nil {
				return err
			}
		}
		if err := f.out.Err(); err != nil {
			return &lostConnection{err}
		}
		return nil
	})
	n := uint32(0)
	for m, err := range f.box.mb.Messages(f.ctx, uids, mailparts.Query{Since: f.since, Want: f.want}) {
		if err != nil {
			return err
		}
		n++
		if err := answer(&m); err != nil {
			return err
		}
	}
	if err := finish(); err != nil {
		return err
	}
	f.cache.flush(f.session)
	if f.since == 0 && n != uids.Len() {
		f.missing = true
	}
	if f.missing && !f.byUID {
		return errExpunged
	}
	return nil
}

// errExpunged is of a message that another session has removed (RFC 2180 section 4.1.3).
var errExpunged = &refusal{"EXPUNGEISSUED", "Some of the messages are no longer there"}

// mark sets \Seen, before anything is sent: the response of each message has its new
// flags (RFC 9051 section 7.5.2).
func (f *fetching) mark(uids mailparts.UIDSet) error {
	var unseen mailparts.UIDSet
	for m, err := range f.box.mb.Messages(f.ctx, uids, mailparts.Query{Since: f.since}) {
		if err != nil {
			return err
		}
		if !slices.Contains(m.Flags, mailparts.FlagSeen) {
			unseen.Add(m.UID, m.UID)
		}
	}
	if len(unseen) == 0 {
		return nil
	}
	at, _, err := f.box.mb.SetFlags(f.ctx, unseen, mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
	switch {
	case errors.Is(err, mailparts.ErrPermission), errors.Is(err, mailparts.ErrReadOnly):
		return nil // who may not mark it may read it
	case err != nil:
		return err
	}
	f.marked, f.markedAt = unseen, at
	return nil
}

// one sends the FETCH response of a message, or nothing if it is no longer there.
func (f *fetching) one(seq uint32) error {
	m := f.m
	f.body.begin(f.session, m)
	f.derived.reset()
	if err := f.prepare(); err != nil {
		if errors.Is(err, mailparts.ErrNoMessage) {
			f.missing = true
			return nil
		}
		return err
	}
	marked := f.marked.Contains(m.UID)
	if f.flags || marked {
		f.box.tell(m)
		f.tellKeywords(m.Flags)
	}
	f.out.Print("* ")
	f.out.Uint(uint64(seq))
	f.out.Print(" FETCH (")
	for i := range f.items {
		if i > 0 {
			f.out.Print(" ")
		}
		if err := f.item(&f.items[i]); err != nil {
			return err
		}
	}
	if marked {
		if !f.flags {
			f.out.Print(" ")
			f.flagsItem(m)
		}
		if f.enabled.condstore && !f.modseq && m.ModSeq != 0 {
			f.out.Print(" ")
			f.modSeqItem(m)
		}
		f.told.Add(m.UID, m.UID)
	}
	f.out.Print(")\r\n")
	return nil
}

// maxScannedForHeader is how long a message may be that is read whole where its header
// would do, so that the next time the store has what is derived of it.
const maxScannedForHeader = 64 << 10

// scans reports whether a message is scanned if the store has nothing derived of it.
func (f *fetching) scans(m *mailparts.Message) bool {
	return f.needsTree || f.common && f.keeps && m.Size <= maxScannedForHeader
}

// prepare gets all that can fail, before the response begins.
func (f *fetching) prepare() error {
	f.held, f.tree = 0, nil
	switch {
	case f.scans(f.m):
		if err := f.derive(); err != nil {
			return err
		}
	case f.common:
		f.derived.have(f.m)
	}
	for i := range f.items {
		var err error
		switch it := &f.items[i]; it.kind {
		case itemSection:
			err = f.measure(it)
		case itemPreview:
			err = f.measurePreview(it)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hush keeps update from telling what the client knows already: messages with the
// mod-sequence at.
func (b *selected) hush(uids mailparts.UIDSet, at mailparts.ModSeq) {
	b.quiet, b.quietAt = uids, at
}
