package dnscheck

import (
	"context"
	"errors"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
)

// RefuseNullMX is a check for mailparts.OnMail that refuses a sender whose domain
// takes no mail and says so, with 550 5.7.27: no bounce could reach it, nor any
// answer (RFC 7505 section 4.1). It refuses nobody else: not the null sender, and
// not one about whose domain the DNS tells nothing now. Nil: a dns.Client with the
// name servers of this machine.
func RefuseNullMX(r mailparts.Resolver) func(ctx context.Context, env *mailparts.Envelope) error {
	if r == nil {
		r = new(dns.Client)
	}
	return func(ctx context.Context, env *mailparts.Envelope) error {
		domain := env.From.Domain()
		if domain == "" || strings.HasPrefix(domain, "[") {
			return nil
		}
		if _, err := mailparts.LookupMX(ctx, r, domain); errors.Is(err, mailparts.ErrNullMX) {
			return &mailparts.Error{Code: 550, Status: "5.7.27", Message: "The sender's domain accepts no mail", Err: err}
		}
		return nil
	}
}
