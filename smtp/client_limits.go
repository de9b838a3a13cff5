package smtp

import (
	"strconv"
	"strings"
)

// clientLimits are what LIMITS says (RFC 9422 section 4), each 0 for none.
type clientLimits struct {
	mails   int // MAIL commands in a session: MAILMAX
	rcpts   int // RCPT commands in a transaction: RCPTMAX
	domains int // of RCPT commands, in a session: RCPTDOMAINMAX
}

// parseClientLimits ignores all of a parameter that is malformed, and a limit
// that is (RFC 9422 section 3.7).
func parseClientLimits(params string) clientLimits {
	var l clientLimits
	for p := range strings.SplitSeq(params, " ") {
		name, value, valued := strings.Cut(p, "=")
		if !validLimitName(name) || valued && !validLimitValue(value) {
			return clientLimits{}
		}
		n := limitNumber(value)
		switch strings.ToUpper(name) {
		case "MAILMAX":
			l.mails = n
		case "RCPTMAX":
			l.rcpts = n
		case "RCPTDOMAINMAX":
			l.domains = n
		}
	}
	return l
}

func validLimitName(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && s[i] != '-' && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

func validLimitValue(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' || s[i] == ';' {
			return false
		}
	}
	return s != ""
}

// limitNumber is %x31-39 0*5DIGIT, or else 0.
func limitNumber(s string) int {
	if len(s) == 0 || len(s) > 6 || s[0] < '1' || s[0] > '9' {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// Ready reports whether the connection is good for a message more, as far as we
// know: it is open, and its server's limits (RFC 9422) leave room for another
// transaction and for recipients of domains.
func (c *Client) Ready(domains ...string) bool {
	if c.err != nil || c.conn.isClosed() || c.mailsSpent() {
		return false
	}
	if c.limits.domains == 0 {
		return true
	}
	more := map[string]struct{}{}
	for _, d := range domains {
		if d = strings.ToLower(d); !c.knows(d) {
			more[d] = struct{}{}
		}
	}
	return len(c.domains)+len(more) <= c.limits.domains
}

func (c *Client) mailsSpent() bool { return c.limits.mails > 0 && c.mails >= c.limits.mails }

func (c *Client) knows(domain string) bool {
	_, ok := c.domains[domain]
	return ok
}

// enter counts the domain of a recipient, and reports whether it may be named.
func (c *Client) enter(domain string) bool {
	if c.limits.domains == 0 || c.knows(domain) {
		return true
	}
	if len(c.domains) >= c.limits.domains {
		return false
	}
	if c.domains == nil {
		c.domains = map[string]struct{}{}
	}
	c.domains[domain] = struct{}{}
	return true
}

// What is over a limit may go by another connection, or in another transaction.
func errClientMails(host string) error {
	return refusal(452, "4.5.3", host+" takes no more messages on this connection")
}

func errClientRcpts(host string) error {
	return refusal(452, "4.5.3", host+" takes no more recipients at once")
}

func errClientDomains(host string) error {
	return refusal(452, "4.5.3", host+" takes no more domains on this connection")
}
