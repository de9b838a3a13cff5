package wire

import (
	"slices"
	"strconv"
)

// Star is "*" in a Set: the largest number in use. No number is 0.
const Star = 0

// Range is First to Last. After Resolve it ascends.
type Range struct{ First, Last uint32 }

// Set is a sequence-set as it was sent (RFC 9051 section 9): ranges in any order, that
// may overlap, run backwards, and have Star. Saved stands for "$" (section 6.4.4.1).
type Set struct {
	Ranges []Range
	Saved  bool
}

// maxRanges bounds a Set.
const maxRanges = 10000

// Set reads a sequence-set.
func (p *Parser) Set() (s Set) {
	if p.Try('$') {
		return Set{Saved: true}
	}
	for {
		r := Range{First: p.setNumber()}
		r.Last = r.First
		if p.Try(':') {
			r.Last = p.setNumber()
		}
		if len(s.Ranges) == maxRanges {
			p.Fail(Error("Set of too many ranges"))
		}
		if p.err != nil {
			return Set{}
		}
		s.Ranges = append(s.Ranges, r)
		if !p.Try(',') {
			return s
		}
	}
}

func (p *Parser) setNumber() uint32 {
	if p.Try('*') {
		return Star
	}
	return p.NZNumber()
}

// Resolve returns the ranges in ascending order, none touching another, with last for
// Star. It costs ranges, whatever is in them.
func (s Set) Resolve(last uint32) []Range {
	out := make([]Range, 0, len(s.Ranges))
	for _, r := range s.Ranges {
		if r.First == Star {
			r.First = last
		}
		if r.Last == Star {
			r.Last = last
		}
		if r.First > r.Last {
			r.First, r.Last = r.Last, r.First
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Range) int { return int(int64(a.First) - int64(b.First)) })
	n := 0
	for _, r := range out {
		if n > 0 && uint64(r.First) <= uint64(out[n-1].Last)+1 {
			out[n-1].Last = max(out[n-1].Last, r.Last)
			continue
		}
		out[n] = r
		n++
	}
	return out[:n]
}

// AppendRanges appends ascending ranges as a sequence-set.
func AppendRanges(b []byte, ranges []Range) []byte {
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(r.First), 10)
		if r.Last != r.First {
			b = strconv.AppendUint(append(b, ':'), uint64(r.Last), 10)
		}
	}
	return b
}

// HasStar reports whether the set has "*".
func (s Set) HasStar() bool {
	return slices.ContainsFunc(s.Ranges, func(r Range) bool { return r.First == Star || r.Last == Star })
}

// NextIsSet reports whether a set may come next.
func (p *Parser) NextIsSet() bool {
	c := p.Peek()
	return c == '*' || c == '$' || '0' < c && c <= '9'
}
