package smtp

import (
	"fmt"
	"strconv"
)

// appendSize is SIZE (RFC 1870).
func (c *Client) appendSize(b []byte, n *clientNeeds) ([]byte, error) {
	limit, ok := c.Extension("SIZE")
	if !ok || n.size <= 0 {
		return b, nil
	}
	if limit == "" {
		limit = "0" // RFC 1870 section 3: no limit that is known
	}
	if most, err := strconv.ParseInt(limit, 10, 64); err == nil && most > 0 && n.size > most {
		return b, refusal(552, "5.3.4", fmt.Sprintf("Message of %d octets is over the limit of %s, %d", n.size, c.host, most))
	}
	return strconv.AppendInt(append(b, " SIZE="...), n.size, 10), nil
}

// appendBody is BODY (RFC 6152, and RFC 3030 section 3: BINARYMIME only with
// CHUNKING).
func (c *Client) appendBody(b []byte, n *clientNeeds) ([]byte, error) {
	ok := false
	switch n.body {
	case "", "7BIT":
		return b, nil
	case "8BITMIME":
		ok = c.offers("8BITMIME")
	case "BINARYMIME":
		ok = c.offers("BINARYMIME") && c.offers("CHUNKING")
	default:
		return b, errClientParam("body type")
	}
	if !ok {
		return b, refusal(554, "5.6.3", c.host+" does not take "+n.body+" messages")
	}
	return append(append(b, " BODY="...), n.body...), nil
}

// appendUTF8 is SMTPUTF8 (RFC 6531 section 3.4). Without it the recipients that
// need it are refused one by one.
func (c *Client) appendUTF8(b []byte, n *clientNeeds) ([]byte, error) {
	n.utf8 = n.utf8 || !n.env.From.IsASCII()
	if !c.offers("SMTPUTF8") {
		if n.utf8 {
			return b, errClientUTF8(c.host)
		}
		return b, nil
	}
	for i := range n.env.To {
		n.utf8 = n.utf8 || !n.env.To[i].Addr.IsASCII()
	}
	if n.utf8 {
		b = append(b, " SMTPUTF8"...)
	}
	return b, nil
}

func errClientUTF8(host string) error {
	return refusal(553, "5.6.7", host+" does not take internationalized mail")
}
