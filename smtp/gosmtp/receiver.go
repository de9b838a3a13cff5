package gosmtp

import (
	"context"
	"io"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
)

// receiver is a mailparts.Receiver over the Session of each connection.
type receiver struct{ lmtp bool }

func (r receiver) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	t := &transaction{login: loginOf(ctx), env: env, lmtp: r.lmtp}
	err := t.login.do(func(s gosmtp.Session) error { return s.Mail(string(env.From), mailOptions(env)) })
	if err != nil {
		return nil, convertError(err)
	}
	return t, nil
}

type transaction struct {
	login *login
	env   *mailparts.Envelope
	lmtp  bool
	given []string // recipients as the Session got them
}

func (t *transaction) Rcpt(_ context.Context, to *mailparts.Rcpt) error {
	addr := string(to.Addr)
	err := t.login.do(func(s gosmtp.Session) error { return s.Rcpt(addr, rcptOptions(t.env, to)) })
	if err == nil {
		t.given = append(t.given, addr)
	}
	return convertError(err)
}

func (t *transaction) Data(_ context.Context, msg io.Reader) error {
	return t.login.do(func(s gosmtp.Session) error {
		l, ok := s.(gosmtp.LMTPSession)
		if !t.lmtp || !ok {
			return convertError(s.Data(msg))
		}
		c := newCollector(t.given)
		err := l.LMTPData(msg, c)
		return c.results(err)
	})
}

func (t *transaction) Close() { t.login.reset() }
