package smtp_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// RFC 8689 section 4.2.1.
func TestRelayRequireTLS(t *testing.T) {
	const (
		two    = policyZone + "\nexample.com MX 2 mx2.example.com\nmx2.example.com A 192.0.2.2\n"
		secure = policyZone + "\nexample.com SECURE\n"
	)
	offered, sent := ready("STARTTLS"), policyRequired+pooledQuit
	trusted := smtp.Dialer{TLSConfig: &tls.Config{RootCAs: testCA()}}
	tests := []*policyTest{{
		name: "all that it takes", zone: secure, dialer: trusted,
		hosts: map[string]string{"192.0.2.1": offered + policyStrict + sent},
		want:  "ok",
	}, {
		name: "nothing vouches for the MX", dialer: trusted,
		want: "550 5.7.10", dials: []string{},
	}, {
		name: "the domain is its own host", zone: "mx.example.com A 192.0.2.1", dialer: trusted, to: []mailparts.Address{"b@mx.example.com"},
		hosts: map[string]string{"192.0.2.1": offered + policyStrict + strings.Replace(sent, "b@example.com", "b@mx.example.com", 1)},
		want:  "ok",
	}, {
		name: "no TLS", zone: secure, dialer: trusted,
		hosts: map[string]string{"192.0.2.1": ready("REQUIRETLS") + "C!"},
		want:  "550 5.7.10",
	}, {
		name: "a certificate of nobody's", zone: secure,
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		want:  "550 5.7.10",
	}, {
		name: "no REQUIRETLS", zone: secure, dialer: trusted,
		hosts: map[string]string{"192.0.2.1": ready("STARTTLS", "REQUIRETLS") + policyTLS + pooledQuit},
		want:  "550 5.7.30",
	}, {
		name: "the next host may have it", zone: "example.com MX 1 localhost\nlocalhost A 192.0.2.3\nexample.com MX 2 mx.example.com\nmx.example.com A 192.0.2.1\nexample.com SECURE", dialer: trusted,
		hosts: map[string]string{
			"192.0.2.3": offered + policyTLS + pooledQuit,
			"192.0.2.1": offered + policyStrict + sent,
		},
		want: "ok", dials: []string{"192.0.2.3", "192.0.2.1"},
	}, {
		name: "the next host may be up tomorrow", zone: two + "example.com SECURE", dialer: trusted,
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + pooledQuit},
		want:  "451 4.4.1",
	}, {
		name: "a connection without REQUIRETLS is good for other mail", zone: secure, dialer: trusted,
		to:    []mailparts.Address{"b@example.com", "b@example.com"},
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + pooledQuit},
		want:  "550 5.7.30, 550 5.7.30", dials: []string{"192.0.2.1"},
	}, {
		name: "a bounce is better sent than lost (section 5)", bounce: true,
		hosts: map[string]string{"192.0.2.1": ready() + strings.Replace(pooledMail, "a@example.org", "", 1) + pooledQuit},
		want:  "ok",
	}}
	for _, test := range tests {
		test.require = true
		t.Run(test.name, test.run)
	}
}

// A smarthost is named by who set it, so that it needs nobody to vouch for it.
func TestSmarthostRequireTLS(t *testing.T) {
	for script, want := range map[string]string{
		ready("STARTTLS") + policyStrict + policyRequired + pooledQuit: "ok",
		ready("STARTTLS") + "C: STARTTLS\nS: 454 no\nC!":               "550 5.7.10",
	} {
		i := newInternet(t, "")
		i.host("mx.example.com:587", script)
		r := i.relay()
		r.Smarthost, r.Dialer.TLSConfig = "mx.example.com:587", &tls.Config{RootCAs: testCA()}
		env := letter("b@example.com")
		env.RequireTLS = true
		if got := codes(r.Deliver(t.Context(), env, text("hello\r\n")), 1); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		i.wait()
	}
}
