package pop3

import (
	"errors"

	"github.com/mailparts/mailparts/sasl"
)

var errNoBackend = errors.New("pop3: Server.Backend is nil")

// enter opens the maildrop of a user who is proved, and begins TRANSACTION.
func (s *session) enter(user, mechanism string) error {
	s.account = user
	if s.srv.Backend == nil {
		return errNoBackend
	}
	store, err := s.srv.Backend.Open(s.ctx, user)
	if err != nil {
		return err
	}
	mb, err := store.Mailbox(s.ctx, "INBOX")
	if err != nil {
		return err
	}
	unlock, err := s.lock(user, mb)
	if err != nil {
		return err
	}
	s.unlock = unlock // at once: release must know it, whatever happens next
	if s.drop, err = openMaildrop(s.ctx, mb); err != nil {
		s.release()
		return err
	}
	s.state = transaction
	s.log.Info("logged in", "user", user, "mechanism", mechanism, "tls", s.conn.TLS() != nil, "messages", s.drop.count)
	s.out.print("+OK The maildrop has ")
	s.totals()
	return nil
}

// mayShowPassword reports whether the connection is fit for it (RFC 8314 section 4.1).
func (s *session) mayShowPassword() bool {
	return s.srv.AllowInsecureAuth || s.conn.TLS() != nil
}

// saslConn is what an Authenticator sees of the connection.
func (s *session) saslConn() *sasl.Conn {
	return &sasl.Conn{Protocol: "pop3", Remote: s.conn.Remote(), TLS: s.conn.TLS()}
}
