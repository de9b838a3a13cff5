package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// onData is a filter of whole messages.
func onData(f func(ctx context.Context, env *mailparts.Envelope, msg io.Reader, next mailparts.Deliverer) error) mailparts.Filter {
	return mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			return f(ctx, env, msg, next)
		})
	})
}

const proxiedLetter = `
	C: MAIL FROM:<a@example.org>
	S: 250 2.1.0 OK
	C: RCPT TO:<b@example.com>
	S: 250 2.1.5 OK
	C: DATA\r\nhello\r\n.
	S: 354 ...
`

// The next hop gets the envelope that a filter made, and not the one before it.
func TestProxyChangedEnvelope(t *testing.T) {
	b := new(inbox)
	p, _ := nextHop(t, &smtp.Server{Receiver: b})
	list := onData(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader, next mailparts.Deliverer) error {
		changed := *env
		changed.From = "bounces@example.com"
		changed.To = []mailparts.Rcpt{{Addr: "c@example.com"}, {Addr: "d@example.com"}}
		return next.Deliver(ctx, &changed, msg)
	})
	play(t, &smtp.Server{Receiver: mailparts.Chain(p, list)}, "G: EHLO"+proxiedLetter+"S: 250 2.0.0 OK ...")
	env := b.only(t).env
	if env.From != "bounces@example.com" || len(env.To) != 2 || env.To[0].Addr != "c@example.com" || env.To[1].Addr != "d@example.com" {
		t.Errorf("the next hop got mail from %s to %v", env.From, env.To)
	}
}

// A filter that panics in the middle of a message leaves no connection on which
// the next transaction would be content.
func TestProxyPanicInMessage(t *testing.T) {
	for _, noChunking := range []bool{false, true} {
		b := new(inbox)
		p, conns := nextHop(t, &smtp.Server{Receiver: b})
		p.Dialer.NoChunking = noChunking
		panics := true
		filter := onData(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader, next mailparts.Deliverer) error {
			if panics {
				panics = false
				msg = io.MultiReader(io.LimitReader(msg, 10), panicReader{})
			}
			return next.Deliver(ctx, env, msg)
		})
		s := &smtp.Server{Receiver: mailparts.Chain(p, filter)}
		play(t, s, "G: EHLO"+proxiedLetter+"S: 421 ...")
		play(t, s, "G: EHLO"+proxiedLetter+"S: 250 2.0.0 OK ...")
		if env := b.only(t).env; len(env.To) != 1 || conns.Load() != 2 {
			t.Errorf("%d connections, mail to %v", conns.Load(), env.To)
		}
	}
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("a bug in a filter") }

// The next hop's 421 ends its connection, not the peer's, which goes on.
func TestProxy421(t *testing.T) {
	f := newFake(t, ready()+`
		C: MAIL FROM:<a@example.org>
		S: 250 ok
		C: RCPT TO:<b@example.com>
		S: 421 4.3.2 Going down
	`, ready()+mailDialogue+`
		C: Received: ...
		C: 	by ...
		C: 	for ...
		C: 	...
		C: hello
		C: .
		S: 421 4.3.2 Going down
	`)
	p := &smtp.Proxy{Addr: fakeAddr, Dialer: *f.dialer()}
	play(t, &smtp.Server{Receiver: p}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 451 4.3.2 Going down
		C: RSET
		S: 250 2.0.0 OK
		`+proxiedLetter+`
		S: 451 4.3.2 Going down
		C: NOOP
		S: 250 ...
	`)
}

// A next hop that limits the domains of a session gets a new one for each message.
func TestProxyRCPTDOMAINMAX(t *testing.T) {
	const script = `
		C: MAIL FROM:<a@example.org>
		S: 250 ok
		C: RCPT TO:<%s>
		S: 250 ok
		C!`
	hop := func(to string) string { return ready("LIMITS RCPTDOMAINMAX=1") + strings.Replace(script, "%s", to, 1) }
	f := newFake(t, hop("b@example.com"), hop("b@example.net"))
	p := &smtp.Proxy{Addr: fakeAddr, Dialer: *f.dialer()}
	play(t, &smtp.Server{Receiver: p}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: RSET
		S: 250 2.0.0 OK
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.net>
		S: 250 2.1.5 OK
		C: RSET
		S: 250 2.0.0 OK
	`)
	f.wait()
}
