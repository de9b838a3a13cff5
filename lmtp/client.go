package lmtp

import (
	"cmp"
	"context"
	"io"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// Client is a Deliverer that hands mail to an LMTP server, such as Dovecot's. The
// zero value is ready for use. A Client must not be copied after first use.
//
// What the server answers to each recipient is that recipient's result (RFC 2033
// section 4.2). A server that cannot be reached or does not let us in is a
// temporary failure, whatever it says: that is no fault of the mail. Mail that
// requires TLS (RFC 8689) needs none on this machine.
type Client struct {
	Addr   string      // "host:port" or "unix:/path" ["localhost:24"]
	Dialer smtp.Dialer // its LMTP counts as set
	Pool   smtp.Pool   // keeps connections for the messages that follow
}

var _ mailparts.Deliverer = (*Client)(nil)

// Deliver implements mailparts.Deliverer.
func (c *Client) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	d := c.Dialer
	d.LMTP = true
	return c.Pool.Deliver(ctx, &d, cmp.Or(c.Addr, "localhost:24"), env, msg)
}

// Close ends the connections that wait for another message: see smtp.Pool.Close. A
// Client that is never closed lets them go after Pool.IdleTimeout.
func (c *Client) Close() error { return c.Pool.Close() }
