package smtp

import "strconv"

// appendPriority is MT-PRIORITY, which a server that knows it is always told (RFC
// 6710 section 4.2).
func (c *Client) appendPriority(b []byte, n *clientNeeds) ([]byte, error) {
	if !c.offers("MT-PRIORITY") {
		return b, nil
	}
	p := n.env.Priority
	if p < -9 || p > 9 {
		return b, errClientParam("priority")
	}
	return strconv.AppendInt(append(b, " MT-PRIORITY="...), int64(p), 10), nil
}
