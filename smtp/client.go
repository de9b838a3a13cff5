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
//
// All that an Envelope asks for goes to a server that offers the extension, at
// the value that it has then: the seconds that are left, not those there were.
// Where it is not offered the mail is refused rather than corrupted, and rather
// than sent on weaker terms than the sender's:
//
//	Envelope            extension                where it is not offered
//	Size                SIZE, RFC 1870           not said
//	  over its limit                             552 5.3.4
//	Body 8BITMIME       8BITMIME, RFC 6152       554 5.6.3, but for a msg that can seek and has 7 bits
//	Body BINARYMIME     BINARYMIME and CHUNKING, 554 5.6.3
//	                    RFC 3030
//	UTF8                SMTPUTF8, RFC 6531       553 5.6.7, but for a msg that can seek and has 7 bits
//	  an address                                 553 5.6.7; of a recipient: for that one
//	RequireTLS          REQUIRETLS, RFC 8689     550 5.7.30, and 550 5.7.10 without TLS or with a
//	                                             certificate that is not verified; a bounce goes without
//	Ret, EnvID, Notify, DSN, RFC 3461, RFC 6533  not said, and Receipt.DSN is false: what
//	ORcpt                                        NotifySuccess asks for is ours to send
//	AuthSender          AUTH, RFC 4954 section 5 not said, nor to a server that we are a stranger to
//	Priority            MT-PRIORITY, RFC 6710    not said
//	Hold, in the future FUTURERELEASE, RFC 4865  451 4.3.3: later it may go; likewise over its limit
//	By with Return      DELIVERBY, RFC 2852      550 5.3.3, likewise under its limit; 550 5.4.7 when it is past
//	By without Return                            not said, and Receipt.By is false; NOTIFY=DELAY is asked for
//	Rcpt.Since          RRVS, RFC 7293           550 5.7.19, for that recipient
//	  SinceOptional                              not said
//
// A value that its RFC does not allow is refused with 501 5.5.4. MX hosts found
// without DNSSEC or MTA-STS are no place for RequireTLS either (RFC 8689 section
// 2), but that is for who chose the host to know.
//
// The limits of a server with LIMITS (RFC 9422) are kept: see Deliver and Ready.
type Client struct {
	conn *clientConn
	r    *line.Reader
	w    *bufio.Writer
	host string
	name string // ours, in EHLO
	lmtp bool

	replyIn  time.Duration // to a command
	resultIn time.Duration // to a message

	ext      map[string]string // EHLO keywords in upper case
	secured  string            // Receipt.TLS
	loggedIn bool
	chunking bool // BDAT wherever it is offered

	limits  clientLimits
	mails   int                 // MAIL commands so far
	domains map[string]struct{} // of RCPT commands so far, where there is a limit

	text     []byte      // room for a transaction's commands
	inMail   bool        // the server may be in a transaction
	needs    clientNeeds // of that transaction
	accepted int         // RCPTs that were, in it
	err      error       // why the connection is closed
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

// offers is Extension for those who need no parameters.
func (c *Client) offers(keyword string) bool {
	_, ok := c.ext[keyword]
	return ok
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
// In the middle of an envelope that is 421 only: a refusal is of some command.
func (c *Client) lastWords(doing string, err error) error {
	if nerr, ok := errors.AsType[net.Error](err); ok && nerr.Timeout() {
		return c.lost(doing, err)
	}
	c.conn.within(lastWordsTimeout)
	for range clientWindow + 1 { // good ones are to earlier chunks
		r, rerr := readClientReply(c.r)
		if rerr != nil {
			break
		}
		if r.code == 421 || r.code/100 >= 4 && doing != inEnvelope {
			return c.end(c.refused(r))
		}
	}
	return c.lost(doing, err)
}

const lastWordsTimeout = time.Second

// inEnvelope is what is under way when a group of commands is written.
const inEnvelope = "envelope"

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
