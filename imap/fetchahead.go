package imap

import (
	"slices"

	"github.com/mailparts/mailparts"
)

// readAhead returns what has messages answered for in their order, and what finishes it.
// Where all that is read of them is a scan, they are scanned several at a time.
func (f *fetching) readAhead(answer func(*mailparts.Message) error) (next func(*mailparts.Message) error, finish func() error) {
	octets := slices.ContainsFunc(f.items, func(it fetchItem) bool { return it.section != nil && !it.section.isCommon() })
	if octets || !f.needsTree && !(f.common && f.keeps) {
		return answer, func() error { return nil }
	}
	unscanned := func(m *mailparts.Message) bool { return len(m.Derived) == 0 && f.scans(m) }
	a := &ahead{
		q: &query{session: f.session, answers: true},
		look: func(q *query) (verdict, error) {
			if !unscanned(&q.message) {
				return yes, nil
			}
			defer q.body.close()
			return yes, q.derive()
		},
		take: func(q *query, _ verdict) error {
			if q.derived.fresh != nil {
				q.message.Derived = q.derived.fresh
			}
			return answer(&q.message)
		},
		gone: func() { f.missing = true },
	}
	next = func(m *mailparts.Message) error {
		a.q.begin(m)
		return a.add(!unscanned(m))
	}
	finish = func() error {
		err := a.drain()
		a.q.cache.flush(f.session)
		return err
	}
	return next, finish
}
