package imap

import (
	"github.com/mailparts/mailparts/imap/internal/thread"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// threader is an algorithm of THREAD (RFC 5256 section 3).
type threader interface {
	Add(*thread.Message)
	Threads() []*thread.Thread
}

// maxExpected bounds what is made ready for messages before they are looked at.
const maxExpected = 200_000

// thread is THREAD and UID THREAD (RFC 5256 section 3).
func (s *session) thread(p *wire.Parser) error {
	p.SP()
	algorithm := p.Word()
	if algorithm != "ORDEREDSUBJECT" && algorithm != "REFERENCES" {
		p.Fail(wire.Error("Unknown threading algorithm"))
	}
	q := s.parseSorted(p)
	if err := p.End(); err != nil {
		return err
	}
	uids, err := q.roughly()
	if err != nil {
		return err
	}
	var t threader = new(thread.Ordered)
	if algorithm == "REFERENCES" {
		t = &thread.References{Expect: int(min(uids.Len(), maxExpected))}
	}
	at := follower{v: &s.box.view}
	err = q.each(uids, wantSent, func(q *query) {
		d := &q.derived.view
		m := thread.Message{
			Number:     uint32(q.message.UID),
			Sent:       q.sentOrReceived(),
			Subject:    d.Subject(),
			ID:         d.MessageID(),
			References: d.References(),
		}
		if !s.byUID {
			m.Number = at.seq(q.message.UID)
		}
		if m.Number != 0 {
			t.Add(&m)
		}
	})
	if err != nil {
		return err
	}
	s.out.Print("* THREAD")
	if threads := t.Threads(); len(threads) > 0 {
		s.out.Print(" ")
		s.tellThreads(threads)
	}
	s.out.Print("\r\n")
	return nil
}

// tellThreads writes a list of threads (RFC 5256 section 4).
func (s *session) tellThreads(threads []*thread.Thread) {
	for _, t := range threads {
		s.out.Print("(")
		if t.Number != 0 {
			s.out.Uint(uint64(t.Number))
		}
		for ; len(t.Replies) == 1; t = t.Replies[0] {
			s.out.Print(" ")
			s.out.Uint(uint64(t.Replies[0].Number))
		}
		if len(t.Replies) > 0 {
			if t.Number != 0 {
				s.out.Print(" ")
			}
			s.tellThreads(t.Replies)
		}
		s.out.Print(")")
	}
}
