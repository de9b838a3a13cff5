package smtp

import (
	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
)

// data is RFC 5321 section 4.1.1.4.
func data(s *session, _ string) error {
	switch {
	case s.tx == nil:
		return errMailFirst
	case len(s.tx.given) == 0 && s.LMTP:
		return errNoRcptsLMTP
	case len(s.tx.given) == 0:
		return errNoRcpts
	}
	defer s.reset() // whatever comes of it, the transaction is over
	m := newMessage(s)
	err := s.deliver(m)
	if !m.asked && s.rejects(err) {
		s.refuseCommand("DATA", overall(err, len(s.tx.given))) // now, while the log has the transaction
		return nil
	}
	return s.conclude(m, err)
}

// deliver runs Data. When that is over, be it by a panic, no goroutine that it
// left behind reads on.
func (s *session) deliver(m *message) error {
	defer m.retire()
	return s.tx.Data(mailparts.WithReceipts(s.ctx, s.tx.receipts.add), m)
}

// conclude reads a message to its end and answers with err, which is what Data
// made of it.
func (s *session) conclude(m *message, err error) error {
	early := m.err == nil // Data had its reasons, of which a lost connection is none
	switch lost := m.finish(); {
	case lost == nil:
	case lost == line.ErrUnfinished: // what follows is still the message
		s.over = true
		if !s.rejects(err) {
			err = errTooBig
		}
	case err == nil:
		s.logger().Error("accepted a message that did not arrive", "err", lost)
		return lostError{lost}
	default:
		if early {
			s.failure("DATA", err)
		}
		return lostError{lost}
	}
	if refused := m.refusal(); refused != nil {
		err = refused
	}
	if err == nil {
		s.logger().Info("accepted", "from", s.tx.env.From, "recipients", len(s.tx.given), "size", m.size)
	}
	s.answer(err)
	return nil
}

// rejects reports whether err leaves no recipient that took the message.
func (s *session) rejects(err error) bool {
	for i := range s.tx.given {
		if mailparts.RcptError(err, i) == nil {
			return false
		}
	}
	return true
}

// answer is the reply at the end of data, in LMTP one for each recipient (RFC 2033
// section 4.2).
func (s *session) answer(err error) {
	if !s.LMTP {
		if err := overall(err, len(s.tx.given)); err != nil {
			s.refuse("DATA", err)
		} else {
			s.accept(0)
		}
		return
	}
	var last *mailparts.Error
	for i := range s.tx.given {
		if err := mailparts.RcptError(err, i); err != nil {
			last = s.failure("DATA", err)
			s.out.reply(last.Code, last.Status, last.Message)
		} else {
			s.accept(i)
		}
	}
	if last != nil {
		s.count("DATA", last)
	}
}

// accept answers that recipient i, or with SMTP every recipient, has the message.
func (s *session) accept(i int) {
	s.refused = 0
	env := s.tx.env
	text := "OK queued as " + env.ID
	if i < len(env.To) {
		if said := s.tx.receipts.of(env.To[i].Addr); said != "" {
			text = "OK " + env.ID + ": " + said
		}
	}
	s.out.reply(250, "2.0.0", text)
}
