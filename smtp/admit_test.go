package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// bouncer is an Admit that refuses at one stage, and notes all that it is asked.
type bouncer struct {
	at  string
	err error

	mu    sync.Mutex
	asked []string
}

func (b *bouncer) admit(_ context.Context, p *mailparts.Peer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	stage := "greeting"
	switch {
	case p.User != "":
		stage = "user"
	case p.Hello != "":
		stage = "hello"
	}
	if p.TLS != nil {
		stage += " under TLS"
	}
	b.asked = append(b.asked, stage)
	if stage == b.at {
		return b.err
	}
	return nil
}

func (b *bouncer) want(t *testing.T, asked ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got, want := strings.Join(b.asked, ", "), strings.Join(asked, ", "); got != want {
		t.Errorf("asked at %s, want %s", got, want)
	}
}

var (
	errUnwelcome = &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Not from there"}
	errBusyNow   = &mailparts.Error{Code: 450, Status: "4.7.1", Message: "Not now"}
	errGoAway    = &mailparts.Error{Code: 421, Status: "4.7.0", Message: "Go away"}
)

func TestAdmitIsAskedWhenThePeerIsKnownBetter(t *testing.T) {
	b := new(bouncer)
	play(t, &smtp.Server{Receiver: new(inbox), Admit: b.admit, TLSConfig: testTLS(), Auth: users{}}, `
		G: HELO
		G: EHLO
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		G: EHLO
		C: AUTH PLAIN `+b64("\x00user\x00wrong")+`
		S: 535 5.7.8 Authentication credentials invalid
		C: AUTH PLAIN `+b64("\x00user\x00secret")+`
		S: 235 2.7.0 Authentication successful
		`+toMessage+`
		C: RSET
		S: 250 2.0.0 OK
	`)
	b.want(t, "greeting", "hello", "hello", "greeting under TLS", "hello under TLS", "user under TLS")
}

func TestAdmitSeesThePeer(t *testing.T) {
	var peers []mailparts.Peer
	s := &smtp.Server{Receiver: new(inbox), LMTP: true, Admit: func(_ context.Context, p *mailparts.Peer) error {
		peers = append(peers, *p)
		return nil
	}}
	play(t, s, "G: LHLO\nC: QUIT\nS: 221 ...\nS!")
	if len(peers) != 2 || peers[0].Hello != "" || peers[1].Hello != "client.example.org" {
		t.Fatalf("asked about %+v", peers)
	}
	for _, p := range peers {
		if p.Addr.Addr().String() != "127.0.0.1" || p.Local.String() != "127.0.0.1:25" || p.Protocol != "LMTP" && p.Hello != "" {
			t.Errorf("asked about %+v", p)
		}
	}
}

// RFC 5321 section 3.1.
func TestAdmitRefusesAtTheGreeting(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		script string
	}{
		{"for good", errUnwelcome, `
			S: 554 5.7.1 Not from there
			C: EHLO client.example.org
			S: 503 You are not welcome here: QUIT
			C: MAIL FROM:<a@example.org>
			S: 503 5.5.1 You are not welcome here: QUIT
			C: NONSENSE
			S: 503 5.5.1 You are not welcome here: QUIT
			C: QUIT
			S: 221 2.0.0 mx.example.com closing the connection
			S!`},
		{"for good, wrapped", fmt.Errorf("list: %w", errUnwelcome), "S: 554 5.7.1 Not from there"},
		{"by 521", &mailparts.Error{Code: 521, Status: "5.3.2", Message: "No mail\nfor you"}, `
			S: 521-5.3.2 No mail
			S: 521 5.3.2 for you
			C: NOOP
			S: 503 5.5.1 You are not welcome here: QUIT`},
		{"for now", errBusyNow, `
			S: 450 4.7.1 Not now
			# 503 would be for good
			C: EHLO client.example.org
			S: 450 Not now
			C: MAIL FROM:<a@example.org>
			S: 450 4.7.1 Not now
			C: QUIT
			S: 221 2.0.0 mx.example.com closing the connection
			S!`},
		{"by 421", errGoAway, `
			S: 421 4.7.0 Go away
			S!`},
		{"for an unknown reason", errors.New("secret"), `
			S: 421 4.3.0 Temporary failure, please try again later
			S!`},
		{"with what is no refusal", &mailparts.Error{Code: 250, Message: "secret"}, `
			S: 421 4.3.0 Temporary failure, please try again later
			S!`},
		{"too often", errUnwelcome, `
			S: 554 5.7.1 Not from there
			C: NOOP\r\nNOOP\r\nNOOP\r\nNOOP
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 503 5.5.1 You are not welcome here: QUIT
			S: 421 4.7.0 Too many errors, closing the connection
			S!`},
		{"too often for now", errBusyNow, `
			S: 450 4.7.1 Not now
			C: NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP
			S: 450 4.7.1 Not now
			S: 450 4.7.1 Not now
			S: 450 4.7.1 Not now
			S: 450 4.7.1 Not now
			S: 450 4.7.1 Not now
			S: 421 4.7.0 Too many errors, closing the connection
			S!`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bouncer{at: "greeting", err: test.err}
			play(t, &smtp.Server{Receiver: new(inbox), Admit: b.admit, MaxErrors: 5, TLSConfig: testTLS()}, test.script)
			b.want(t, "greeting")
		})
	}
}

// What EHLO does not get, it does not change (RFC 5321 section 4.1.4).
func TestAdmitRefusesHello(t *testing.T) {
	for _, hello := range []string{"EHLO", "HELO", "LHLO"} {
		b := new(inbox)
		bad := func(_ context.Context, p *mailparts.Peer) error {
			switch p.Hello {
			case "bad.example.org":
				return errUnwelcome
			case "broken.example.org":
				return errors.New("secret")
			case "evil.example.org":
				return errGoAway
			}
			return nil
		}
		play(t, &smtp.Server{Receiver: b, Admit: bad, LMTP: hello == "LHLO"}, strings.ReplaceAll(`
			S: 220 ...
			C: EHLO bad.example.org
			S: 550 Not from there
			C: MAIL FROM:<a@example.org>
			S: 503 5.5.1 Greet first
			G: EHLO
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: EHLO broken.example.org
			S: 451 Temporary failure, please try again later
			C: RCPT TO:<b@example.com>\r\nDATA\r\n.
			S: 250 2.1.5 OK
			S: 354 ...
			S: 250 2.0.0 OK queued as ID
			C: EHLO evil.example.org
			S: 421 Go away
			S!`, "EHLO", hello))
		if p := b.only(t).env.Peer; p.Hello != "client.example.org" {
			t.Errorf("peer %+v", p)
		}
	}
}

// After HELO a refused EHLO offers nothing.
func TestRefusedEHLOOffersNothing(t *testing.T) {
	bad := func(_ context.Context, p *mailparts.Peer) error {
		if p.Hello == "bad.example.org" {
			return errUnwelcome
		}
		return nil
	}
	play(t, &smtp.Server{Receiver: new(inbox), Admit: bad}, `
		G: HELO
		C: EHLO bad.example.org
		S: 550 Not from there
		C: MAIL FROM:<a@example.org> SIZE=10
		S: 555 5.5.4 Unknown parameter
	`)
}

// After the handshake no reply is due: the next command has it.
func TestAdmitRefusesAfterSTARTTLS(t *testing.T) {
	for _, test := range []struct {
		name   string
		err    error
		script string
	}{
		{"for good", errUnwelcome, `
			C: EHLO client.example.org
			S: 550 Not from there
			C: MAIL FROM:<a@example.org>
			S: 550 5.7.1 Not from there
			C: QUIT
			S: 221 2.0.0 mx.example.com closing the connection
			S!`},
		{"at once QUIT", errUnwelcome, `
			C: QUIT
			S: 221 2.0.0 mx.example.com closing the connection
			S!`},
		{"for an unknown reason", errors.New("secret"), `
			C: NOOP
			S: 451 4.3.0 Temporary failure, please try again later
			C: NOOP
			S: 451 4.3.0 Temporary failure, please try again later`},
		{"by 421", errGoAway, `
			S: 421 4.7.0 Go away
			S!`},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bouncer{at: "greeting under TLS", err: test.err}
			play(t, &smtp.Server{Receiver: new(inbox), Admit: b.admit, TLSConfig: testTLS()}, `
				G: EHLO
				C: STARTTLS
				S: 220 2.0.0 Ready to start TLS
				T:
				`+test.script)
			b.want(t, "greeting", "hello", "greeting under TLS")
		})
	}
}

func TestAdmitRefusesUnderImplicitTLS(t *testing.T) {
	b := &bouncer{at: "greeting under TLS", err: errUnwelcome}
	s := &smtp.Server{Receiver: new(inbox), Admit: b.admit, TLSConfig: testTLS(), Hostname: "mx.example.com"}
	c := connectTo(t, listen(t, s, s.ServeTLS))
	c.startTLS(t)
	c.play(t, "S: 554 5.7.1 Not from there\nC: NOOP\nS: 503 5.5.1 ...")
}

// Whom Admit refuses after AUTH is not authenticated.
func TestAdmitRefusesUsers(t *testing.T) {
	attempt := "\nC: AUTH PLAIN " + b64("\x00user\x00secret") + "\n"
	for _, test := range []struct {
		name   string
		err    error
		script string
	}{
		{"for good", errUnwelcome, "S: 550 5.7.1 Not from there" + attempt + "S: 550 5.7.1 Not from there"},
		{"as denied", sasl.ErrDenied, "S: 535 5.7.8 Authentication credentials invalid"},
		{"for an unknown reason", errors.New("secret"), "S: 454 4.7.0 Temporary authentication failure"},
		{"by 421", errGoAway, "S: 421 4.7.0 Go away\nS!"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := &bouncer{at: "user under TLS", err: test.err}
			script := tlsFirst + attempt + test.script
			if !strings.HasSuffix(script, "S!") {
				script += "\nC: MAIL FROM:<a@example.org>\nS: 530 5.7.0 Authentication required"
			}
			play(t, &smtp.Server{Receiver: new(inbox), Admit: b.admit, TLSConfig: testTLS(), Auth: users{}, RequireAuth: true}, script)
		})
	}
}

func TestAdmitPanics(t *testing.T) {
	for stage, script := range map[string]string{
		"greeting":           "",
		"hello":              "S: 220 ...\nC: EHLO client.example.org\n",
		"greeting under TLS": "G: EHLO\nC: STARTTLS\nS: 220 ...\nT:\n",
		"user under TLS":     tlsFirst + "C: AUTH PLAIN " + b64("\x00user\x00secret") + "\n",
	} {
		t.Run(stage, func(t *testing.T) {
			b := &bouncer{at: stage, err: errUnwelcome}
			admit := func(ctx context.Context, p *mailparts.Peer) error {
				if b.admit(ctx, p) != nil {
					panic("oops")
				}
				return nil
			}
			play(t, &smtp.Server{Receiver: new(inbox), Admit: admit, TLSConfig: testTLS(), Auth: users{}}, script+`
				S: 421 4.3.0 Internal error, closing the connection
				S!
			`)
		})
	}
}

// A host without mail has nobody to let in.
func TestAdmitOfAHostWithoutMail(t *testing.T) {
	b := &bouncer{at: "greeting", err: errUnwelcome}
	play(t, &smtp.Server{Admit: b.admit}, "S: 521 mx.example.com does not accept mail\nC: QUIT\nS: 221 ...\nS!")
	b.want(t)
}
