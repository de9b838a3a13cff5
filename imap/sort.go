package imap

import (
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// sort is SORT and UID SORT (RFC 5256 section 3), with RETURN of RFC 5267 section 3.
func (s *session) sort(p *wire.Parser) error {
	p.SP()
	ret := parseReturn(p)
	if ret.save {
		p.Fail(errSaveSort)
	}
	columns := parseSort(p)
	q := s.parseSorted(p)
	if err := p.End(); err != nil {
		return err
	}
	uids, err := q.roughly()
	if err != nil {
		return err
	}
	t := &table{columns: columns}
	if err := q.each(uids, t.want(), t.add); err != nil {
		return err
	}
	sorted := t.sorted()
	if ret.given {
		s.tellESearch(ret, &answered{sorted: sorted, marks: q.marks})
		return nil
	}
	s.out.Print("* SORT")
	for _, uid := range sorted {
		s.out.Print(" ")
		s.out.Uint(uint64(s.number(uid)))
	}
	if q.marks != nil && len(sorted) > 0 { // RFC 7162 section 3.1.6
		s.out.Print(" (MODSEQ ")
		s.out.Uint(uint64(q.marks.highest))
		s.out.Print(")")
	}
	s.out.Print("\r\n")
	return nil
}

const errSaveSort badCommand = "SAVE is for SEARCH"

// parseSorted reads the charset and the search keys of SORT and THREAD.
func (s *session) parseSorted(p *wire.Parser) *query {
	p.SP()
	charset := string(p.AString())
	if s.enabled.utf8 && p.Err() == nil && !strings.EqualFold(charset, "UTF-8") {
		p.Fail(errOnlyUTF8)
	}
	p.SP()
	return s.parseProgram(p, charset)
}

// roughly finds the messages that match, and if only sets decide perhaps some that are no
// longer there: each leaves those out.
func (q *query) roughly() (mailparts.UIDSet, error) {
	if uids, exact := q.root.bounds(q.box.view.uids); exact {
		return uids, nil
	}
	return q.run()
}

// each takes messages one by one, with what is derived of them if it is wanted.
func (q *query) each(uids mailparts.UIDSet, want mailparts.Field, take func(*query)) error {
	if len(uids) == 0 {
		return nil
	}
	a := ahead{
		q:    q,
		look: func(q *query) (verdict, error) { return yes, q.derive() },
		take: func(q *query, _ verdict) error { take(q); return nil },
	}
	if want&mailparts.WantDerived == 0 {
		a.look = func(*query) (verdict, error) { return yes, nil }
	}
	defer a.close()
	for m, err := range q.box.mb.Messages(q.ctx, uids, mailparts.Query{Want: want}) {
		if err != nil {
			return err
		}
		q.begin(&m)
		if err := a.add(want&mailparts.WantDerived == 0 || q.derived.have(&q.message)); err != nil {
			return err
		}
	}
	err := a.drain()
	q.cache.flush(q.session)
	return err
}

// sentOrReceived is when the message was sent, by its header or else by its arrival (RFC 5256
// section 2.2).
func (q *query) sentOrReceived() int64 {
	if unix, ok := q.derived.view.Sent(); ok {
		return unix
	}
	return q.message.Received.Unix()
}
