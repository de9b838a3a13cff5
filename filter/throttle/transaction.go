package throttle

import (
	"context"

	"github.com/mailparts/mailparts"
)

var (
	errMessages = &mailparts.Error{Code: 450, Status: "4.7.1", Message: "Too many messages, try again later"}
	errRcpts    = &mailparts.Error{Code: 452, Status: "4.5.3", Message: "Too many recipients, try again later"}
	errFailed   = &mailparts.Error{Code: 421, Status: "4.7.0", Message: "Too many unknown recipients, try again later"}
)

// Mail is for mailparts.OnMail: it counts messages, each when it is begun.
func (l *Limiter) Mail(_ context.Context, env *mailparts.Envelope) error {
	if l.Take(l.key(env.Peer), 1) {
		return nil
	}
	return errMessages
}

// Rcpt is for mailparts.OnRcpt: it counts recipients. A client may send to those
// that were accepted before one is refused (RFC 5321 section 4.5.3.1.10).
func (l *Limiter) Rcpt(_ context.Context, env *mailparts.Envelope, _ *mailparts.Rcpt) error {
	if l.Take(l.key(env.Peer), 1) {
		return nil
	}
	return errRcpts
}

// FailedRcpts is a mailparts.Filter against those who guess addresses: it counts
// the recipients that next refuses for good. Who had too many gets no answer to
// the next RCPT, but 421, which ends the connection.
func (l *Limiter) FailedRcpts(next mailparts.Receiver) mailparts.Receiver {
	return failedFilter{next, l}
}

type failedFilter struct {
	mailparts.Receiver
	l *Limiter
}

func (f failedFilter) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	tx, err := f.Receiver.Mail(ctx, env)
	if err != nil {
		return nil, err
	}
	return failedTransaction{tx, f.l, f.l.key(env.Peer)}, nil
}

type failedTransaction struct {
	mailparts.Transaction
	l   *Limiter
	key Key
}

func (t failedTransaction) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	if t.l.full(t.key) {
		return errFailed
	}
	err := t.Transaction.Rcpt(ctx, to)
	if err != nil && !mailparts.AsError(err).Temporary() {
		t.l.Take(t.key, 1)
	}
	return err
}
