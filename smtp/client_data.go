package smtp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
)

// clientBlocks are buffers for messages on their way out.
var clientBlocks = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// Data sends msg to the recipients that Rcpt took and returns the server's
// answer. An LMTP server answers for each (RFC 2033 section 4.2): if they differ
// the error is mailparts.RcptErrors in the order of those recipients, and the
// answer the first good one.
//
// msg goes by BDAT where the server offers CHUNKING (RFC 3030), unless the Dialer
// has NoChunking, and by DATA elsewhere; what the server gets is the same. It must
// have CRLF line ends, but for BINARYMIME. One with a CR or LF alone is refused
// with 5.6.0, and a read error other than io.EOF is returned as it is: the server
// gets no message. DATA can be left by closing the connection only.
func (c *Client) Data(ctx context.Context, msg io.Reader) (reply string, err error) {
	err = c.data(ctx, msg, func(_ int, r clientReply) {
		if reply == "" {
			reply = r.String()
		}
	})
	return reply, err
}

// data is Data. taken is told of the good answers.
func (c *Client) data(ctx context.Context, msg io.Reader, taken func(i int, r clientReply)) error {
	if c.err == nil && c.accepted == 0 {
		return refusal(554, "5.5.1", "No valid recipients")
	}
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer release()
	if !c.chunks(&c.needs) {
		if err := c.openData(); err != nil {
			return err
		}
	}
	bad, failed := c.content(msg)
	if bad != nil || failed != nil {
		c.accepted = 0
		return cmp.Or(bad, failed)
	}
	errs := make(mailparts.RcptErrors, c.accepted)
	c.results(len(errs), func(i int, r clientReply, err error) {
		if errs[i] = err; err == nil {
			taken(i, r)
		}
	})
	return uniform(errs)
}

// openData says DATA.
func (c *Client) openData() error {
	r, err := c.do("DATA", "DATA")
	if err != nil || r.code == 354 {
		return err
	}
	if err := c.positive("DATA", r); err != nil {
		return err
	}
	return c.unexpected("DATA", r)
}

// content sends msg, and leaves its results to be read. bad says that msg is no
// message, failed that the server did not take it or is gone; either way the server
// has none.
func (c *Client) content(msg io.Reader) (bad, failed error) {
	returned := false
	defer func() {
		if !returned { // a Read has panicked: what comes next would be content
			c.abandon(errPanicked)
		}
	}()
	bad, failed = c.write(msg)
	returned = true
	return bad, failed
}

var errPanicked = errors.New("panic in a Read of the message")

// write is content, for a msg that does not panic.
func (c *Client) write(msg io.Reader) (bad, failed error) {
	if c.chunks(&c.needs) {
		return c.sendChunks(msg)
	}
	return c.send(msg)
}

// send writes msg and its final dot. bad says that msg is no message, lost that
// the connection is gone; either way the server has none.
func (c *Client) send(msg io.Reader) (bad, lost error) {
	block := clientBlocks.Get().(*[32 << 10]byte)
	defer clientBlocks.Put(block)
	dots := line.NewDotWriter(c.w)
	for {
		n, rerr := msg.Read(block[:])
		if _, err := dots.Write(block[:n]); err != nil {
			return c.unsent(err)
		}
		if rerr == io.EOF {
			break
		}
		if rerr != nil {
			c.abandon(rerr)
			return rerr, nil
		}
	}
	if err := dots.Close(); err != nil {
		return c.unsent(err)
	}
	return nil, c.flush("message")
}

// unsent sorts the errors of a line.DotWriter.
func (c *Client) unsent(err error) (bad, lost error) {
	if errors.Is(err, line.ErrBare) {
		c.abandon(err)
		return errClientBare, nil
	}
	return nil, c.lastWords("message", err)
}

// abandon closes the connection, which is the only way to leave a message.
func (c *Client) abandon(why error) {
	c.end(&mailparts.Error{Code: 451, Status: "4.4.2", Message: "Connection with " + c.host + " closed",
		Err: fmt.Errorf("message abandoned: %w", why)})
}

// results reads the answers to a message for n recipients: one for all of them,
// or in LMTP one for each.
func (c *Client) results(n int, result func(i int, r clientReply, err error)) {
	var r clientReply
	var err error
	for i := range n {
		if i == 0 || c.lmtp && c.err == nil {
			if r, err = c.reply("end of message", c.resultIn); err == nil {
				err = c.positive("end of message", r)
			}
		}
		result(i, r, err)
	}
	c.inMail, c.accepted, c.needs = false, 0, clientNeeds{}
}
