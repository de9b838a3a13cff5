package smtp

import (
	"log/slog"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
)

// data is RFC 5321 section 4.1.1.4.
func data(s *session, _ string) error {
	if err := s.mayBegin(); err != nil {
		return err
	}
	if s.tx.env.Body == "BINARYMIME" {
		return errBinaryData // RFC 3030 section 3; RSET is what remains
	}
	defer s.reset() // whatever comes of it, the transaction is over
	d := &dotted{DotReader: *line.NewDotReader(s.in), s: s}
	d.Normalize = s.NormalizeLines
	m := newMessage(s, "DATA", d)
	err := s.deliver(m)
	if !m.begun && s.rejects(err) {
		s.refuseCommand("DATA", overall(err, len(s.tx.given))) // now, while the log has the transaction
		return nil
	}
	return s.conclude(m, err)
}

// mayBegin refuses a message out of order.
func (s *session) mayBegin() error {
	switch {
	case s.tx == nil:
		return errMailFirst
	case len(s.tx.given) == 0 && s.LMTP:
		return errNoRcptsLMTP
	case len(s.tx.given) == 0:
		return errNoRcpts
	}
	return nil
}

// dotted is the source of a message that comes by DATA.
type dotted struct {
	line.DotReader
	s *session
}

// begin tells the peer to go ahead.
func (d *dotted) begin() error {
	d.s.conn.Rolling(d.s.dataTimeout)
	d.s.out.plain(354, "End data with <CR><LF>.<CR><LF>")
	return d.s.out.flush()
}

// drop answers nothing: there is one answer, at the end.
func (d *dotted) drop(_ error, max int64) error { return d.Discard(max) }

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
	if refused := m.refusal(); refused != nil {
		err = refused
	}
	var refused error
	if s.rejects(err) {
		refused = overall(err, len(s.tx.given))
	}
	switch lost := m.finish(refused); {
	case lost == nil:
	case lost == line.ErrUnfinished: // what follows is still the message
		s.over = true
		if refused == nil {
			err = errTooBig
		}
	case err == nil:
		s.logger().Error("accepted a message that did not arrive", "err", lost)
		return s.ended(lost)
	default:
		if early {
			s.failure(m.verb, err)
		}
		return s.ended(lost)
	}
	if err == nil && s.log.Enabled(s.ctx, slog.LevelInfo) {
		s.logger().Info("accepted", "from", s.tx.env.From, "recipients", len(s.tx.given), "size", m.size)
	}
	s.answer(m.verb, err)
	return nil
}

// ended is what a command returns whose message did not come to its end.
func (s *session) ended(lost error) error {
	if lost == errAbandoned {
		return nil // the peer has had every answer
	}
	return lostError{lost}
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

// answer is the reply at the end of a message, in LMTP one for each recipient (RFC
// 2033 sections 4.2 and 4.3).
func (s *session) answer(verb string, err error) {
	if !s.LMTP {
		if err := overall(err, len(s.tx.given)); err != nil {
			s.refuse(verb, err)
		} else {
			s.accept(0)
		}
		return
	}
	var worst *mailparts.Error // of all, which are one mistake: 421, or else one for good
	for i := range s.tx.given {
		err := mailparts.RcptError(err, i)
		if err == nil {
			s.accept(i)
			continue
		}
		e := s.failure(verb, err)
		s.out.reply(e.Code, e.Status, e.Message)
		if worst == nil || e.Code == 421 || worst.Code != 421 && worst.Temporary() {
			worst = e
		}
	}
	if worst != nil {
		s.count(verb, worst)
	}
}

// accept answers that recipient i, or with SMTP every recipient, has the message.
func (s *session) accept(i int) {
	s.refused, s.junk, s.tarpit.refusals = 0, 0, 0
	env := s.tx.env
	text := "OK queued as " + env.ID
	if i < len(env.To) {
		if said := s.tx.receipts.of(env.To[i].Addr); said != "" {
			text = "OK " + env.ID + ": " + said
		}
	}
	s.out.reply(250, "2.0.0", text)
}
