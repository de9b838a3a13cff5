package mailparts

import (
	"context"
	"io"
	"slices"
)

// Receiver takes part in mail transactions command by command. Mail begins one;
// env holds all but To. An error refuses the command that it answers, at every
// stage.
type Receiver interface {
	Mail(ctx context.Context, env *Envelope) (Transaction, error)
}

// Transaction is one message on its way in. Its methods are called one after the
// other, never after Close. To change one stage, embed the next Transaction and
// override that method.
type Transaction interface {
	// Rcpt has its say on a recipient, and may rewrite it; on nil the server
	// appends it to env.To.
	Rcpt(ctx context.Context, to *Rcpt) error
	// Data is called once at most and delivers msg under Deliverer's contract.
	// The server writes 354 at the first Read, as net/http does 100-continue:
	// an error before that refuses the DATA command itself.
	// With BDAT it is called at the first chunk, and an error refuses that; the
	// chunks to come, and what the peer says between them, are read inside Read.
	Data(ctx context.Context, msg io.Reader) error
	// Close is called exactly once: after Data, or on RSET, EHLO, QUIT, timeout
	// and disconnect.
	Close()
}

// AsReceiver accepts every sender and recipient for d; a d that is a Receiver too
// is used as such.
func AsReceiver(d Deliverer) Receiver {
	if r, ok := d.(Receiver); ok {
		return r
	}
	return receiver{d}
}

// Filter is middleware: it wraps the next Receiver, and so may refuse, rewrite,
// hold, redirect or drop at any stage.
type Filter func(next Receiver) Receiver

// Chain puts filters before r, the first outermost: it sees each command first
// and the message before any change.
func Chain(r Receiver, filters ...Filter) Receiver {
	for _, f := range slices.Backward(filters) {
		r = f(r)
	}
	return r
}

// OnMail filters at MAIL: an error of check refuses the sender.
func OnMail(check func(ctx context.Context, env *Envelope) error) Filter {
	return func(next Receiver) Receiver { return mailFilter{next, check} }
}

// OnRcpt filters at RCPT: check may rewrite to, and an error refuses it.
func OnRcpt(check func(ctx context.Context, env *Envelope, to *Rcpt) error) Filter {
	return func(next Receiver) Receiver { return rcptFilter{next, check} }
}

// OnData filters whole messages: wrap's Deliverer may pass on another env or msg,
// or not pass it on at all. It runs once per message.
func OnData(wrap func(next Deliverer) Deliverer) Filter {
	return func(next Receiver) Receiver { return dataFilter{next, wrap} }
}

type receiver struct{ d Deliverer }

func (r receiver) Mail(_ context.Context, env *Envelope) (Transaction, error) {
	return &delivery{r.d, env}, nil
}

// delivery is the last Transaction of a chain.
type delivery struct {
	d   Deliverer
	env *Envelope
}

func (t *delivery) Rcpt(context.Context, *Rcpt) error { return nil }
func (t *delivery) Data(ctx context.Context, msg io.Reader) error {
	return t.d.Deliver(ctx, t.env, msg)
}
func (t *delivery) Close() {}

type mailFilter struct {
	Receiver
	check func(context.Context, *Envelope) error
}

func (f mailFilter) Mail(ctx context.Context, env *Envelope) (Transaction, error) {
	if err := f.check(ctx, env); err != nil {
		return nil, err
	}
	return f.Receiver.Mail(ctx, env)
}

type rcptFilter struct {
	Receiver
	check func(context.Context, *Envelope, *Rcpt) error
}

func (f rcptFilter) Mail(ctx context.Context, env *Envelope) (Transaction, error) {
	tx, err := f.Receiver.Mail(ctx, env)
	if err != nil {
		return nil, err
	}
	return rcptTransaction{tx, env, f.check}, nil
}

type rcptTransaction struct {
	Transaction
	env   *Envelope
	check func(context.Context, *Envelope, *Rcpt) error
}

func (t rcptTransaction) Rcpt(ctx context.Context, to *Rcpt) error {
	if err := t.check(ctx, t.env, to); err != nil {
		return err
	}
	return t.Transaction.Rcpt(ctx, to)
}

type dataFilter struct {
	Receiver
	wrap func(Deliverer) Deliverer
}

func (f dataFilter) Mail(ctx context.Context, env *Envelope) (Transaction, error) {
	tx, err := f.Receiver.Mail(ctx, env)
	if err != nil {
		return nil, err
	}
	return dataTransaction{tx, env, f.wrap}, nil
}

type dataTransaction struct {
	Transaction
	env  *Envelope
	wrap func(Deliverer) Deliverer
}

// Data lets the inner stages see a changed envelope: all of them hold t.env.
func (t dataTransaction) Data(ctx context.Context, msg io.Reader) error {
	next := func(ctx context.Context, env *Envelope, msg io.Reader) error {
		*t.env = *env
		return t.Transaction.Data(ctx, msg)
	}
	return t.wrap(DelivererFunc(next)).Deliver(ctx, t.env, msg)
}
