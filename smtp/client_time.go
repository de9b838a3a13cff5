package smtp

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// clientDateTime is RFC 3339's, in UTC and without fractions.
const clientDateTime = "2006-01-02T15:04:05Z"

// appendHold is HOLDUNTIL (RFC 4865). A server that cannot hold the message so
// long will be able to when it is nearer; bounces are not to be held (section
// 5.1.1).
func (c *Client) appendHold(b []byte, n *clientNeeds) ([]byte, error) {
	hold := n.env.Hold
	if !hold.After(time.Now()) {
		return b, nil
	}
	until := hold.UTC().Add(time.Second - 1).Truncate(time.Second)
	if n.env.From == "" || until.After(c.maxHold()) {
		return b, refusal(451, "4.3.3", "Not to be sent before its time, and "+c.host+" does not hold it so long")
	}
	if by := n.env.By; !by.Time.IsZero() && c.offers("DELIVERBY") && !by.Time.After(until) { // section 5.2.1
		return b, errClientParam("times: to be delivered before it may be sent")
	}
	return until.AppendFormat(append(b, " HOLDUNTIL="...), clientDateTime), nil
}

// maxHold is the second parameter of FUTURERELEASE, the zero time without.
func (c *Client) maxHold() time.Time {
	params, _ := c.Extension("FUTURERELEASE")
	_, until, _ := strings.Cut(params, " ")
	most, err := time.Parse(time.RFC3339, strings.TrimSpace(until))
	if err != nil {
		return time.Time{}
	}
	return most
}

// maxBySeconds is the most that by-time has digits for.
const maxBySeconds = 999_999_999

// appendBy is BY (RFC 2852 section 4), with the seconds that are left. A message
// that is late is not to be sent if it is to be returned then, nor may it go where
// nobody watches its time (section 4.1.4.1). One that is not to be returned may:
// its recipients' NOTIFY then asks to hear of delays (section 4.1.4.2).
func (c *Client) appendBy(b []byte, n *clientNeeds) ([]byte, error) {
	by := n.env.By
	if by.Time.IsZero() {
		return b, nil
	}
	least, ok := c.Extension("DELIVERBY")
	left := max(-maxBySeconds, min(maxBySeconds, int64(time.Until(by.Time)/time.Second)))
	switch {
	case by.Return && left <= 0:
		return b, refusal(550, "5.4.7", "Delivery time expired")
	case by.Return && (!ok || left < minBySeconds(least)):
		return b, refusal(550, "5.3.3", c.host+" cannot see to delivery in time")
	case !ok:
		n.late = left > 0
		return b, nil
	}
	b = strconv.AppendInt(append(b, " BY="...), left, 10)
	if by.Return {
		b = append(b, ";R"...)
	} else {
		b = append(b, ";N"...)
	}
	if by.Trace {
		b = append(b, 'T')
	}
	return b, nil
}

// minBySeconds is the min-by-time of DELIVERBY's parameter (RFC 2852 section 2).
func minBySeconds(params string) int64 {
	s, _, _ := strings.Cut(params, ",")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// appendSince is RRVS (RFC 7293 section 5.1.1). A server without it would give the
// message to whoever has the mailbox now, which only SinceOptional allows.
func (c *Client) appendSince(b []byte, to *mailparts.Rcpt) ([]byte, error) {
	if to.Since.IsZero() {
		return b, nil
	}
	if !c.offers("RRVS") {
		if to.SinceOptional {
			return b, nil
		}
		return b, refusal(550, "5.7.19", c.host+" cannot tell since when the mailbox has its owner")
	}
	b = to.Since.UTC().AppendFormat(append(b, " RRVS="...), clientDateTime)
	if to.SinceOptional {
		b = append(b, ";C"...)
	}
	return b, nil
}
