package imap

import (
	"math"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// partialRange is a range of results (RFC 9394 section 3.1): the first is 1, with back
// the last is 1.
type partialRange struct {
	first, last uint32
	back        bool
}

// parsePartial reads "1:500" or "-1:-500".
func parsePartial(p *wire.Parser) *partialRange {
	r := &partialRange{back: p.Try('-')}
	r.first = p.NZNumber()
	p.Expect(':')
	if p.Try('-') != r.back {
		p.Fail(wire.Error("Malformed range"))
	}
	if r.last = p.NZNumber(); r.first > r.last {
		r.first, r.last = r.last, r.first
	}
	return r
}

// of is that part of ascending UIDs.
func (r *partialRange) of(uids mailparts.UIDSet) (part mailparts.UIDSet) {
	from, to := uint64(r.first), uint64(r.last)
	n := uint64(uids.Len())
	if r.back {
		if from > n {
			return nil
		}
		from, to = n+1-min(to, n), n+1-from
	}
	at := uint64(1) // the place of the range's First
	for _, u := range uids {
		size := uint64(u.Last-u.First) + 1
		lo, hi := max(from, at), min(to, at+size-1)
		if lo <= hi {
			part.Add(u.First+mailparts.UID(lo-at), u.First+mailparts.UID(hi-at))
		}
		if at += size; at > to || at > math.MaxUint32 {
			break
		}
	}
	return part
}
