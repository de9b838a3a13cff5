package mailparts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// inbox is a Deliverer that keeps what it got.
type inbox struct {
	env *mailparts.Envelope
	msg string
}

func (d *inbox) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	d.env, d.msg = env, string(b)
	return err
}

// send runs a transaction as a server does, and returns the answers: to MAIL, to
// each RCPT, to DATA.
func send(t *testing.T, r mailparts.Receiver, env *mailparts.Envelope, msg string, to ...mailparts.Address) (answers []error) {
	t.Helper()
	tx, err := r.Mail(t.Context(), env)
	answers = append(answers, err)
	if err != nil {
		return answers
	}
	defer tx.Close()
	for _, a := range to {
		rcpt := mailparts.Rcpt{Addr: a}
		err := tx.Rcpt(t.Context(), &rcpt)
		answers = append(answers, err)
		if err == nil {
			env.To = append(env.To, rcpt)
		}
	}
	return append(answers, tx.Data(t.Context(), strings.NewReader(msg)))
}

func wantAnswers(t *testing.T, got []error, want ...error) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the answers are %v, want %v", got, want)
	}
}

// tag is a filter that puts a field before the message and marks the sender.
func tag(s string) mailparts.Filter {
	return mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			e := *env
			e.From += mailparts.Address(s)
			return next.Deliver(ctx, &e, mailparts.Prepend(msg, s+"\r\n"))
		})
	})
}

func TestChainOrder(t *testing.T) {
	var d inbox
	r := mailparts.Chain(mailparts.AsReceiver(&d), tag("A"), tag("B"))
	wantAnswers(t, send(t, r, &mailparts.Envelope{From: "f"}, "m", "a@b"), nil, nil, nil)
	if d.msg != "B\r\nA\r\nm" || d.env.From != "fAB" {
		t.Errorf("delivered %q from %s, want the first filter's work innermost", d.msg, d.env.From)
	}
}

func TestChainOfNothing(t *testing.T) {
	var d inbox
	wantAnswers(t, send(t, mailparts.Chain(mailparts.AsReceiver(&d)), &mailparts.Envelope{}, "m", "a@b", "c@d"), nil, nil, nil, nil)
	if d.msg != "m" || len(d.env.To) != 2 {
		t.Errorf("delivered %q to %v, want m to both", d.msg, d.env.To)
	}
}

func TestOnMail(t *testing.T) {
	no := errors.New("no")
	var d inbox
	inner := 0
	r := mailparts.Chain(mailparts.AsReceiver(&d),
		mailparts.OnMail(func(_ context.Context, env *mailparts.Envelope) error {
			if env.From == "spam@b" {
				return no
			}
			env.Attrs = map[string]string{"seen": "yes"}
			return nil
		}),
		mailparts.OnMail(func(context.Context, *mailparts.Envelope) error { inner++; return nil }))
	wantAnswers(t, send(t, r, &mailparts.Envelope{From: "spam@b"}, "m", "a@b"), no)
	if inner != 0 {
		t.Error("a filter inside one that refused was asked")
	}
	wantAnswers(t, send(t, r, &mailparts.Envelope{From: "ham@b"}, "m", "a@b"), nil, nil, nil)
	if inner != 1 || d.env.Attrs["seen"] != "yes" {
		t.Errorf("the inner filter was asked %d times, the attributes are %v", inner, d.env.Attrs)
	}
}

func TestOnRcpt(t *testing.T) {
	no := errors.New("no")
	var d inbox
	var seen []string
	r := mailparts.Chain(mailparts.AsReceiver(&d),
		mailparts.OnRcpt(func(_ context.Context, env *mailparts.Envelope, to *mailparts.Rcpt) error {
			seen = append(seen, fmt.Sprintf("%s after %d", to.Addr, len(env.To)))
			if to.Addr == "x@y" {
				return no
			}
			to.Addr = "new-" + to.Addr
			return nil
		}),
		mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
			to.Addr += ".example"
			return nil
		}))
	wantAnswers(t, send(t, r, &mailparts.Envelope{}, "m", "a@y", "x@y", "b@y"), nil, nil, no, nil, nil)
	if want := []string{"a@y after 0", "x@y after 1", "b@y after 1"}; !slices.Equal(seen, want) {
		t.Errorf("the filter saw %q, want %q", seen, want)
	}
	if len(d.env.To) != 2 || d.env.To[0].Addr != "new-a@y.example" || d.env.To[1].Addr != "new-b@y.example" {
		t.Errorf("delivered to %v, want the rewritten two", d.env.To)
	}
}

func TestOnDataMayKeepAMessage(t *testing.T) {
	var d inbox
	dropped := mailparts.OnData(func(mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			_, err := io.Copy(io.Discard, msg)
			return err
		})
	})
	wantAnswers(t, send(t, mailparts.Chain(mailparts.AsReceiver(&d), dropped), &mailparts.Envelope{}, "m", "a@b"), nil, nil, nil)
	if d.env != nil {
		t.Errorf("a message that a filter kept was delivered: %q", d.msg)
	}
}

// TestOnDataEnvelope: the stages inside see the envelope that a filter passes
// on, those outside keep theirs until then.
func TestOnDataEnvelope(t *testing.T) {
	var d inbox
	var outer, inner mailparts.Address
	look := func(at *mailparts.Address) mailparts.Filter {
		return mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
			return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
				*at = env.From
				return next.Deliver(ctx, env, msg)
			})
		})
	}
	r := mailparts.Chain(mailparts.AsReceiver(&d), look(&outer), tag("+"), look(&inner))
	wantAnswers(t, send(t, r, &mailparts.Envelope{From: "f"}, "m", "a@b"), nil, nil, nil)
	if outer != "f" || inner != "f+" || d.env.From != "f+" {
		t.Errorf("outside the sender is %q, inside %q, delivered %q; want f, f+ and f+", outer, inner, d.env.From)
	}
}

// TestCloseReachesTheEnd: the one-stage filters embed the next Transaction, so
// that Close passes through all of them, also without Data.
func TestCloseReachesTheEnd(t *testing.T) {
	end := &closing{}
	nothing := func(context.Context, *mailparts.Envelope, *mailparts.Rcpt) error { return nil }
	r := mailparts.Chain(end, tag("A"), mailparts.OnRcpt(nothing), mailparts.OnMail(func(context.Context, *mailparts.Envelope) error { return nil }))
	tx, err := r.Mail(t.Context(), &mailparts.Envelope{})
	if err != nil {
		t.Fatal(err)
	}
	tx.Close()
	if end.closed != 1 {
		t.Errorf("the last transaction was closed %d times, want once", end.closed)
	}
}

type closing struct {
	mailparts.Transaction
	closed int
}

func (c *closing) Mail(context.Context, *mailparts.Envelope) (mailparts.Transaction, error) {
	return c, nil
}
func (c *closing) Close() { c.closed++ }

// TestErrorOfMailEndsTheChain: a filter makes nothing of a transaction that the
// next stage refused.
func TestErrorOfMailEndsTheChain(t *testing.T) {
	no := errors.New("no")
	refuse := mailparts.OnMail(func(context.Context, *mailparts.Envelope) error { return no })
	nothing := func(context.Context, *mailparts.Envelope, *mailparts.Rcpt) error { return nil }
	r := mailparts.Chain(mailparts.AsReceiver(&inbox{}), tag("A"), mailparts.OnRcpt(nothing), refuse)
	tx, err := r.Mail(t.Context(), &mailparts.Envelope{})
	if tx != nil || err != no {
		t.Errorf("Mail gives %v, %v, want nothing and the refusal", tx, err)
	}
}

// both is a Deliverer that is a Receiver too.
type both struct {
	inbox
	mails int
}

func (b *both) Mail(_ context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	b.mails++
	return mailparts.AsReceiver(&b.inbox).Mail(context.Background(), env)
}

func TestAsReceiverOfReceiver(t *testing.T) {
	var b both
	wantAnswers(t, send(t, mailparts.AsReceiver(&b), &mailparts.Envelope{}, "m", "a@b"), nil, nil, nil)
	if b.mails != 1 || b.msg != "m" {
		t.Errorf("its own Mail was called %d times, it got %q; want once, and the message", b.mails, b.msg)
	}
}
