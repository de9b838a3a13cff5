package smtp

import (
	"errors"

	"github.com/mailparts/mailparts"
)

// admit asks Server.Admit about the peer as it is to be known from now on.
func (s *session) admit(p *mailparts.Peer) error {
	if s.Admit == nil {
		return nil
	}
	return s.Admit(s.ctx, p)
}

// welcome asks it before the greeting, and refuses the peer instead.
func (s *session) welcome() bool {
	err := s.admit(s.peer)
	if err != nil {
		s.bar(err)
	}
	return err == nil
}

// bar refuses the peer in place of a greeting, and then waits for its QUIT (RFC
// 5321 section 3.1). What is no reply to a connection is made one: of 5yz there
// are 554 and 521 (RFC 7504 section 3), and an unknown error ends the connection,
// so that the peer tries again later, or elsewhere.
func (s *session) bar(err error) {
	e := *mailparts.AsError(err)
	switch known, ok := errors.AsType[*mailparts.Error](err); {
	case !ok || !isRefusal(known):
		e = *mailparts.AsError(errors.New("not a refusal"))
		e.Code, e.Err = 421, err
	case !e.Temporary() && e.Code != 521:
		e.Code = 554
	}
	s.refuse("", &e)
	if s.barred = errBarred; e.Temporary() {
		// 503 would tell a peer that has not listened that its mail is refused for good.
		e.Err = nil // which is logged
		s.barred = &e
	}
}

// barSilently refuses the peer after a handshake, which no reply can follow: the
// next command has it, and every other but QUIT. Only the 421 that ends the
// connection needs no command (RFC 5321 section 3.8).
func (s *session) barSilently(err error) {
	e := *mailparts.AsError(err)
	if e.Code == 421 {
		s.refuse("STARTTLS", &e)
		return
	}
	e = *s.failure("STARTTLS", err)
	e.Err = nil // which is logged
	s.barred = &e
}
