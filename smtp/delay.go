package smtp

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// holdGreeting waits for BannerDelay, for the peer to break the first rule of RFC
// 5321 section 3.1 if it is a program that does not listen: errEarlyTalker. Where
// TLS comes first its handshake is over, and no part of what is waited for.
func (s *session) holdGreeting() error {
	if s.BannerDelay <= 0 || s.Receiver == nil {
		return nil
	}
	s.conn.Within(s.BannerDelay)
	s.conn.Idle(true)
	early := make([]byte, 1)
	n, err := s.conn.Read(early)
	s.conn.Idle(false)
	switch {
	case n > 0: // it is read again: it may have been a QUIT
		s.in.Reset(io.MultiReader(bytes.NewReader(early), s))
		return errEarlyTalker
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	}
	return err
}

// tarpit is what slows down a peer that is refused again and again.
type tarpit struct {
	refusals int  // since the last accepted message
	late     bool // the last of them is to wait, and all that is held back with it
}

// patience is how many refusals come without ErrorDelay.
const patience = 3

// count counts a reply that refuses.
func (t *tarpit) count() {
	t.refusals++
	t.late = t.late || t.refusals > patience
}

// Write is where out's replies go: those that refuse may have to wait.
func (s *session) Write(p []byte) (int, error) {
	if s.tarpit.late {
		s.tarpit.late = false
		if s.ErrorDelay > 0 {
			s.conn.Pause(s.ctx, s.ErrorDelay)
		}
	}
	return s.conn.Write(p)
}
