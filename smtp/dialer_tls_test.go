package smtp_test

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestDialTLS(t *testing.T) {
	const (
		start  = "C: STARTTLS\nS: 220 go\n"
		again  = "C: EHLO client.example\nS: 250 mx.example.com\n"
		tls13  = "TLS 1.3"
		failed = "C: STARTTLS\nS: 220 go\nT!"
	)
	trusted := &tls.Config{RootCAs: testCA()}
	offered, bare := ready("STARTTLS"), ready()
	tests := []dialTest{{
		name:    "opportunistic: any certificate will do",
		scripts: []string{offered + start + "T:\n" + again},
		want:    "ok", secured: tls13,
	}, {
		name:    "opportunistic: not offered",
		scripts: []string{bare},
		want:    "ok",
	}, {
		name:    "opportunistic: in plaintext on a new connection after a failed handshake",
		scripts: []string{offered + failed, offered},
		want:    "ok",
	}, {
		name:    "opportunistic: gone after STARTTLS",
		scripts: []string{offered + "C: STARTTLS", offered},
		want:    "ok",
	}, {
		name:    "opportunistic: 421 to STARTTLS",
		scripts: []string{offered + "C: STARTTLS\nS: 421 4.3.2 no\nC!", offered},
		want:    "ok",
	}, {
		name:    "opportunistic: no second try when the server is gone after TLS",
		scripts: []string{offered + start + "T:"},
		want:    "451 4.4.2",
	}, {
		name:    "none",
		scripts: []string{offered},
		dialer:  smtp.Dialer{TLS: smtp.TLSNone},
		want:    "ok",
	}, {
		name:    "mandatory",
		scripts: []string{offered + start + "T:\n" + again},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: trusted},
		want:    "ok", secured: tls13,
	}, {
		name:    "mandatory: a certificate of nobody's",
		scripts: []string{offered + "C: STARTTLS\nS: 220 go\nT?"},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory},
		want:    "451 4.7.5",
	}, {
		name:    "mandatory: another host's certificate",
		scripts: []string{offered + "C: STARTTLS\nS: 220 go\nT?"},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: &tls.Config{RootCAs: testCA(), ServerName: "other.example"}},
		want:    "451 4.7.5",
	}, {
		name:    "mandatory: no second try in plaintext",
		scripts: []string{offered + failed},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: trusted},
		want:    "451 4.7.5",
	}, {
		name:    "mandatory: STARTTLS stripped",
		scripts: []string{bare + "C!"},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: trusted},
		want:    "451 4.7.4",
	}, {
		name:    "mandatory: STARTTLS refused for good is temporary",
		scripts: []string{offered + "C: STARTTLS\nS: 502 5.5.1 no\nC!"},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: trusted},
		want:    "451 4.7.4",
	}, {
		name:    "mandatory: no HELO, which has no STARTTLS",
		scripts: []string{"S: 220 mx\nC: EHLO client.example\nS: 500 what?\nC: HELO client.example\nS: 250 mx\nC!"},
		dialer:  smtp.Dialer{TLS: smtp.TLSMandatory, TLSConfig: trusted},
		want:    "451 4.7.4",
	}, {
		name:    "encrypted: any certificate will do",
		scripts: []string{offered + start + "T:\n" + again},
		dialer:  smtp.Dialer{TLS: smtp.TLSEncrypted},
		want:    "ok", secured: tls13,
	}, {
		name:    "encrypted: not for a password",
		scripts: []string{offered + "C: STARTTLS\nS: 220 go\nT?"},
		dialer:  smtp.Dialer{TLS: smtp.TLSEncrypted, Auth: smtp.PasswordAuth("me", "secret")},
		far:     true,
		want:    "451 4.7.5",
	}, {
		name:    "implicit",
		scripts: []string{"T:\n" + bare},
		dialer:  smtp.Dialer{TLS: smtp.TLSImplicit, TLSConfig: trusted},
		want:    "ok", secured: tls13,
	}, {
		name:    "implicit: a certificate of nobody's",
		scripts: []string{"T?"},
		dialer:  smtp.Dialer{TLS: smtp.TLSImplicit},
		want:    "451 4.7.5",
	}, {
		name:    "implicit: a plaintext server",
		scripts: []string{"S: 220 mx.example.com\n"},
		dialer:  smtp.Dialer{TLS: smtp.TLSImplicit, TLSConfig: trusted},
		want:    "451 4.7.5",
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

// What comes before TLS may be anyone's: neither its extensions nor replies that
// someone put behind the 220 count (RFC 3207 section 4.2, CVE-2021-38371).
func TestSTARTTLSInjection(t *testing.T) {
	f := newFake(t, ready("STARTTLS", "SIZE 1", "AUTH PLAIN")+`
		C: STARTTLS
		S> 220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n
		T:
		C: EHLO client.example
		S: 250-mx.example.com
		S: 250 PIPELINING`)
	d := f.dialer()
	d.TLS, d.TLSConfig = smtp.TLSMandatory, &tls.Config{RootCAs: testCA()}
	c := f.connect(d)
	if got := strings.Join(c.Extensions(), " "); got != "PIPELINING" {
		t.Errorf("got %s", got)
	}
	c.Close()
	f.wait()
}

func TestFallBackIsLogged(t *testing.T) {
	var log bytes.Buffer
	f := newFake(t, ready("STARTTLS")+"C: STARTTLS\nS: 220 go\nT!", ready("STARTTLS"))
	d := f.dialer()
	d.Logger = slog.New(slog.NewTextHandler(&log, nil))
	f.connect(d).Close()
	f.wait()
	if !strings.Contains(log.String(), "plaintext") {
		t.Errorf("got %q", log.String())
	}
}

// A receipt tells whether TLS was worth something, even where it need not be.
func TestReceiptTLS(t *testing.T) {
	for want, cfg := range map[string]*tls.Config{
		"TLS1.3":          nil,
		"TLS1.3 verified": {RootCAs: testCA()},
	} {
		f := newFake(t, ready("STARTTLS")+`
			C: STARTTLS
			S: 220 go
			T:
			C: EHLO client.example
			S: 250 mx.example.com`+mailDialogue+`
			C: hello
			C: .
			S: 250 ok`)
		d := f.dialer()
		d.TLSConfig = cfg
		got := ""
		ctx := mailparts.WithReceipts(t.Context(), func(_ mailparts.Rcpt, r mailparts.Receipt) { got = r.TLS })
		if err := f.connect(d).Deliver(ctx, letter("b@example.com"), text("hello\r\n")); err != nil {
			t.Error(err)
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
