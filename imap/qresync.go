package imap

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// selectParams are the parameters of SELECT and EXAMINE (RFC 4466 section 2.1).
type selectParams struct {
	condstore bool
	qresync   *resync
}

// resync is what a client has kept of a mailbox (RFC 7162 section 3.2.5).
type resync struct {
	validity  uint32
	since     mailparts.ModSeq
	known     *wire.Set // UIDs; nil: all
	seqs, ids wire.Set  // the client's sequence numbers of some UIDs
}

const errNoQresync badCommand = "QRESYNC has not been enabled"

// selectParameters reads the parameters, if there are any.
func (s *session) selectParameters(p *wire.Parser) (params selectParams) {
	if p.Err() != nil || !p.More() {
		return params
	}
	p.SP()
	p.List(func() {
		switch p.Word() {
		case "CONDSTORE":
			params.condstore = true
		case "QRESYNC":
			p.SP()
			params.qresync = parseResync(p)
		default:
			p.Fail(wire.Error("Unknown parameter of SELECT"))
		}
	})
	if params.qresync != nil && !s.enabled.qresync {
		p.Fail(errNoQresync)
	}
	return params
}

func parseResync(p *wire.Parser) *resync {
	r := &resync{}
	p.Expect('(')
	r.validity = p.NZNumber()
	p.SP()
	r.since = mailparts.ModSeq(p.Number64())
	if p.Peek() == ' ' {
		p.SP()
		if p.Peek() != '(' {
			known := knownSet(p)
			r.known = &known
			if p.Peek() == ' ' {
				p.SP()
				r.parseMatch(p)
			}
		} else {
			r.parseMatch(p)
		}
	}
	p.Expect(')')
	return r
}

// parseMatch reads the sequence match data.
func (r *resync) parseMatch(p *wire.Parser) {
	p.Expect('(')
	r.seqs = knownSet(p)
	p.SP()
	r.ids = knownSet(p)
	p.Expect(')')
}

// knownSet reads a set that may have neither "*" nor "$".
func knownSet(p *wire.Parser) wire.Set {
	set := p.Set()
	if set.Saved || set.HasStar() {
		p.Fail(wire.Error(`Expected a set without "*" and "$"`))
	}
	return set
}

// bring tells the client what has changed in the mailbox, just selected, since it saw it
// last. If it has seen another mailbox of that name it gets nothing (RFC 7162 section
// 3.2.5.1).
func (s *session) bring(r *resync) error {
	b := s.box
	if r.validity != b.told.UIDValidity || b.seen == 0 {
		return nil
	}
	known := mailparts.AllUIDs()
	if r.known != nil {
		known = uidRanges(r.known.Resolve(0))
	}
	vanished, err := mailparts.Vanished(s.ctx, b.mb, r.since)
	if err != nil {
		return err
	}
	vanished = vanished.Intersect(known).Subtract(b.view.uids)
	if floor := r.unchanged(&b.view); floor > 0 {
		vanished = vanished.Subtract(mailparts.UIDSet{{First: 1, Last: floor}})
	}
	if len(vanished) > 0 {
		s.out.Print("* VANISHED (EARLIER) ", vanished.String(), "\r\n")
	}
	f := follower{v: &b.view}
	for m, err := range b.mb.Messages(s.ctx, known.Intersect(b.view.uids), mailparts.Query{Since: r.since}) {
		if err != nil {
			return err
		}
		if seq := f.seq(m.UID); seq != 0 {
			s.tellKeywords(m.Flags)
			s.beginFetch(seq, m.UID)
			s.flagsItem(&m)
			s.out.Print(" ")
			s.modSeqItem(&m)
			s.out.Print(")\r\n")
		}
	}
	return nil
}

// maxMatch bounds the pairs of sequence match data that are looked at.
const maxMatch = 10000

// unchanged is the highest UID, of those that the client tells with their sequence
// numbers, up to which nothing is missing: its number is the same as ever (RFC 7162
// section 3.2.5.2).
func (r *resync) unchanged(v *view) (floor mailparts.UID) {
	seqs, ids := r.seqs.Resolve(0), r.ids.Resolve(0)
	for range maxMatch {
		if len(seqs) == 0 || len(ids) == 0 || seqs[0].First > v.count || v.uid(seqs[0].First) != mailparts.UID(ids[0].First) {
			break
		}
		floor = mailparts.UID(ids[0].First)
		seqs, ids = next(seqs), next(ids)
	}
	return floor
}

// next drops the first number.
func next(ranges []wire.Range) []wire.Range {
	if ranges[0].First == ranges[0].Last {
		return ranges[1:]
	}
	ranges[0].First++
	return ranges
}

// uidRanges is ascending ranges as UIDs.
func uidRanges(ranges []wire.Range) (uids mailparts.UIDSet) {
	for _, r := range ranges {
		uids.Add(mailparts.UID(max(r.First, 1)), mailparts.UID(r.Last))
	}
	return uids
}
