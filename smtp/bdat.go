package smtp

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts/internal/line"
)

// chunking is RFC 3030 section 2.
var chunking = extension{keyword: "CHUNKING"}

// binaryMIME is RFC 3030 section 3. What it adds to BODY= of MAIL is with 8BITMIME.
var binaryMIME = extension{
	keyword: "BINARYMIME",
	promise: true,
	offer:   func(*session, string) (string, bool) { return "", true }, // it has no parameter
}

// errAbandoned is a message's end by the peer, which went on to another command,
// or was sent away between two chunks.
var errAbandoned = errors.New("smtp: the peer has abandoned the message")

// bdat is RFC 3030 section 2: the first chunk of a message, and with it all the
// others. An error is for a chunk of which nobody knows where it ends, and closes
// the connection.
func bdat(s *session, arg string) error {
	size, last, err := parseChunk(arg)
	if err != nil {
		return err
	}
	if !s.esmtp {
		return s.skipChunk(size, last, errEHLOFirst)
	}
	if err := s.mayBegin(); err != nil {
		return s.skipChunk(size, last, err)
	}
	defer s.reset() // whatever comes of it, the transaction is over
	c := &chunks{ChunkReader: *line.NewChunkReader(s.in), s: s}
	c.Binary = s.tx.env.Body == "BINARYMIME"
	c.Normalize = s.NormalizeLines
	c.start(size, last)
	m := newMessage(s, "BDAT", c)
	return s.conclude(m, s.deliver(m))
}

// parseChunk takes nothing that another server could read as another size.
func parseChunk(arg string) (size int64, last bool, err error) {
	digits, marker, marked := strings.Cut(arg, " ")
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || marked && !strings.EqualFold(marker, "LAST") {
		return 0, false, errChunkSyntax
	}
	return int64(n), marked, nil
}

// skipChunk reads a chunk that belongs to no message, and then refuses it.
func (s *session) skipChunk(size int64, last bool, refused error) error {
	if size > s.maxDrop() {
		return errTooBig
	}
	s.conn.Rolling(s.dataTimeout)
	if err := s.in.Skip(size); err != nil {
		return lostError{err}
	}
	if s.LMTP && last {
		// RFC 2033 section 4.3: one reply for each recipient, and there is none. One
		// more would be taken for that to the next command.
		s.count("BDAT", s.failure("BDAT", refused))
		return nil
	}
	s.refuse("BDAT", refused)
	return nil
}

// chunks is the source of a message that comes by BDAT. What the peer sends
// between two chunks is answered inside of Read, and so inside of Data's.
type chunks struct {
	line.ChunkReader
	s       *session
	size    int64 // of the chunk
	before  int64 // octets in the chunks before it
	refused bool  // the peer knows that the message is
}

func (c *chunks) start(size int64, last bool) {
	c.before += c.size
	c.size = size
	c.Next(size, last)
	c.s.conn.Rolling(c.s.dataTimeout)
}

// begin has nothing to ask for: the first chunk is there.
func (c *chunks) begin() error { return nil }

// Read refuses what is too big before it has come.
func (c *chunks) Read(p []byte) (int, error) {
	for {
		if limit := c.s.maxMessage; limit > 0 && c.size > limit-c.before {
			return 0, errTooBig
		}
		n, err := c.ChunkReader.Read(p)
		if err != line.ErrChunkEnd {
			return n, err
		}
		c.accept()
		if err := c.next(); err != nil {
			return 0, err
		}
	}
}

// drop answers each chunk: one that was refused, again, for the peer may have sent
// it before it knew (RFC 3030 section 2).
func (c *chunks) drop(refused error, max int64) error {
	for {
		if max -= c.Left(); max < 0 {
			return line.ErrUnfinished
		}
		if err := c.Skip(); err != nil {
			return err
		}
		if c.Last() {
			return nil
		}
		if refused != nil {
			c.refuse(refused)
		} else {
			c.accept()
		}
		if err := c.next(); err != nil {
			return err
		}
	}
}

// accept answers a chunk that is not the last.
func (c *chunks) accept() {
	c.s.out.reply(250, "2.0.0", "OK, "+strconv.FormatInt(c.size, 10)+" octets received")
}

// refuse does that too. Many chunks of one message are one mistake.
func (c *chunks) refuse(err error) {
	if c.refused {
		e := told(err)
		c.s.out.reply(e.Code, e.Status, e.Message)
		return
	}
	c.refused = true
	c.s.refuse("BDAT", err)
}

// next answers commands until BDAT begins the next chunk. Any other error than
// errAbandoned is the connection's. It does not panic, whatever VRFY's hook does:
// a Receiver may read on a goroutine of its own.
func (c *chunks) next() (err error) {
	s := c.s
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			err = errAbandoned
		}
	}()
	for !s.over {
		l, err := s.readLine(maxAuthLine)
		switch {
		case err == line.ErrBare || err == line.ErrTooLong:
			s.badLine(l, err)
			continue
		case err == io.EOF: // of the connection, not of the message
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
		if begun, err := c.execute(l); begun || err != nil {
			return err
		}
	}
	return errAbandoned
}

// execute runs a command line between two chunks. begun reports that it was BDAT.
func (c *chunks) execute(l []byte) (begun bool, err error) {
	s := c.s
	verb, cmd, arg, err := parseCommand(l)
	switch {
	case err != nil || cmd.amid == runs:
		s.execute(l)
	case verb == "BDAT":
		size, last, err := parseChunk(arg)
		if err != nil {
			s.refuseCommand(verb, err)
			return false, nil
		}
		c.start(size, last)
		return true, nil
	case cmd.amid == ends || verb == "MAIL" && c.refused:
		s.in.Unread() // for the session, once Data is over
		return false, errAbandoned
	default:
		s.refuseCommand(verb, errAmidChunks)
	}
	return false, nil
}
