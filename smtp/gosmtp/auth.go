package gosmtp

import (
	"context"
	"slices"

	gosasl "github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts/sasl"
)

// plaintext are the mechanisms that show the secret.
var plaintext = []string{gosasl.Plain, gosasl.Login, gosasl.OAuthBearer, "XOAUTH2"}

// authMechanisms asks a Session of be what it can verify.
func authMechanisms(be gosmtp.Backend) ([]sasl.Mechanism, error) {
	s, err := be.NewSession(new(gosmtp.Conn))
	if err != nil {
		return nil, err
	}
	defer s.Logout()
	a, ok := s.(gosmtp.AuthSession)
	if !ok {
		return nil, nil
	}
	var mechanisms []sasl.Mechanism
	for _, name := range a.AuthMechanisms() {
		mechanisms = append(mechanisms, sasl.Mechanism{
			Name:      name,
			Plaintext: slices.Contains(plaintext, name),
			New: func(ctx context.Context, _ *sasl.Conn) sasl.Exchange {
				return &exchange{login: loginOf(ctx), name: name}
			},
		})
	}
	return mechanisms, nil
}

// exchange is an Auth of the connection's Session.
type exchange struct {
	login  *login
	name   string
	server gosasl.Server // nil: not begun
}

// Next implements gosasl.Server.
func (x *exchange) Next(response []byte) (challenge []byte, done bool, err error) {
	err = x.login.do(func(s gosmtp.Session) error {
		if x.server == nil {
			a, ok := s.(gosmtp.AuthSession)
			if !ok {
				return gosmtp.ErrAuthUnsupported
			}
			if x.server, err = a.Auth(x.name); err != nil {
				return err
			}
		}
		challenge, done, err = x.server.Next(response)
		return err
	})
	return challenge, done, convertError(err)
}

// User implements sasl.Exchange.
func (x *exchange) User() string { return User }
