package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// A provider's two doors take the message with the password, and nobody's without.
func TestSend(t *testing.T) {
	s := mailtest.NewServer(t, "alice", "bob")
	relay := func(addr string, mode smtp.TLSMode, password string) *smtp.Relay {
		return &smtp.Relay{Smarthost: addr, Dialer: smtp.Dialer{TLS: mode, TLSConfig: s.TLSConfig, Auth: smtp.PasswordAuth("alice", password)}}
	}
	for n, r := range []*smtp.Relay{
		relay(s.SubmissionAddr, smtp.TLSMandatory, mailtest.Password),
		relay(s.SubmissionsAddr, smtp.TLSImplicit, mailtest.Password),
	} {
		if err := send(t.Context(), r, "alice@example.test", []string{"bob@example.test"}, strings.NewReader("Subject: hello\n\nhello\n")); err != nil {
			t.Error(err)
		}
		r.Close()
		msgs := s.Messages(t, "bob", n+1)
		if !strings.Contains(msgs[n], "Subject: hello\r\n") || !strings.HasSuffix(msgs[n], "\r\n\r\nhello\r\n") {
			t.Errorf("got %q", msgs[n])
		}
	}
	err := send(t.Context(), relay(s.SubmissionAddr, smtp.TLSMandatory, "wrong"), "alice@example.test", []string{"bob@example.test"}, strings.NewReader("Subject: hello\n\n"))
	if e := mailparts.AsError(err); e == nil || e.EnhancedStatus() != "4.3.5" { // the mail may wait for a better password
		t.Errorf("got %v", err)
	}
}

func Example() {
	l := mailtest.NewListener()
	discard := mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		return err
	})
	s := &smtp.Server{Hostname: "smtp.example.com", Receiver: mailparts.AsReceiver(discard)}
	go s.Serve(l)
	defer s.Close()
	relay := &smtp.Relay{Smarthost: "smtp.example.com:25", Dialer: smtp.Dialer{NetDial: l.Dial}}
	defer relay.Close()
	send(context.Background(), relay, "me@example.com", []string{"you@example.org"}, strings.NewReader("Subject: hello\n\nhello\n"))
	// Output:
	// you@example.org taken by smtp.example.com
}
