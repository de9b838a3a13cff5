package imap

import (
	"errors"
	"math"

	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/sasl"
)

var (
	errNeedsTLS  = &refusal{"PRIVACYREQUIRED", "TLS is needed first"}
	errNoBackend = errors.New("imap: Server.Backend is nil")
)

// login is LOGIN (RFC 9051 section 6.2.3).
func (s *session) login(p *wire.Parser) error {
	p.SP()
	name := p.AString()
	p.SP()
	password := p.AString()
	if err := p.End(); err != nil {
		return err
	}
	if !s.mayLogIn() {
		return errNeedsTLS
	}
	user, err := sasl.CheckPassword(s.ctx, s.srv.Auth, sasl.Credentials{
		Mechanism: "LOGIN",
		User:      string(name),
		Password:  string(password),
		Conn:      s.saslConn(),
	})
	if err != nil {
		return &failedLogin{"LOGIN", err}
	}
	return s.enter(user, "LOGIN")
}

func (s *session) saslConn() *sasl.Conn {
	return &sasl.Conn{Protocol: "imap", Remote: s.conn.Remote(), TLS: s.conn.TLS()}
}

// enter opens the mail of a user who is proved.
func (s *session) enter(user, mechanism string) error {
	if s.srv.Backend == nil {
		return errNoBackend
	}
	store, err := s.srv.Backend.Open(s.ctx, user)
	if err != nil {
		return err
	}
	s.user, s.store, s.state = user, store, authenticated
	s.probe()
	s.in.Limits.Literals = serve.Limit(s.srv.MaxCommandSize, defaultMaxCommandSize)
	if s.in.Limits.Literals == 0 {
		s.in.Limits.Literals = math.MaxInt64
	}
	s.in.Limits.Message = int64(serve.Limit(s.srv.MaxMessageSize, defaultMaxMessageSize))
	s.log.Info("logged in", "user", user, "mechanism", mechanism, "tls", s.conn.TLS() != nil)
	s.showCapabilities = true
	s.text = "Logged in"
	return nil
}
