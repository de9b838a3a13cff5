package smtp

import (
	"crypto/tls"
	"errors"
	"os"
)

// silent reports whether the server has said nothing since its last reply, not
// even that it is gone.
func (c *clientConn) silent() bool { return c.recordsSilent() && c.socketSilent() }

// recordsSilent reports whether TLS holds nothing that came with what was read: a
// Read whose time is over looks at that, and no further.
func (c *clientConn) recordsSilent() bool {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return true
	}
	if c.raw.SetReadDeadline(longAgo) != nil {
		return false
	}
	n, err := t.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, os.ErrDeadlineExceeded)
}
