package imap

import (
	"strconv"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// searchReturn is what RETURN asks of SEARCH (RFC 9051 section 6.4.4, RFC 4731) and SORT
// (RFC 5267 section 3.1).
type searchReturn struct {
	given                      bool
	min, max, all, count, save bool
	partial                    *partialRange // RFC 9394
}

const errReturn badCommand = "Only one of ALL and PARTIAL is possible" // RFC 9394 section 3.1

// parseReturn reads RETURN and the space after it, if it is there.
func parseReturn(p *wire.Parser) (ret searchReturn) {
	if !p.TryWord("RETURN") {
		return searchReturn{all: true}
	}
	ret.given = true
	p.SP()
	p.List(func() { ret.option(p) })
	if ret.all && ret.partial != nil {
		p.Fail(errReturn)
	}
	if ret == (searchReturn{given: true}) {
		ret.all = true
	}
	p.SP()
	return ret
}

// option reads a return option.
func (ret *searchReturn) option(p *wire.Parser) {
	switch p.Word() {
	case "MIN":
		ret.min = true
	case "MAX":
		ret.max = true
	case "ALL":
		ret.all = true
	case "COUNT":
		ret.count = true
	case "SAVE":
		ret.save = true
	case "PARTIAL":
		if ret.partial != nil {
			p.Fail(errReturn)
		}
		p.SP()
		ret.partial = parsePartial(p)
	default:
		p.Fail(wire.Error("Unknown return option"))
	}
}

// answered is what an ESEARCH tells of: messages in the mailbox's order or, for SORT, in
// that of sorted.
type answered struct {
	uids   mailparts.UIDSet
	sorted []mailparts.UID // not nil after SORT
	marks  *modMarks
}

func (a *answered) len() uint32 {
	if a.sorted != nil {
		return uint32(len(a.sorted))
	}
	return a.uids.Len()
}

// first and last are of a that is not empty.
func (a *answered) first() mailparts.UID {
	if a.sorted != nil {
		return a.sorted[0]
	}
	return a.uids[0].First
}

func (a *answered) last() mailparts.UID {
	if a.sorted != nil {
		return a.sorted[len(a.sorted)-1]
	}
	return a.uids[len(a.uids)-1].Last
}

// tellESearch sends ESEARCH (RFC 9051 section 7.3.4), unless nothing was asked for but to
// save the result.
func (s *session) tellESearch(ret searchReturn, a *answered) {
	if !(ret.min || ret.max || ret.all || ret.count || ret.partial != nil) {
		return
	}
	s.out.Print("* ESEARCH (TAG ")
	s.out.String(s.tag)
	s.out.Print(")")
	if s.byUID {
		s.out.Print(" UID")
	}
	n := a.len()
	if n > 0 && ret.min {
		s.out.Print(" MIN ")
		s.out.Uint(uint64(s.number(a.first())))
	}
	if n > 0 && ret.max {
		s.out.Print(" MAX ")
		s.out.Uint(uint64(s.number(a.last())))
	}
	if n > 0 && ret.all {
		s.out.Print(" ALL ")
		s.tellResult(a, nil)
	}
	if ret.partial != nil {
		s.tellPartial(a, ret.partial)
	}
	if ret.count {
		s.out.Print(" COUNT ")
		s.out.Uint(uint64(n))
	}
	if n > 0 && a.marks != nil {
		s.out.Print(" MODSEQ ")
		s.out.Uint(uint64(a.modSeq(ret)))
	}
	s.out.Print("\r\n")
}

// modSeq is the mod-sequence that belongs to what was asked for (RFC 4731 section 3.2),
// or after SORT the highest.
func (a *answered) modSeq(ret searchReturn) mailparts.ModSeq {
	k := a.marks
	switch {
	case ret.all || ret.count || ret.partial != nil || a.sorted != nil:
		return k.highest
	case ret.min && ret.max:
		return max(k.first, k.last)
	case ret.min:
		return k.first
	}
	return k.last
}

// tellPartial tells a range of the result (RFC 9394 section 3.1).
func (s *session) tellPartial(a *answered, r *partialRange) {
	s.out.Print(" PARTIAL (", r.String(), " ")
	if from, to := r.cut(uint64(a.len())); from > to {
		s.out.Print("NIL")
	} else {
		s.tellResult(a, r)
	}
	s.out.Print(")")
}

// tellResult writes a result, or the part of it that is not empty, as a set.
func (s *session) tellResult(a *answered, part *partialRange) {
	if a.sorted == nil {
		uids := a.uids
		if part != nil {
			uids = part.of(uids)
		}
		ranges := s.numbers(uids)
		s.out.Append(func(b []byte) []byte { return wire.AppendRanges(b, ranges) })
		return
	}
	sorted := a.sorted
	if part != nil {
		from, to := part.cut(uint64(len(sorted)))
		sorted = sorted[from-1 : to]
	}
	s.tellOrdered(sorted)
}

// tellOrdered writes messages in their order as a set, with ranges for those that ascend
// without a gap (RFC 5267 section 3.2).
func (s *session) tellOrdered(uids []mailparts.UID) {
	var r wire.Range
	write := func() {
		s.out.Append(func(b []byte) []byte { return wire.AppendRanges(b, []wire.Range{r}) })
	}
	for _, uid := range uids {
		n := s.number(uid)
		switch {
		case r.First == 0:
			r = wire.Range{First: n, Last: n}
		case n == r.Last+1:
			r.Last = n
		default:
			write()
			s.out.Print(",")
			r = wire.Range{First: n, Last: n}
		}
	}
	write()
}

// String is the range as the client wrote it, the lower number first.
func (r *partialRange) String() string {
	sign := ""
	if r.back {
		sign = "-"
	}
	return sign + strconv.FormatUint(uint64(r.first), 10) + ":" + sign + strconv.FormatUint(uint64(r.last), 10)
}

// cut is where the range is in n results, counted from 1 and from the front; if it is in
// none, from is above to.
func (r *partialRange) cut(n uint64) (from, to uint64) {
	from, to = uint64(r.first), min(uint64(r.last), n)
	if !r.back {
		return from, to
	}
	if from > n {
		return 1, 0
	}
	return n + 1 - to, n + 1 - from
}
