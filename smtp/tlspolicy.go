package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/netip"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// TLSPolicy says how the hosts that take a domain's mail are to be secured.
// Relay asks it; MTA-STS (RFC 8461), DANE (RFC 7672) and TLS reporting (RFC 8460)
// are each one, and so is a wrapper that tries several in turn. It is used by
// many goroutines at once.
//
// HostTLS is called for each host of dest that is about to be used, in the order
// of dest.MX and before any connection to it. It returns what it demands, or nil
// for what the Dialer has. An error means that this host is to get no mail now:
// as MTA-STS says of an MX that its policy does not list, or DANE where the DNS
// cannot tell. The next host is tried; the error is the recipients' outcome if
// none takes the mail, a lasting one only if it is a *mailparts.Error of 5xx.
type TLSPolicy interface {
	HostTLS(ctx context.Context, dest *TLSDestination, host string) (*HostTLS, error)
}

// TLSDestination is a recipient domain and what the DNS says of its mail.
type TLSDestination struct {
	Domain string         // in lower case, or an address literal with its brackets
	MX     []mailparts.MX // in the order to try them; nil: it has none and is its own host
	Secure bool           // DNSSEC vouches for MX
}

// HostTLS is what a TLSPolicy demands of one host. A connection made for an
// earlier message is used again only if it meets the demands of the next.
type HostTLS struct {
	Mode TLSMode

	// Config takes the place of the Dialer's TLSConfig; nil: it does not. It is
	// cloned, and a ServerName of "" is the host's. Connections are shared by those
	// who give the same pointer.
	Config *tls.Config

	// Where Mode wants a valid certificate, it is one of Config's RootCAs that has
	// one of Names [Config.ServerName], or whatever Verify takes. Verify may be
	// called again for the same connection.
	Names  []string
	Verify func(tls.ConnectionState) error

	Authentic bool // the policy vouches that the host is the domain's: RFC 8689 section 4.2.1
	Permanent bool // TLS that cannot be had is a lasting failure, of 550; else one of 451

	// Done learns how each attempt to start TLS ended, unless the context did; nil:
	// nobody does. It is not called for a connection that is used again.
	Done func(TLSResult)

	required bool // by the envelope: RFC 8689
}

// TLSResult is the end of one attempt to start TLS.
type TLSResult struct {
	Host          string // as in certificates
	Local, Remote netip.AddrPort
	State         *tls.ConnectionState // nil: there is no TLS
	Err           error                // nil: as demanded; ErrNoSTARTTLS, x509's and tls's errors, Verify's
}

// ErrNoSTARTTLS is the cause of an error where a server does not offer STARTTLS.
var ErrNoSTARTTLS = errors.New("STARTTLS is not offered")

// TLSPolicies is a TLSPolicy made by hand: the TLSMode of each recipient domain,
// in lower case. "example.com" is that domain, ".example.com" all below it; the
// longest match counts. The Dialer has those that are not listed.
type TLSPolicies map[string]TLSMode

// HostTLS implements TLSPolicy.
func (p TLSPolicies) HostTLS(_ context.Context, dest *TLSDestination, _ string) (*HostTLS, error) {
	mode, ok := p[dest.Domain]
	for rest := dest.Domain; !ok; mode, ok = p["."+rest] {
		var below bool
		if _, rest, below = strings.Cut(rest, "."); !below {
			return nil, nil
		}
	}
	return &HostTLS{Mode: mode}, nil
}

// failure is TLS that cannot be had.
func (t *HostTLS) failure(status, message string, cause error) error {
	e := &mailparts.Error{Code: 451, Status: status, Message: message, Err: cause}
	switch {
	case t.required:
		e.Code, e.Status = 550, "5.7.10"
	case t.Permanent:
		e.Code, e.Status = 550, "5"+strings.TrimPrefix(status, "4")
	}
	return e
}

// report tells Done.
func (t *HostTLS) report(ctx context.Context, c *Client, err error) {
	if t.Done != nil && ctx.Err() == nil {
		t.Done(TLSResult{Host: c.host, Local: serve.AddrPort(c.conn.raw.LocalAddr()), Remote: serve.AddrPort(c.conn.raw.RemoteAddr()), State: c.TLS(), Err: err})
	}
}

// must reports whether there is no going on without TLS.
func (t *HostTLS) must() bool { return t.Mode != TLSOpportunistic && t.Mode != TLSNone }

// verifies reports whether any certificate will not do.
func (t *HostTLS) verifies() bool { return t.Mode == TLSMandatory || t.Mode == TLSImplicit }

// standard reports whether the handshake itself can verify.
func (t *HostTLS) standard() bool { return t.Verify == nil && t.Names == nil }

// verify looks at the far side's certificate; cfg has the host's name.
func (t *HostTLS) verify(s tls.ConnectionState, cfg *tls.Config) error {
	if t.Verify != nil {
		return t.Verify(s)
	}
	if len(s.PeerCertificates) == 0 {
		return errors.New("no certificate")
	}
	opts := x509.VerifyOptions{Roots: cfg.RootCAs, Intermediates: x509.NewCertPool()}
	if cfg.Time != nil {
		opts.CurrentTime = cfg.Time()
	}
	for _, cert := range s.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	cert := s.PeerCertificates[0]
	if _, err := cert.Verify(opts); err != nil {
		return err
	}
	names := t.Names
	if names == nil {
		names = []string{cfg.ServerName}
	}
	err := errors.New("no name to look for in the certificate")
	for _, name := range names {
		if err = cert.VerifyHostname(name); err == nil {
			return nil
		}
	}
	return err
}

// forDialer is t, or what d does by itself.
func (t *HostTLS) forDialer(d *Dialer) *HostTLS {
	own := HostTLS{Mode: d.TLS}
	if t != nil {
		own = *t
	}
	own.Config = cmp.Or(own.Config, d.TLSConfig)
	return &own
}

// forEnvelope is t made strict enough for env. A bounce is better sent in the
// clear than lost (RFC 8689 section 5).
func (t *HostTLS) forEnvelope(env *mailparts.Envelope) *HostTLS {
	strict := *t
	if strict.required = env.RequireTLS && env.From != ""; strict.required && !t.verifies() {
		strict.Mode = TLSMandatory
	}
	return &strict
}
