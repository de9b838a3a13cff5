package lmtp

import (
	"cmp"
	"context"
	"io"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// Client is a Deliverer that hands mail to an LMTP server, such as Dovecot's, one
// connection per message. The zero value is ready for use.
//
// What the server answers to each recipient is that recipient's result (RFC 2033
// section 4.2). A server that cannot be reached or does not let us in is a
// temporary failure, whatever it says: that is no fault of the mail.
type Client struct {
	Addr   string      // "host:port" or "unix:/path" ["localhost:24"]
	Dialer smtp.Dialer // its LMTP counts as set
}

var _ mailparts.Deliverer = (*Client)(nil)

// Deliver implements mailparts.Deliverer.
func (c *Client) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	d := c.Dialer
	d.LMTP = true
	conn, err := d.Dial(ctx, cmp.Or(c.Addr, "localhost:24"))
	if err != nil {
		if !mailparts.AsError(err).Temporary() {
			err = &mailparts.Error{Code: 451, Status: "4.3.5", Message: "The LMTP server does not let us in", Err: err}
		}
		return err
	}
	defer conn.Quit(ctx)
	return conn.Deliver(ctx, env, msg)
}
