package sasl

import (
	"context"
	"strings"

	gosasl "github.com/emersion/go-sasl"
)

func plainMechanism(a Authenticator) Mechanism {
	return Mechanism{Name: gosasl.Plain, Plaintext: true, New: func(ctx context.Context, c *Conn) Exchange {
		p := &plain{ctx: ctx, auth: a, conn: c}
		p.dialogue = begin("", p.message)
		return p
	}}
}

// plain is RFC 4616. go-sasl's server does not tell a malformed message from a
// denial, and has no limits.
type plain struct {
	dialogue
	ctx  context.Context
	auth Authenticator
	conn *Conn
}

// message takes [authzid] NUL authcid NUL passwd (RFC 4616 section 2).
func (p *plain) message(message []byte) (challenge []byte, next step, err error) {
	fields := strings.Split(string(message), "\x00")
	if len(fields) != 3 {
		return nil, nil, malformed("PLAIN has three fields")
	}
	p.user, err = CheckPassword(p.ctx, p.auth, Credentials{
		Mechanism: gosasl.Plain,
		Authzid:   fields[0],
		User:      fields[1],
		Password:  fields[2],
		Conn:      p.conn,
	})
	return nil, nil, err
}
