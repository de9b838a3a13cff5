package smtp_test

import (
	"context"
	"crypto/tls"
	"io"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// Everything said before TLS is forgotten: EHLO, the transaction, AUTH.
func TestStartTLSForgets(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, TLSConfig: testTLS()}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		C: RCPT TO:<b@example.com>
		S: 503 5.5.1 Need MAIL first
		C: MAIL FROM:<a@example.org>
		S: 503 5.5.1 Greet first
		G: EHLO
		C: STARTTLS
		S: 503 5.5.1 TLS is active already
	`)
	if b.closed != 1 {
		t.Errorf("%d transactions closed, want 1", b.closed)
	}
}

// What is injected after STARTTLS is not run under TLS (RFC 3207 section 4.2).
func TestStartTLSCarriesNothingAcross(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS()}, `
		G: EHLO
		C: STARTTLS\r\nRSET\r\nNOOP
		S: 503 5.5.1 Nothing may be pipelined after STARTTLS
		S: 250 2.0.0 OK
		S: 250 2.0.0 OK
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		G: EHLO
	`)
}

// go-smtp goes on in plaintext after a failed handshake.
func TestFailedHandshakeEndsTheConnection(t *testing.T) {
	b := new(inbox)
	c := dialServer(t, &smtp.Server{Receiver: b, TLSConfig: testTLS()})
	c.play(t, `
		G: EHLO
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		C: EHLO client.example.org\r\nMAIL FROM:<a@example.org>
	`)
	rest, err := io.ReadAll(c.r)
	if err != nil {
		t.Errorf("the connection is still open: %v", err)
	}
	if len(rest) > 7 || len(rest) > 0 && rest[0] != 21 { // a TLS alert
		t.Errorf("got %q", rest)
	}
	if b.open+b.closed != 0 {
		t.Error("MAIL was run")
	}
}

func TestStartTLSNeedsEHLO(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox), TLSConfig: testTLS()}, `
		S: 220 mx.example.com ESMTP
		C: STARTTLS
		S: 503 5.5.1 An extension needs EHLO first
		C: STARTTLS now
		S: 501 5.5.4 This command takes no argument
	`)
}

// RFC 8314 section 3.3.
func TestImplicitTLS(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), Hostname: "mx.example.com"}
	l := listen(t, s, s.ServeTLS)
	nc, err := l.Dial(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	tc := tls.Client(nc, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"})
	c := newWire(t, tc)
	c.play(t, `
		S: 220 mx.example.com ESMTP
		C: STARTTLS
		S: 503 5.5.1 TLS is active already
		G: EHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	if p := b.only(t).env.Peer; p.TLS == nil || p.Protocol != "ESMTPS" {
		t.Errorf("peer %+v", p)
	}
}

func TestTLSWithoutConfig(t *testing.T) {
	s := &smtp.Server{Addr: "127.0.0.1:0", Receiver: new(inbox)}
	if err := s.ListenAndServeTLS(); err == nil || err == mailparts.ErrServerClosed {
		t.Errorf("ListenAndServeTLS: %v", err)
	}
}
