package smtp

import (
	"context"

	"github.com/mailparts/mailparts"
)

// Mail begins a transaction from env.From, and aborts one under way. What env asks
// for is said or refused as Client's table has it.
func (c *Client) Mail(ctx context.Context, env *mailparts.Envelope) error {
	needs := clientNeeds{env: env, size: env.Size, body: env.Body, utf8: env.UTF8}
	cmd, err := c.appendMail(nil, &needs)
	if err != nil {
		return err
	}
	if c.err == nil && c.mailsSpent() {
		return errClientMails(c.host)
	}
	if c.inMail {
		if err := c.Reset(ctx); err != nil {
			return err
		}
	}
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	c.startMail(needs)
	r, err := c.do("MAIL", string(cmd))
	if err != nil {
		return err
	}
	return c.positive("MAIL", r)
}

// startMail notes that MAIL is being said.
func (c *Client) startMail(needs clientNeeds) {
	c.inMail, c.accepted, c.needs = true, 0, needs
	c.mails++
}

// Rcpt adds a recipient to the transaction.
func (c *Client) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	cmd, err := c.appendRcpt(nil, to, &c.needs)
	if err != nil {
		return err
	}
	if !c.enter(to.Addr.Domain()) {
		return errClientDomains(c.host)
	}
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	r, err := c.do("RCPT", string(cmd))
	if err != nil {
		return err
	}
	err = c.positive("RCPT", r)
	if err == nil {
		c.accepted++
	}
	return err
}

// clientMailParams are what MAIL says beside the sender, each as Client's table
// has it. They append to b, or tell why there can be no mail.
var clientMailParams = []func(c *Client, b []byte, n *clientNeeds) ([]byte, error){
	(*Client).appendSize,
	(*Client).appendBody,
	(*Client).appendUTF8,
	(*Client).appendRequireTLS,
	(*Client).appendDSN,
	(*Client).appendAuth,
	(*Client).appendPriority,
	(*Client).appendHold,
	(*Client).appendBy,
}

// appendMail appends the MAIL command, without its CRLF, and completes n.
func (c *Client) appendMail(b []byte, n *clientNeeds) ([]byte, error) {
	if !isClientPath(n.env.From) {
		return b, refusal(553, "5.1.7", "Malformed sender address")
	}
	b = append(append(append(b, "MAIL FROM:<"...), n.env.From...), '>')
	for _, param := range clientMailParams {
		var err error
		if b, err = param(c, b, n); err != nil {
			return b, err
		}
	}
	return b, nil
}

// appendRcpt appends the RCPT command, without its CRLF.
func (c *Client) appendRcpt(b []byte, to *mailparts.Rcpt, n *clientNeeds) ([]byte, error) {
	if to.Addr == "" || !isClientPath(to.Addr) {
		return b, refusal(553, "5.1.3", "Malformed recipient address")
	}
	if !n.utf8 && !to.Addr.IsASCII() {
		return b, errClientUTF8(c.host)
	}
	b = append(append(append(b, "RCPT TO:<"...), to.Addr...), '>')
	b, err := c.appendNotify(b, to, n)
	if err != nil {
		return b, err
	}
	return c.appendSince(b, to)
}

// errClientParam is a value of an Envelope that its RFC does not allow.
func errClientParam(what string) error {
	return refusal(501, "5.5.4", "Malformed "+what)
}

// isClientPath reports whether a stays between its angle brackets. Those of
// mailparts.ParseAddress do; one made by hand might end the command, or add a
// parameter or a command to it. An address literal may hold angle brackets by RFC
// 5321 section 4.1.3: none that is in use does, and not every server would see
// where such a path ends.
func isClientPath(a mailparts.Address) bool {
	quoted := false
	for i := 0; i < len(a); i++ {
		switch c := a[i]; {
		case c < ' ' || c == 0x7f:
			return false
		case quoted && c == '\\':
			if i++; i == len(a) || a[i] < ' ' || a[i] > '~' {
				return false
			}
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '<' || c == '>' || c == '\\'):
			return false
		}
	}
	return !quoted
}
