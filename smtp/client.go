package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts/internal/line"
)

// clientBuffer is the size of a Client's write buffer.
const clientBuffer = 16 << 10

// Client is a connection to an SMTP or LMTP server that is ready for mail, as
// Dialer.Dial returns it. Deliver sends a message to all its recipients; Mail,
// Rcpt and Data are its steps. One goroutine at a time may use a Client; Close
// may be called by any.
//
// The end of a call's context interrupts it at once and closes the connection, as
// do a timeout, a server that goes away or does not speak SMTP, and 421: every
// later call fails with the same error. Errors are *mailparts.Error, with Host
// for what the server said.
type Client struct {
	conn *clientConn
	r    *line.Reader
	w    *bufio.Writer
	host string
	lmtp bool

	replyIn  time.Duration // to a command
	resultIn time.Duration // to a message

	ext      map[string]string // EHLO keywords in upper case
	secured  string            // Receipt.TLS
	inMail   bool              // the server may be in a transaction
	accepted int               // RCPTs that were, in this transaction
	err      error             // why the connection is closed
}

// Host is the server's name as it was dialled.
func (c *Client) Host() string { return c.host }

// TLS is the state of TLS, nil without.
func (c *Client) TLS() *tls.ConnectionState { return c.conn.tls() }

// Extension reports whether the server offers an extension, by its EHLO keyword,
// and with which parameters.
func (c *Client) Extension(keyword string) (params string, ok bool) {
	params, ok = c.ext[strings.ToUpper(keyword)]
	return params, ok
}

// Extensions returns the EHLO keywords that the server offers, sorted.
func (c *Client) Extensions() []string { return slices.Sorted(maps.Keys(c.ext)) }

// Noop asks whether the server is still there.
func (c *Client) Noop(ctx context.Context) error { return c.simple(ctx, "NOOP") }

// Reset aborts the transaction that Mail began.
func (c *Client) Reset(ctx context.Context) error {
	err := c.simple(ctx, "RSET")
	if err == nil {
		c.inMail, c.accepted = false, 0
	}
	return err
}

// quitTimeout is how long a server may take to say goodbye, when all is done.
const quitTimeout = 5 * time.Second

// Quit says goodbye, waits five seconds at most for the answer and closes the
// connection. A connection that is closed already is no error.
func (c *Client) Quit(ctx context.Context) error {
	if c.err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, quitTimeout)
	defer cancel()
	err := c.simple(ctx, "QUIT")
	if err == nil {
		c.conn.goodbye()
	}
	return err
}

// Close closes the connection without a word: a transaction under way is void.
func (c *Client) Close() error { return c.conn.close() }

// begin starts a call.
func (c *Client) begin(ctx context.Context) (release func(), err error) {
	if c.err != nil {
		return nil, c.err
	}
	return c.conn.bind(ctx), nil
}

// simple runs a command without arguments that is answered 2xx.
func (c *Client) simple(ctx context.Context, verb string) error {
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	r, err := c.do(verb, verb)
	if err != nil {
		return err
	}
	return c.positive(verb, r)
}

// positive turns any reply but 2xx into an error.
func (c *Client) positive(doing string, r clientReply) error {
	switch r.code / 100 {
	case 2:
		return nil
	case 3:
		return c.unexpected(doing, r)
	}
	return c.refused(r)
}

// do sends one line and reads its reply.
func (c *Client) do(doing, cmd string) (clientReply, error) {
	c.w.WriteString(cmd)
	c.w.WriteString("\r\n")
	if err := c.flush(doing); err != nil {
		return clientReply{}, err
	}
	return c.reply(doing, c.replyIn)
}

// flush writes what is buffered. If the server is gone it may have said why.
func (c *Client) flush(doing string) error {
	if err := c.w.Flush(); err != nil {
		return c.lastWords(doing, err)
	}
	return nil
}

// lastWords is what the server said before it went away, or else that it is lost.
func (c *Client) lastWords(doing string, err error) error {
	if nerr, ok := errors.AsType[net.Error](err); ok && nerr.Timeout() {
		return c.lost(doing, err)
	}
	c.conn.within(lastWordsTimeout)
	if r, rerr := readClientReply(c.r); rerr == nil && r.code/100 >= 4 {
		return c.end(c.refused(r))
	}
	return c.lost(doing, err)
}

const lastWordsTimeout = time.Second

// reply reads the next reply. 421 ends the connection whatever it answers (RFC
// 5321 section 3.8).
func (c *Client) reply(doing string, timeout time.Duration) (clientReply, error) {
	c.conn.within(timeout)
	r, err := readClientReply(c.r)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	switch {
	case errors.Is(err, ErrBadReply):
		return r, c.babble(doing, err)
	case err != nil:
		return r, c.lost(doing, err)
	case r.code == 421:
		return r, c.end(c.refused(r))
	}
	return r, nil
}
