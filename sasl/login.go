package sasl

import (
	"context"

	gosasl "github.com/emersion/go-sasl"
)

func loginMechanism(a Authenticator) Mechanism {
	return Mechanism{Name: gosasl.Login, Plaintext: true, New: func(ctx context.Context, c *Conn) Exchange {
		l := &login{ctx: ctx, auth: a, conn: c}
		l.dialogue = begin("Username:", l.name)
		return l
	}}
}

// login is draft-murchison-sasl-login-00: obsolete, and all that some clients
// speak. The draft's own prompts are "User Name" and "Password"; clients look for
// those that servers really send. The user name may come as an initial response,
// as go-sasl's client and others send it.
type login struct {
	dialogue
	ctx   context.Context
	auth  Authenticator
	conn  *Conn
	given string // the user name, as the client sent it
}

func (l *login) name(message []byte) (challenge []byte, next step, err error) {
	if len(message) == 0 {
		return nil, nil, malformed("empty user name")
	}
	l.given = string(message)
	return []byte("Password:"), l.password, nil
}

func (l *login) password(message []byte) (challenge []byte, next step, err error) {
	l.user, err = CheckPassword(l.ctx, l.auth, Credentials{
		Mechanism: gosasl.Login,
		User:      l.given,
		Password:  string(message),
		Conn:      l.conn,
	})
	return nil, nil, err
}
