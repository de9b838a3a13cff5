package smtp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// fakeSTS is how MTA-STS (RFC 8461) fits TLSPolicy: a policy that was fetched
// lists the MX patterns, in mode "enforce".
type fakeSTS map[string][]string // patterns by domain

func (p fakeSTS) HostTLS(_ context.Context, dest *smtp.TLSDestination, host string) (*smtp.HostTLS, error) {
	patterns, ok := p[dest.Domain]
	if !ok {
		return nil, nil
	}
	_, rest, _ := strings.Cut(host, ".")
	if !slices.Contains(patterns, host) && !slices.Contains(patterns, "*."+rest) {
		return nil, &mailparts.Error{Code: 451, Status: "4.7.5", Message: "MTA-STS policy does not list " + host}
	}
	return &smtp.HostTLS{Mode: smtp.TLSMandatory, Authentic: true}, nil
}

// fakeDANE is how DANE (RFC 7672) fits: the TLSA records are asked for the host
// when its turn comes, and only where DNSSEC vouches for the MX.
type fakeDANE struct {
	tlsa map[string][32]byte // 3 1 1 by host; zero: none that can be used
	next smtp.TLSPolicy
}

func (p *fakeDANE) HostTLS(ctx context.Context, dest *smtp.TLSDestination, host string) (*smtp.HostTLS, error) {
	want, ok := p.tlsa[host]
	if !ok || !dest.Secure {
		return p.next.HostTLS(ctx, dest, host)
	}
	if want == [32]byte{} { // RFC 7672 section 2.2: unusable
		return &smtp.HostTLS{Mode: smtp.TLSEncrypted}, nil
	}
	return &smtp.HostTLS{Mode: smtp.TLSMandatory, Verify: func(s tls.ConnectionState) error {
		if got := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo); !bytes.Equal(got[:], want[:]) {
			return errors.New("no TLSA record matches")
		}
		return nil
	}}, nil
}

func TestPoliciesToCome(t *testing.T) {
	const zone = policyZone + "\nexample.com MX 2 mx2.example.com\nmx2.example.com A 192.0.2.2\n"
	offered, mail := ready("STARTTLS"), pooledMail+pooledQuit
	trusted := smtp.Dialer{TLSConfig: &tls.Config{RootCAs: testCA()}}
	key := sha256.Sum256(testCert().Leaf.RawSubjectPublicKeyInfo)
	dane := func(k [32]byte) smtp.TLSPolicy {
		return &fakeDANE{map[string][32]byte{"mx.example.com": k}, fakeSTS{"example.com": {"mx.example.com"}}}
	}
	tests := []*policyTest{{
		name: "MTA-STS", policy: fakeSTS{"example.com": {"*.example.com"}}, dialer: trusted,
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + mail},
		want:  "ok",
	}, {
		name: "MTA-STS: only the MX that it lists", policy: fakeSTS{"example.com": {"mx2.example.com"}}, dialer: trusted,
		hosts: map[string]string{"192.0.2.2": offered + policyRefused}, // its certificate is for mx
		want:  "451 4.7.5",
	}, {
		name: "MTA-STS: none of them", policy: fakeSTS{"example.com": {"mx.example.org"}},
		want: "451 4.7.5",
	}, {
		name: "DANE: nobody's certificate, and the right key", zone: zone + "example.com SECURE", policy: dane(key),
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + mail},
		want:  "ok",
	}, {
		name: "DANE: the wrong key; MTA-STS has no say", zone: zone + "example.com SECURE", policy: dane([32]byte{1}), dialer: trusted,
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		want:  "451 4.7.5",
	}, {
		name: "DANE: records of no use", zone: zone + "example.com SECURE", policy: dane([32]byte{}),
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + mail},
		want:  "ok",
	}, {
		name: "DANE without DNSSEC is none", policy: dane([32]byte{1}), dialer: trusted,
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + mail},
		want:  "ok",
	}, {
		name: "REQUIRETLS by MTA-STS", policy: fakeSTS{"example.com": {"mx.example.com"}}, dialer: trusted, require: true,
		hosts: map[string]string{"192.0.2.1": offered + policyStrict + policyRequired + pooledQuit},
		want:  "ok",
	}, {
		name: "REQUIRETLS by DANE", zone: zone + "example.com SECURE", policy: dane(key), require: true,
		hosts: map[string]string{"192.0.2.1": offered + policyStrict + policyRequired + pooledQuit},
		want:  "ok",
	}, {
		name: "REQUIRETLS, and a DANE that verifies nothing", zone: policyZone + "\nexample.com SECURE", policy: dane([32]byte{}), require: true,
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		want:  "550 5.7.10",
	}}
	for _, test := range tests {
		if test.zone == "" {
			test.zone = zone
		}
		t.Run(test.name, test.run)
	}
}
