package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
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
	// TLSEncrypted is STARTTLS with any certificate, or no mail: it keeps out who
	// only listens.
	TLSEncrypted
)

// errClientTLS marks a STARTTLS that failed half-way and need not have been.
var errClientTLS = errors.New("STARTTLS failed")

// mayFallBack reports whether err is a reason to try without TLS.
func mayFallBack(ctx context.Context, err error) bool {
	return errors.Is(err, errClientTLS) && ctx.Err() == nil
}

// startTLS goes over to TLS and reports whether it did. Unless it must, a server
// that has no TLS or refuses the command is fine.
func (t *HostTLS) startTLS(ctx context.Context, c *Client) (secured bool, err error) {
	if _, ok := c.Extension("STARTTLS"); !ok {
		return false, t.without(ctx, c, ErrNoSTARTTLS)
	}
	r, err := c.do("STARTTLS", "STARTTLS")
	if err == nil && r.code/100 >= 4 {
		return false, t.without(ctx, c, c.refused(r))
	}
	if err == nil && r.code != 220 {
		err = c.unexpected("STARTTLS", r)
	}
	if err != nil {
		t.report(ctx, c, err)
	} else {
		err = t.handshake(ctx, c)
	}
	if err != nil && !t.must() {
		err = fmt.Errorf("%w: %w", errClientTLS, err)
	}
	return err == nil, err
}

// without is what becomes of a connection that stays in the clear, and why it
// does.
func (t *HostTLS) without(ctx context.Context, c *Client, why error) error {
	t.report(ctx, c, why)
	if !t.must() {
		return nil
	}
	return t.failure("4.7.4", "TLS is required, and "+c.host+" has none", why)
}

// handshake puts c under TLS. Nothing that the server sent before is kept: it may
// be another's (RFC 3207 section 4.2).
func (t *HostTLS) handshake(ctx context.Context, c *Client) error {
	cfg := t.config(c.host)
	switch {
	case !t.verifies():
		cfg.InsecureSkipVerify = true
	case !t.standard():
		t.verifyIn(cfg)
	}
	c.r.Reset(c.conn)
	err := c.conn.startTLS(ctx, cfg, c.replyIn)
	t.report(ctx, c, err)
	if err != nil {
		return t.failure("4.7.5", "TLS handshake with "+c.host+" failed", err)
	}
	c.secured = t.nameOf(c.conn.tls(), cfg)
	return nil
}

// config is the tls.Config for host, not to be shared.
func (t *HostTLS) config(host string) *tls.Config {
	cfg := t.Config.Clone()
	if cfg == nil {
		cfg = new(tls.Config)
	}
	if cfg.ServerName == "" {
		cfg.ServerName = strings.TrimSuffix(host, ".")
	}
	return cfg
}

// verifyIn makes cfg's handshake verify as t says, and beside it as cfg did.
func (t *HostTLS) verifyIn(cfg *tls.Config) {
	own := cfg.VerifyConnection
	cfg.InsecureSkipVerify = true
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if err := t.verify(s, cfg); err != nil || own == nil {
			return err
		}
		return own(s)
	}
}

// nameOf is Receipt.TLS.
func (t *HostTLS) nameOf(s *tls.ConnectionState, cfg *tls.Config) string {
	name := strings.ReplaceAll(tls.VersionName(s.Version), " ", "")
	if len(s.VerifiedChains) > 0 || t.verify(*s, cfg) == nil {
		name += clientVerified
	}
	return name
}

// clientVerified ends a Receipt.TLS of which the certificate is good.
const clientVerified = " verified"
