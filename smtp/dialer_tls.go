package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
)

// TLSMode says how a Dialer uses TLS.
type TLSMode int

const (
	// TLSOpportunistic is STARTTLS where it is offered, with any certificate
	// (RFC 7435). If that fails the Dialer goes on in plaintext, on a new
	// connection.
	TLSOpportunistic TLSMode = iota
	// TLSMandatory is STARTTLS (RFC 3207) with a valid certificate, or no mail.
	TLSMandatory
	// TLSImplicit is TLS from the first octet, as on port 465 (RFC 8314), with a
	// valid certificate.
	TLSImplicit
	// TLSNone is plaintext.
	TLSNone
)

// errClientTLS marks a STARTTLS that failed half-way and need not have been.
var errClientTLS = errors.New("STARTTLS failed")

// mayFallBack reports whether err is a reason to try without TLS.
func mayFallBack(ctx context.Context, err error) bool {
	return errors.Is(err, errClientTLS) && ctx.Err() == nil
}

// startTLS goes over to TLS and reports whether it did. Unless it must, a server
// that has no TLS or refuses the command is fine.
func (d *Dialer) startTLS(ctx context.Context, c *Client, must bool) (secured bool, err error) {
	if _, ok := c.Extension("STARTTLS"); !ok {
		return false, d.withoutTLS(c, must, nil)
	}
	r, err := c.do("STARTTLS", "STARTTLS")
	if err == nil && r.code/100 >= 4 {
		return false, d.withoutTLS(c, must, c.refused(r))
	}
	if err == nil && r.code != 220 {
		err = c.unexpected("STARTTLS", r)
	}
	if err == nil {
		err = d.handshake(ctx, c, must)
	}
	if err != nil && !must {
		err = fmt.Errorf("%w: %w", errClientTLS, err)
	}
	return err == nil, err
}

func (d *Dialer) withoutTLS(c *Client, must bool, err error) error {
	if !must {
		return nil
	}
	e := &mailparts.Error{Code: 451, Status: "4.7.4", Message: "TLS is required, and " + c.host + " has none"}
	if err != nil {
		e.Err = err
	}
	return e
}

// handshake puts c under TLS. Nothing that the server sent before is kept: it may
// be another's (RFC 3207 section 4.2).
func (d *Dialer) handshake(ctx context.Context, c *Client, verify bool) error {
	cfg := d.TLSConfig.Clone()
	if cfg == nil {
		cfg = new(tls.Config)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = strings.TrimSuffix(c.host, ".")
	}
	if !verify {
		cfg.InsecureSkipVerify = true
	}
	c.r.Reset(c.conn)
	if err := c.conn.startTLS(ctx, cfg, c.replyIn); err != nil {
		return &mailparts.Error{Code: 451, Status: "4.7.5", Message: "TLS handshake with " + c.host + " failed", Err: err}
	}
	c.secured = clientTLSName(c.conn.tls(), cfg)
	return nil
}

// clientTLSName is Receipt.TLS.
func clientTLSName(s *tls.ConnectionState, cfg *tls.Config) string {
	name := strings.ReplaceAll(tls.VersionName(s.Version), " ", "")
	if len(s.VerifiedChains) > 0 || clientVerifies(s, cfg) {
		name += clientVerified
	}
	return name
}

// clientVerified ends a Receipt.TLS of which the certificate is good.
const clientVerified = " verified"

// clientVerifies looks at a certificate that the handshake did not ask about.
func clientVerifies(s *tls.ConnectionState, cfg *tls.Config) bool {
	if len(s.PeerCertificates) == 0 {
		return false
	}
	opts := x509.VerifyOptions{Roots: cfg.RootCAs, DNSName: cfg.ServerName, Intermediates: x509.NewCertPool()}
	for _, cert := range s.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := s.PeerCertificates[0].Verify(opts)
	return err == nil
}
