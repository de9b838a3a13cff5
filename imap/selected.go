package imap

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// selected is the mailbox that a session has selected, as the client knows it.
//
// What others do is found by asking the store for what has changed since seen, the
// highest mod-sequence that all told so far is up to; a mailbox that keeps none is
// listed and compared.
type selected struct {
	mb        mailparts.Mailbox
	name      string
	readOnly  bool
	view      view
	told      mailparts.Status // the numbers of the last look
	seen      mailparts.ModSeq
	toldUpTo  mailparts.ModSeq // what has changed up to it the client knows
	held      bool             // the client was told that it knows no more than toldUpTo
	lostUpTo  mailparts.ModSeq // what was expunged up to it is not in view, or in gone
	gone      mailparts.UIDSet // expunged, and the client does not know it yet
	recent    mailparts.UIDSet
	prints    map[mailparts.UID]uint64 // of the flags that the client knows, in a mailbox without mod-sequences
	flags     []mailparts.Flag         // that FLAGS has told of
	saved     mailparts.UIDSet         // what "$" stands for (RFC 5182)
	lastFlags *mailparts.Flag          // of those that tellKeywords has looked at
	look      bool                     // compare all, even if no number has changed
	untold    mailparts.UIDSet         // whose flags have changed, and could not be told

	// quiet are messages whose change the client asked not to be told of, at the
	// mod-sequence that it made.
	quiet   mailparts.UIDSet
	quietAt mailparts.ModSeq
}

// fill looks at the mailbox for the first time. firstUnseen is a sequence number.
func (b *selected) fill(ctx context.Context) (st mailparts.Status, firstUnseen uint32, err error) {
	o, err := mailparts.OutlineOf(ctx, b.mb)
	if err != nil {
		return st, 0, err
	}
	b.told, b.seen, b.toldUpTo, b.lostUpTo = o.Status, o.HighestModSeq, o.HighestModSeq, o.HighestModSeq
	b.view.set(o.UIDs)
	if o.HighestModSeq == 0 {
		err = b.takePrints(ctx)
	}
	return o.Status, b.view.seq(o.FirstUnseen), err
}

// takePrints notes the flags of all messages, in a mailbox that keeps no mod-sequences.
func (b *selected) takePrints(ctx context.Context) error {
	b.prints = map[mailparts.UID]uint64{}
	for m, err := range b.mb.Messages(ctx, b.view.uids, mailparts.Query{}) {
		if err != nil {
			return err
		}
		b.prints[m.UID] = fingerprint(m.Flags)
	}
	return nil
}

var printSeed = maphash.MakeSeed()

// fingerprint tells sets of flags apart, whatever their order.
func fingerprint(flags []mailparts.Flag) (sum uint64) {
	for _, f := range flags {
		sum += maphash.String(printSeed, strings.ToLower(string(f)))
	}
	return sum
}

// news is what the client does not know yet: UIDs, which cost little however many they are.
type news struct {
	arrived mailparts.UIDSet
	changed mailparts.UIDSet
}

// catchUp finds out what has changed since the last look. If it fails b is as it was, and
// the next look finds all of it.
func (b *selected) catchUp(ctx context.Context) (n news, err error) {
	st, err := b.mb.Status(ctx)
	if err != nil {
		return n, err
	}
	look := b.look && b.prints != nil
	same := st.UIDNext == b.told.UIDNext && st.Messages == b.told.Messages && st.HighestModSeq == b.told.HighestModSeq
	if same && !look {
		return n, nil
	}
	if b.prints != nil {
		n, err = b.compare(ctx, st)
	} else {
		n, err = b.follow(ctx, st)
	}
	if err != nil {
		return news{}, err
	}
	b.told, b.look = st, false
	return n, nil
}

// follow asks for what has changed since b.seen.
func (b *selected) follow(ctx context.Context, st mailparts.Status) (n news, err error) {
	before := b.view.last()
	for m, err := range b.mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Since: b.seen}) {
		if err != nil {
			return n, err
		}
		switch {
		case m.UID >= st.UIDNext: // at the next look
		case m.UID > before:
			n.arrived.Add(m.UID, m.UID)
		case b.view.seq(m.UID) != 0 && !(m.ModSeq == b.quietAt && b.quiet.Contains(m.UID)):
			n.changed.Add(m.UID, m.UID)
		}
	}
	var vanished mailparts.UIDSet
	missing := st.Messages != b.view.count+n.arrived.Len()-b.gone.Len()
	if missing {
		if vanished, err = mailparts.Vanished(ctx, b.mb, b.lostUpTo); err != nil {
			return n, err
		}
	}
	// A message may have gone since it was listed: then the client never hears of it.
	n.arrived = n.arrived.Subtract(vanished)
	b.admit(n.arrived)
	b.lose(vanished)
	b.seen = st.HighestModSeq
	// Of messages that came and went since the last look the numbers tell nothing, and
	// may make up for others.
	if missing || st.UIDNext == b.told.UIDNext {
		b.lostUpTo = st.HighestModSeq
	}
	return n, nil
}

// admit takes in messages that have arrived.
func (b *selected) admit(uids mailparts.UIDSet) {
	for _, r := range uids {
		for uid := uint64(r.First); uid <= uint64(r.Last); uid++ {
			b.view.add(mailparts.UID(uid))
		}
	}
}

// compare lists a mailbox that keeps no mod-sequences.
func (b *selected) compare(ctx context.Context, st mailparts.Status) (n news, err error) {
	before := b.view.last()
	missing := slices.Clone(b.view.uids)
	var there mailparts.UIDSet
	prints := make(map[mailparts.UID]uint64, len(b.prints))
	for m, err := range b.mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return n, err
		}
		if m.UID >= st.UIDNext {
			break
		}
		there.Add(m.UID, m.UID)
		print := fingerprint(m.Flags)
		known := b.prints[m.UID] == print
		prints[m.UID] = print
		switch {
		case m.UID > before:
			n.arrived.Add(m.UID, m.UID)
		case !known && b.view.seq(m.UID) != 0:
			n.changed.Add(m.UID, m.UID)
		}
	}
	b.prints = prints
	b.admit(n.arrived)
	b.lose(missing.Subtract(there))
	return n, nil
}

// lose notes messages that are gone, of which the client is yet to hear.
func (b *selected) lose(uids mailparts.UIDSet) {
	for _, r := range b.view.uids.Intersect(uids) {
		b.gone.Add(r.First, r.Last)
	}
}

// update tells the client what has changed: expunges only if it may hear of them now. What
// cannot be found out now the next update tells; the command that it comes after is done
// all the same.
func (s *session) update(expunges bool) {
	b := s.box
	n, err := b.catchUp(s.ctx)
	b.quiet, b.quietAt = nil, 0
	if errors.Is(err, mailparts.ErrNoMailbox) {
		s.bye("[UNAVAILABLE] The selected mailbox was deleted")
		return
	}
	if err != nil {
		s.log.Error("cannot look at the selected mailbox", "user", s.user, "mailbox", b.name, "err", err)
	}
	if expunges && len(b.gone) > 0 {
		s.tellExpunged()
	}
	if len(n.arrived) > 0 {
		s.tellArrived()
	}
	if changed := union(b.untold, n.changed); len(changed) > 0 {
		if b.untold, err = s.tellFlags(changed); err != nil {
			s.log.Error("cannot tell of flags", "user", s.user, "mailbox", b.name, "err", err)
		}
	}
	s.tellHeld()
}

// tellHeld tells a client of QRESYNC which mod-sequence it may come back with: while it may
// not hear of expunges, no higher one than theirs, though messages with higher ones are told
// of (RFC 7162 section 3.2).
func (s *session) tellHeld() {
	b := s.box
	holds := len(b.gone) > 0
	if !holds {
		b.toldUpTo = b.seen
	}
	if s.enabled.qresync && b.seen != 0 && (holds || b.held) {
		s.tellModSeq(b.toldUpTo)
	}
	b.held = holds
}

// tellExpunged tells of the messages that are gone, by EXPUNGE or VANISHED.
func (s *session) tellExpunged() {
	b := s.box
	gone := b.gone
	b.gone = nil
	b.recent = b.recent.Subtract(gone)
	seqs := b.view.remove(gone)
	if s.enabled.qresync {
		s.out.Print("* VANISHED ", gone.String(), "\r\n")
		return
	}
	// From the last to the first each number is right, whatever went before.
	for _, r := range slices.Backward(seqs) {
		for n := r.Last; n >= r.First; n-- {
			s.out.Print("* ")
			s.out.Uint(uint64(n))
			s.out.Print(" EXPUNGE\r\n")
		}
	}
}

// tellArrived tells how many messages there are.
func (s *session) tellArrived() {
	b := s.box
	if b.told.FirstRecent != 0 {
		if err := b.claim(s.ctx); err != nil { // then they are another session's
			s.log.Error("cannot claim what is recent", "user", s.user, "mailbox", b.name, "err", err)
		}
	}
	s.out.Print("* ")
	s.out.Uint(uint64(b.view.count))
	s.out.Print(" EXISTS\r\n")
	s.tellRecent()
}

// claim makes what is recent this session's, unless it only looks.
func (b *selected) claim(ctx context.Context) error {
	if b.readOnly {
		b.recent = nil
		if b.told.FirstRecent != 0 {
			b.recent.Add(b.told.FirstRecent, max(b.told.UIDNext, 1)-1)
		}
		return nil
	}
	r, err := mailparts.ClaimRecent(ctx, b.mb)
	if err != nil {
		return err
	}
	b.recent.Add(r.First, r.Last)
	return nil
}

// tellRecent is the RECENT of IMAP4rev1 (RFC 3501 section 7.3.2).
func (s *session) tellRecent() {
	if s.enabled.rev2 {
		return
	}
	s.out.Print("* ")
	s.out.Uint(uint64(s.box.view.uids.Intersect(s.box.recent).Len()))
	s.out.Print(" RECENT\r\n")
}

// tellFlags tells the flags of messages. After an error it returns those that are left.
func (s *session) tellFlags(uids mailparts.UIDSet) (left mailparts.UIDSet, err error) {
	f := follower{v: &s.box.view}
	last := mailparts.UID(0)
	for m, err := range s.box.mb.Messages(s.ctx, uids, mailparts.Query{}) {
		if err != nil {
			return uids.Subtract(mailparts.UIDSet{{First: 1, Last: last}}), err
		}
		last = m.UID
		seq := f.seq(m.UID)
		if seq == 0 {
			continue
		}
		s.box.tell(&m)
		s.tellKeywords(m.Flags)
		s.beginFetch(seq, m.UID)
		s.flagsItem(&m)
		if s.enabled.condstore && m.ModSeq != 0 {
			s.out.Print(" ")
			s.modSeqItem(&m)
		}
		s.out.Print(")\r\n")
	}
	return nil, nil
}

// uidSet is what a set of the command means: UIDs in its UID form, else sequence numbers,
// none of which may be above the last (RFC 9051 section 6.4.9).
func (s *session) uidSet(set wire.Set) (mailparts.UIDSet, error) {
	b := s.box
	switch {
	case set.Saved: // see searchres.go
		return s.savedUIDs(), nil
	case s.byUID:
		return b.view.uids.Intersect(uidRanges(set.Resolve(uint32(b.view.last())))), nil
	}
	seqs := set.Resolve(b.view.count)
	if n := len(seqs); n > 0 && (seqs[n-1].Last > b.view.count || seqs[0].First == 0) {
		return nil, errSequence
	}
	return b.view.uidsOf(seqs), nil
}

const errSequence badCommand = "No such message"
