package lmtp

import (
	"context"
	"io"

	"github.com/mailparts/mailparts"
)

var _ mailparts.Receiver = (*Local)(nil)

// Mail implements mailparts.Receiver, for a Server with nothing but a Local behind
// it: RCPT is refused for whom Deliver would not find either.
func (l *Local) Mail(_ context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	return &transaction{l, env}, nil
}

// transaction is a message on its way into the mailboxes.
type transaction struct {
	local *Local
	env   *mailparts.Envelope
}

func (t *transaction) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	_, err := t.local.find(ctx, to.Addr)
	return outcome(err)
}

func (t *transaction) Data(ctx context.Context, msg io.Reader) error {
	return t.local.Deliver(ctx, t.env, msg)
}

func (t *transaction) Close() {}
