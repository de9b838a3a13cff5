package gosmtp

import (
	"context"
	"errors"
	"fmt"
	"net"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// User is the Peer.User of whoever a Session has authenticated.
const User = "(go-smtp session)"

// Configure makes s, which must not serve yet, serve be. It sets s.Receiver, puts
// itself before an Admit and a ConnContext that are there, and sets s.Mechanisms
// if the Sessions can authenticate: it opens one at once to ask it, and logs it
// out. Its error is that Session's.
func Configure(s *smtp.Server, be gosmtp.Backend) error {
	mechanisms, err := authMechanisms(be)
	if err != nil {
		return err
	}
	s.Mechanisms = mechanisms
	s.Receiver = receiver{lmtp: s.LMTP}

	connContext, admit := s.ConnContext, s.Admit
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		l := &login{be: be, log: s.Logger}
		context.AfterFunc(ctx, l.end)
		ctx = context.WithValue(ctx, loginKey{}, l)
		if connContext != nil {
			ctx = connContext(ctx, c)
		}
		return ctx
	}
	s.Admit = func(ctx context.Context, p *mailparts.Peer) error {
		if err := loginOf(ctx).greeted(p); err != nil {
			return convertError(err)
		}
		if admit != nil {
			return admit(ctx, p)
		}
		return nil
	}
	return nil
}

// convertError makes of go-smtp's errors those that smtp.Server tells the peer of.
func convertError(err error) error {
	e, ok := errors.AsType[*gosmtp.SMTPError](err)
	if !ok {
		return err
	}
	return &mailparts.Error{Code: e.Code, Status: status(e.EnhancedCode), Message: e.Message, Err: err}
}

func status(c gosmtp.EnhancedCode) string {
	if c == gosmtp.NoEnhancedCode || c == gosmtp.EnhancedCodeNotSet {
		return "" // the server has one for each code
	}
	return fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
}
