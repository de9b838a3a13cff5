package smtp

import "strings"

// appendRequireTLS is REQUIRETLS (RFC 8689 section 4.2.1). A bounce is worth more
// than its requirement: section 5.
func (c *Client) appendRequireTLS(b []byte, n *clientNeeds) ([]byte, error) {
	if !n.env.RequireTLS {
		return b, nil
	}
	err := c.requireTLS()
	if err == nil {
		return append(b, " REQUIRETLS"...), nil
	}
	if n.env.From == "" {
		return b, nil
	}
	return b, err
}

// requireTLS is why the server is no place for mail that requires TLS.
func (c *Client) requireTLS() error {
	if !strings.HasSuffix(c.secured, clientVerified) {
		return refusal(550, "5.7.10", "Encryption needed: no TLS with a verified certificate with "+c.host)
	}
	if !c.offers("REQUIRETLS") {
		return refusal(550, "5.7.30", "REQUIRETLS support required, and "+c.host+" has none")
	}
	return nil
}
