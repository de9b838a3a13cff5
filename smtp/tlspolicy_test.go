package smtp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// What follows after EHLO in a dialogue under TLS, and one whose client does not
// like the certificate.
const (
	policyTLS     = "C: STARTTLS\nS: 220 go\nT:\nC: EHLO client.example\nS: 250 mx.example.com\n"
	policyRefused = "C: STARTTLS\nS: 220 go\nT?\n"
	policyStrict  = "C: STARTTLS\nS: 220 go\nT:\nC: EHLO client.example\nS: 250-mx.example.com\nS: 250 REQUIRETLS\n"
)

// policyRequired is a transaction of mail that requires TLS.
var policyRequired = strings.Replace(pooledMail, "org>", "org>...", 1)

func TestTLSPolicies(t *testing.T) {
	p := smtp.TLSPolicies{
		"example.com":       smtp.TLSMandatory,
		".example.com":      smtp.TLSNone,
		".deep.example.com": smtp.TLSEncrypted,
		"[192.0.2.1]":       smtp.TLSEncrypted,
	}
	for domain, want := range map[string]string{
		"example.com":          "1",
		"www.example.com":      "3",
		"deep.example.com":     "3",
		"www.deep.example.com": "4",
		"myexample.com":        "none",
		"com":                  "none",
		"[192.0.2.1]":          "4",
		"[192.0.2.2]":          "none",
	} {
		got := "none"
		h, err := p.HostTLS(t.Context(), &smtp.TLSDestination{Domain: domain}, "mx.example.com")
		if h != nil {
			got = fmt.Sprint(int(h.Mode))
		}
		if got != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", domain, got, err, want)
		}
	}
}

// policyFunc is a TLSPolicy.
type policyFunc func(dest *smtp.TLSDestination, host string) (*smtp.HostTLS, error)

func (f policyFunc) HostTLS(_ context.Context, dest *smtp.TLSDestination, host string) (*smtp.HostTLS, error) {
	return f(dest, host)
}

// policyTest is messages to recipients, one after the other, by way of a policy.
type policyTest struct {
	name    string
	zone    string // policyZone if it has none
	hosts   map[string]string
	policy  smtp.TLSPolicy
	dialer  smtp.Dialer
	require bool
	bounce  bool
	to      []mailparts.Address // none: b@example.com
	want    string              // codes by message
	dials   []string            // nil: not looked at
}

const policyZone = `
	example.com MX 1 mx.example.com
	example.net MX 1 mx.example.com
	mx.example.com A 192.0.2.1`

func (test *policyTest) run(t *testing.T) {
	zone := test.zone
	if zone == "" {
		zone = policyZone
	}
	i := newInternet(t, zone)
	for addr, script := range test.hosts {
		i.host(addr, strings.Split(script, "---\n")...)
	}
	r := i.relay()
	r.TLSPolicy = test.policy
	r.Dialer.TLS, r.Dialer.TLSConfig = test.dialer.TLS, test.dialer.TLSConfig
	if test.to == nil {
		test.to = []mailparts.Address{"b@example.com"}
	}
	var got []string
	for _, to := range test.to {
		env := letter(to)
		env.RequireTLS = test.require
		if test.bounce {
			env.From = ""
		}
		err := r.Deliver(t.Context(), env, text("hello\r\n"))
		t.Log(to, err)
		got = append(got, codes(err, 1))
	}
	if got := strings.Join(got, ", "); got != test.want {
		t.Errorf("got %s, want %s", got, test.want)
	}
	if test.dials != nil && !slices.Equal(i.dials, test.dials) {
		t.Errorf("tried %v, want %v", i.dials, test.dials)
	}
	i.wait()
}

// policyMail is a transaction up to QUIT.
func policyMail(to string) string {
	return strings.Replace(pooledMail, "b@example.com", to, 1)
}

func TestRelayTLSPolicy(t *testing.T) {
	offered, bare := ready("STARTTLS"), ready()
	com, net := policyMail("b@example.com"), policyMail("b@example.net")
	trusted := &tls.Config{RootCAs: testCA()}
	other := errors.New("not this one")
	both := []mailparts.Address{"b@example.com", "b@example.net"}
	only := func(mode smtp.TLSMode) smtp.TLSPolicy { return smtp.TLSPolicies{"example.com": mode} }
	tests := []*policyTest{{
		name:   "mandatory",
		hosts:  map[string]string{"192.0.2.1": offered + policyTLS + com + pooledQuit},
		policy: only(smtp.TLSMandatory), dialer: smtp.Dialer{TLSConfig: trusted},
		want: "ok",
	}, {
		name:   "mandatory, and no TLS",
		hosts:  map[string]string{"192.0.2.1": bare + "C!"},
		policy: only(smtp.TLSMandatory),
		want:   "451 4.7.4",
	}, {
		name:   "encrypted: any certificate",
		hosts:  map[string]string{"192.0.2.1": offered + policyTLS + com + pooledQuit},
		policy: only(smtp.TLSEncrypted),
		want:   "ok",
	}, {
		name:   "encrypted, and no TLS",
		hosts:  map[string]string{"192.0.2.1": bare + "C!"},
		policy: only(smtp.TLSEncrypted),
		want:   "451 4.7.4",
	}, {
		name:   "encrypted: no second try in plaintext",
		hosts:  map[string]string{"192.0.2.1": offered + "C: STARTTLS\nS: 220 go\nT!"},
		policy: only(smtp.TLSEncrypted),
		want:   "451 4.7.5",
	}, {
		name:   "no word of the domain: the Dialer's",
		hosts:  map[string]string{"192.0.2.1": bare + "C!"},
		policy: smtp.TLSPolicies{}, dialer: smtp.Dialer{TLS: smtp.TLSMandatory},
		want: "451 4.7.4",
	}, {
		name:  "a lasting failure, if the policy says so",
		hosts: map[string]string{"192.0.2.1": bare + "C!"},
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			return &smtp.HostTLS{Mode: smtp.TLSMandatory, Permanent: true}, nil
		}),
		want: "550 5.7.4",
	}, {
		name:  "a certificate for one of the names",
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + com + pooledQuit},
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			return &smtp.HostTLS{Mode: smtp.TLSMandatory, Config: trusted, Names: []string{"example.com", "localhost"}}, nil
		}),
		want: "ok",
	}, {
		name:  "for none of them",
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			return &smtp.HostTLS{Mode: smtp.TLSMandatory, Config: trusted, Names: []string{"example.com"}}, nil
		}),
		want: "451 4.7.5",
	}, {
		name:  "for one of them, of nobody's",
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			return &smtp.HostTLS{Mode: smtp.TLSMandatory, Names: []string{"localhost"}}, nil
		}),
		want: "451 4.7.5",
	}, {
		name:  "for one of them, and the Config does not want it",
		hosts: map[string]string{"192.0.2.1": offered + policyRefused},
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			cfg := trusted.Clone()
			cfg.VerifyConnection = func(tls.ConnectionState) error { return other }
			return &smtp.HostTLS{Mode: smtp.TLSMandatory, Config: cfg, Names: []string{"localhost"}}, nil
		}),
		want: "451 4.7.5",
	}, {
		name:   "a plaintext connection is not for who wants TLS",
		hosts:  map[string]string{"192.0.2.1": bare + net + pooledQuit + "---\n" + bare + "C!"},
		policy: only(smtp.TLSMandatory), to: []mailparts.Address{"b@example.net", "b@example.com"},
		want: "ok, 451 4.7.4",
	}, {
		name:   "nor one that was never asked for TLS for who would have it",
		hosts:  map[string]string{"192.0.2.1": offered + com + pooledQuit + "---\n" + offered + policyTLS + net + pooledQuit},
		policy: only(smtp.TLSNone), to: both,
		want: "ok, ok",
	}, {
		name:   "nor one with a bad certificate for who wants a good one",
		hosts:  map[string]string{"192.0.2.1": offered + policyTLS + net + pooledQuit + "---\n" + offered + policyRefused},
		policy: only(smtp.TLSMandatory), to: []mailparts.Address{"b@example.net", "b@example.com"},
		want: "ok, 451 4.7.5",
	}, {
		name:   "a good certificate is good for those that come later",
		hosts:  map[string]string{"192.0.2.1": offered + policyTLS + net + com + pooledQuit},
		policy: only(smtp.TLSMandatory), to: []mailparts.Address{"b@example.net", "b@example.com"}, dialer: smtp.Dialer{TLSConfig: trusted},
		want: "ok, ok",
	}, {
		name:   "and for those that want less",
		hosts:  map[string]string{"192.0.2.1": offered + policyTLS + com + net + pooledQuit},
		policy: only(smtp.TLSMandatory), to: both, dialer: smtp.Dialer{TLSConfig: trusted},
		want: "ok, ok",
	}, {
		name:  "not for who wants another",
		hosts: map[string]string{"192.0.2.1": offered + policyTLS + com + pooledQuit + "---\n" + offered + policyRefused},
		policy: policyFunc(func(dest *smtp.TLSDestination, _ string) (*smtp.HostTLS, error) {
			h := &smtp.HostTLS{Mode: smtp.TLSMandatory}
			if dest.Domain == "example.net" {
				h.Verify = func(tls.ConnectionState) error { return other }
			}
			return h, nil
		}),
		to: both, dialer: smtp.Dialer{TLSConfig: trusted},
		want: "ok, 451 4.7.5",
	}, {
		name: "a host that the policy drops is not connected to",
		zone: "example.com MX 1 evil.example\nexample.com MX 2 mx.example.com\nevil.example A 192.0.2.66\nmx.example.com A 192.0.2.1",
		policy: policyFunc(func(_ *smtp.TLSDestination, host string) (*smtp.HostTLS, error) {
			if host == "evil.example" {
				return nil, other
			}
			return nil, nil
		}),
		hosts: map[string]string{"192.0.2.1": bare + com + pooledQuit},
		want:  "ok", dials: []string{"192.0.2.1"},
	}, {
		name:   "all are dropped: unknown errors are temporary",
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) { return nil, other }),
		want:   "451 4.3.0",
	}, {
		name: "all are dropped for good",
		policy: policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
			return nil, &mailparts.Error{Code: 550, Status: "5.7.4", Message: "no"}
		}),
		want: "550 5.7.4",
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

// What a policy is told of a domain.
func TestTLSDestination(t *testing.T) {
	for _, test := range []struct {
		zone string
		to   mailparts.Address
		want []string // by host
	}{{
		"example.com MX 2 mx2.example.com\nexample.com MX 1 mx1.example.com\nexample.com SECURE", "b@Example.COM",
		[]string{"example.com [{mx1.example.com 1} {mx2.example.com 2}] true: mx1.example.com", "example.com [{mx1.example.com 1} {mx2.example.com 2}] true: mx2.example.com"},
	}, {
		"example.com MX 1 mx.example.com", "b@example.com",
		[]string{"example.com [{mx.example.com 1}] false: mx.example.com"},
	}, {
		"example.com A 192.0.2.1", "b@example.com",
		[]string{"example.com [] false: example.com"},
	}, {
		"", "b@[192.0.2.1]",
		[]string{"[192.0.2.1] [] false: 192.0.2.1"},
	}, {
		"example.com MX 0 .", "b@example.com", nil,
	}, {
		"example.com MX 1 mx.example.com\nexample.com MX 2 client.example\nexample.com MX 3 mx3.example.com", "b@example.com",
		[]string{"example.com [{mx.example.com 1} {client.example 2} {mx3.example.com 3}] false: mx.example.com"},
	}} {
		var got []string
		i := newInternet(t, test.zone)
		r := i.relay()
		r.TLSPolicy = policyFunc(func(dest *smtp.TLSDestination, host string) (*smtp.HostTLS, error) {
			got = append(got, fmt.Sprintf("%s %v %v: %s", dest.Domain, dest.MX, dest.Secure, host))
			return nil, errors.New("that will do")
		})
		r.Deliver(t.Context(), letter(test.to), text("hello\r\n"))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.zone, got, test.want)
		}
	}
}

// A smarthost is the Dialer's.
func TestSmarthostHasNoPolicy(t *testing.T) {
	i := newInternet(t, "")
	i.host("smart.example:587", ready()+pooledMail+pooledQuit)
	r := i.relay()
	r.Smarthost = "smart.example:587"
	r.TLSPolicy = policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) { return nil, errors.New("asked") })
	if err := r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")); err != nil {
		t.Error(err)
	}
	i.wait()
}

// A policy learns of each attempt, which is what TLS reporting (RFC 8460) is made
// of.
func TestTLSResults(t *testing.T) {
	offered := ready("STARTTLS")
	mail := pooledMail + pooledQuit
	for name, test := range map[string]struct {
		mode    smtp.TLSMode
		verify  error
		scripts string
		want    []string
	}{
		"done":              {smtp.TLSMandatory, nil, offered + policyTLS + mail, []string{"mx.example.com 127.0.0.1 true <nil>"}},
		"not offered":       {smtp.TLSMandatory, nil, ready() + "C!", []string{"mx.example.com 127.0.0.1 false " + smtp.ErrNoSTARTTLS.Error()}},
		"not offered, fine": {smtp.TLSOpportunistic, nil, ready() + mail, []string{"mx.example.com 127.0.0.1 false " + smtp.ErrNoSTARTTLS.Error()}},
		"refused":           {smtp.TLSOpportunistic, nil, offered + "C: STARTTLS\nS: 454 4.7.0 no\n" + mail, []string{"mx.example.com 127.0.0.1 false mx.example.com: 454 4.7.0 no"}},
		"bad certificate":   {smtp.TLSMandatory, errors.New("bad"), offered + policyRefused, []string{"mx.example.com 127.0.0.1 false bad"}},
		"bad, and fine":     {smtp.TLSOpportunistic, errors.New("bad"), offered + policyTLS + mail, []string{"mx.example.com 127.0.0.1 true <nil>"}},
		"gone":              {smtp.TLSOpportunistic, nil, offered + "C: STARTTLS\n---\n" + offered + mail, []string{"mx.example.com 127.0.0.1 false 451 4.4.2"}},
		"not asked for":     {smtp.TLSNone, nil, offered + mail, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			i := newInternet(t, policyZone)
			i.host("192.0.2.1", strings.Split(test.scripts, "---\n")...)
			r := i.relay()
			r.TLSPolicy = policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
				return &smtp.HostTLS{Mode: test.mode, Verify: func(tls.ConnectionState) error { return test.verify },
					Done: func(res smtp.TLSResult) {
						err := fmt.Sprint(res.Err)
						if e, ok := errors.AsType[*mailparts.Error](res.Err); ok && e.Host == "" {
							err = fmt.Sprint(e.Code, " ", e.Status)
						}
						got = append(got, fmt.Sprint(res.Host, " ", res.Remote.Addr(), " ", res.State != nil, " ", err))
						if res.Local == (netip.AddrPort{}) {
							t.Error("no local address")
						}
					}}, nil
			})
			r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n"))
			i.wait()
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// The error of a policy that looked at a certificate is not lost.
func TestTLSPolicyCause(t *testing.T) {
	i := newInternet(t, policyZone)
	i.host("192.0.2.1", ready("STARTTLS")+policyRefused)
	r := i.relay()
	r.TLSPolicy = policyFunc(func(*smtp.TLSDestination, string) (*smtp.HostTLS, error) {
		return &smtp.HostTLS{Mode: smtp.TLSMandatory, Names: []string{"example.com"}, Config: &tls.Config{RootCAs: testCA()}}, nil
	})
	err := r.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n"))
	if _, ok := errors.AsType[x509.HostnameError](err); !ok {
		t.Errorf("got %v", err)
	}
	i.wait()
}
