package imap

import (
	"time"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

const errCompressed badCommand = "Not available in a compressed session"

// mayUnauthenticate says that UNAUTHENTICATE is offered: not below a compression layer,
// which it would have to end at the very octet where the client ends its own.
func (s *session) mayUnauthenticate() bool { return !s.compressed }

// unauthenticate is UNAUTHENTICATE (RFC 8437): all that is left of the session is TLS and
// what counts failures.
func (s *session) unauthenticate(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	if !s.mayUnauthenticate() {
		return errCompressed
	}
	s.log.Info("logged out", "user", s.user)
	s.box, s.store, s.user, s.state = nil, nil, "", notAuthenticated
	s.enabled, s.out.UTF8 = enabled{}, false
	s.in.Limits.Literals, s.in.Limits.Message = maxLiteralsBefore, 0
	s.began, s.identified = time.Now(), false
	s.showCapabilities = true
	return nil
}
