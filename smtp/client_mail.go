package smtp

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// Mail begins a transaction from env.From, and aborts one under way. SIZE, BODY
// and SMTPUTF8 are said where env has them and the server offers them. What it
// needs and the server does not offer is refused here: 8BITMIME and BINARYMIME
// with 5.6.3, SMTPUTF8 with 5.6.7, a size over the server's limit with 5.3.4.
func (c *Client) Mail(ctx context.Context, env *mailparts.Envelope) error {
	cmd, err := c.mailCommand(env, env.Size, env.Body)
	if err != nil {
		return err
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
	c.inMail, c.accepted = true, 0
	r, err := c.do("MAIL", cmd)
	if err != nil {
		return err
	}
	return c.positive("MAIL", r)
}

// Rcpt adds a recipient to the transaction.
func (c *Client) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	if err := checkClientRcpt(to.Addr); err != nil {
		return err
	}
	if _, ok := c.Extension("SMTPUTF8"); !ok && !to.Addr.IsASCII() {
		return errClientUTF8(c.host)
	}
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	r, err := c.do("RCPT", "RCPT TO:<"+string(to.Addr)+">")
	if err != nil {
		return err
	}
	err = c.positive("RCPT", r)
	if err == nil {
		c.accepted++
	}
	return err
}

// mailCommand is the MAIL command, or why there can be none. size is 0 if it is
// not known.
func (c *Client) mailCommand(env *mailparts.Envelope, size int64, body string) (string, error) {
	if !isClientPath(env.From) {
		return "", refusal(553, "5.1.7", "Malformed sender address")
	}
	var b strings.Builder
	b.WriteString("MAIL FROM:<" + string(env.From) + ">")
	if limit, ok := c.Extension("SIZE"); ok && size > 0 { // RFC 1870
		if n, err := strconv.ParseInt(limit, 10, 64); err == nil && n > 0 && size > n {
			return "", refusal(552, "5.3.4", fmt.Sprintf("Message of %d octets is over the limit of %s, %d", size, c.host, n))
		}
		fmt.Fprintf(&b, " SIZE=%d", size)
	}
	_, eight := c.Extension("8BITMIME")
	switch {
	case body == "8BITMIME" && eight: // RFC 6152
		b.WriteString(" BODY=8BITMIME")
	case body == "8BITMIME" || body == "BINARYMIME":
		return "", refusal(554, "5.6.3", c.host+" does not take "+body+" messages")
	}
	if needsClientUTF8(env) { // RFC 6531 section 3.4
		if _, ok := c.Extension("SMTPUTF8"); !ok {
			return "", errClientUTF8(c.host)
		}
		b.WriteString(" SMTPUTF8")
	}
	return b.String(), nil
}

func needsClientUTF8(env *mailparts.Envelope) bool {
	if env.UTF8 || !env.From.IsASCII() {
		return true
	}
	for i := range env.To {
		if !env.To[i].Addr.IsASCII() {
			return true
		}
	}
	return false
}

func errClientUTF8(host string) error {
	return refusal(553, "5.6.7", host+" does not take internationalized mail")
}

// checkClientRcpt refuses what cannot be written after "RCPT TO:<".
func checkClientRcpt(a mailparts.Address) error {
	if a == "" || !isClientPath(a) {
		return refusal(553, "5.1.3", "Malformed recipient address")
	}
	return nil
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
