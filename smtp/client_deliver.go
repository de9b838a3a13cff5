package smtp

import (
	"context"
	"io"
	"reflect"

	"github.com/mailparts/mailparts"
)

var _ mailparts.Deliverer = (*Client)(nil)

// Deliver sends msg to all of env.To, pipelined where the server offers it (RFC
// 2920): one write for the envelope, one or more for the message. It may be called
// again and again, and after it Mail.
//
// The result is a Deliverer's: mailparts.RcptErrors where it differs by
// recipient. What env asks for and the server does not offer is in Client's table;
// the size is msg's own if it can seek. Receipts are reported.
//
// It is one transaction. To a server that takes fewer recipients in one (RFC 9422
// section 4.2) it is as many as are needed if msg can seek; if not, those who are
// too many have 452 4.5.3, and likewise those for whom the server has no
// transactions or domains left on this connection: Ready tells beforehand.
func (c *Client) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	return c.transact(ctx, env, msg).err()
}

// clientDelivery is one Deliver.
type clientDelivery struct {
	c     *Client
	env   *mailparts.Envelope
	msg   io.Reader
	needs clientNeeds
	whole error                // not nil: nobody's but the message's
	errs  mailparts.RcptErrors // by env.To
	sent  []bool               // by env.To
}

func (d *clientDelivery) err() error {
	if d.whole != nil {
		return d.whole
	}
	return uniform(d.errs)
}

// rcptError is recipient i's outcome.
func (d *clientDelivery) rcptError(i int) error { return mailparts.RcptError(d.err(), i) }

// begun reports, by recipient, to whom content was sent: nobody knows what became
// of it unless the server said so.
func (d *clientDelivery) begun() []bool { return d.sent }

// fail is the outcome of those of rcpts that have none yet.
func (d *clientDelivery) fail(rcpts []int, err error) {
	for _, i := range rcpts {
		if d.errs[i] == nil {
			d.errs[i] = err
		}
	}
}

func (c *Client) transact(ctx context.Context, env *mailparts.Envelope, msg io.Reader) *clientDelivery {
	d := &clientDelivery{c: c, env: env, msg: msg, errs: make(mailparts.RcptErrors, len(env.To)), sent: make([]bool, len(env.To))}
	if len(env.To) == 0 {
		d.whole = refusal(554, "5.5.1", "No valid recipients")
		return d
	}
	var release func()
	if d.needs, d.whole = c.measure(env, msg); d.whole != nil {
		return d
	}
	if release, d.whole = c.begin(ctx); d.whole != nil {
		return d
	}
	defer release()
	rcpts := make([]int, len(env.To))
	for i := range rcpts {
		rcpts[i] = i
	}
	d.deliver(ctx, rcpts)
	return d
}

// deliver is as many transactions as rcpts need.
func (d *clientDelivery) deliver(ctx context.Context, rcpts []int) {
	for first := true; len(rcpts) > 0; first = false {
		if err := d.mayBegin(first); err != nil {
			d.fail(rcpts, err)
			return
		}
		t := clientTransaction{clientDelivery: d}
		cmds, rest, err := t.commands(rcpts)
		if err != nil {
			d.refuse(first, rcpts, err)
			return
		}
		if len(cmds) == 0 {
			return
		}
		if err := t.run(ctx, cmds); err != nil {
			d.refuse(first, rcpts, err)
			return
		}
		if rcpts = rest; !t.mail { // nor would it be in the next one
			d.fail(rest, d.errs[t.rcpts[0]])
			return
		}
	}
}

// refuse is the outcome of a message that can go to nobody of rcpts, nor to
// anybody if this is the first transaction.
func (d *clientDelivery) refuse(first bool, rcpts []int, err error) {
	if first {
		d.whole = err
		return
	}
	d.fail(rcpts, err)
}

// mayBegin makes the message ready for a transaction, or tells why there is none.
func (d *clientDelivery) mayBegin(first bool) error {
	switch {
	case d.c.err != nil:
		return d.c.err
	case d.c.mailsSpent():
		return errClientMails(d.c.host)
	case first:
		return nil
	case d.needs.again == nil:
		return errClientRcpts(d.c.host)
	}
	return d.needs.rewind()
}

// uniform is what Deliver returns for errs: nil, one error if it is everyone's,
// so that errors.As finds it, or errs.
func uniform(errs mailparts.RcptErrors) error {
	if len(errs) == 0 {
		return nil
	}
	for _, err := range errs[1:] {
		if !sameError(err, errs[0]) {
			return errs
		}
	}
	return errs[0]
}

// sameError compares errors of types that == may panic on: then they are two.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}
