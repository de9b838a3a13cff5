package smtp

import (
	"fmt"

	"github.com/mailparts/mailparts"
)

// refused is a reply of 4xx or 5xx as the outcome that it is.
func (c *Client) refused(r clientReply) *mailparts.Error {
	return &mailparts.Error{Code: r.code, Status: r.status, Message: r.text, Host: c.host}
}

// lost ends the connection, on which nothing more can be said, and is a temporary
// outcome. doing says what was under way.
func (c *Client) lost(doing string, err error) error {
	return c.end(&mailparts.Error{Code: 451, Status: "4.4.2", Message: "Connection with " + c.host + " lost",
		Err: fmt.Errorf("%s: %w", doing, err)})
}

// babble ends the connection with a server that does not speak SMTP.
func (c *Client) babble(doing string, err error) error {
	return c.end(&mailparts.Error{Code: 451, Status: "4.5.0", Message: "Protocol error of " + c.host,
		Err: fmt.Errorf("%s: %w", doing, err)})
}

// unexpected is babble about a reply that doing cannot have.
func (c *Client) unexpected(doing string, r clientReply) error {
	return c.babble(doing, fmt.Errorf("%w here: %s", ErrBadReply, r))
}

// end closes the connection because of err, which every later call returns.
func (c *Client) end(err error) error {
	if c.err == nil {
		c.err = err
		c.conn.close()
	}
	return err
}
