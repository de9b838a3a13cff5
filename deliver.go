package mailparts

import (
	"context"
	"io"
)

// Deliverer takes responsibility for a message: queue.Queue, lmtp.Local,
// lmtp.Client, smtp.Relay, a user's function.
//
// Deliver returns nil when every recipient in env is on stable storage or with
// the next hop, RcptErrors when that differs by recipient, any other error when
// none was taken. It may commit only after msg has returned io.EOF: another read
// error means that there is no message, and leaves nothing behind. After io.EOF
// the peer's going away no longer cancels ctx; only a forced stop does.
type Deliverer interface {
	Deliver(ctx context.Context, env *Envelope, msg io.Reader) error
}

// DelivererFunc is a function as a Deliverer.
type DelivererFunc func(ctx context.Context, env *Envelope, msg io.Reader) error

// Deliver calls f.
func (f DelivererFunc) Deliver(ctx context.Context, env *Envelope, msg io.Reader) error {
	return f(ctx, env, msg)
}

// Receipt is what the far side said to a recipient that it took.
type Receipt struct {
	Host, Reply string
	TLS         string // "TLS1.3 verified", "" for none
	DSN         bool   // the far side owes the success notification now
	By          bool   // the far side watches Envelope.By now
}

// WithReceipts asks the Deliverers below ctx for receipts, as net/http/httptrace
// does for connections. The queue makes "relayed" DSNs and events of them,
// smtp.Server the text of its own 250.
func WithReceipts(ctx context.Context, f func(Rcpt, Receipt)) context.Context {
	return context.WithValue(ctx, receiptsKey{}, f)
}

// Report hands a receipt to whoever asked for it.
func Report(ctx context.Context, to Rcpt, r Receipt) {
	if f, ok := ctx.Value(receiptsKey{}).(func(Rcpt, Receipt)); ok {
		f(to, r)
	}
}

type receiptsKey struct{}
