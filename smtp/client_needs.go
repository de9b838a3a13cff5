package smtp

import (
	"io"

	"github.com/mailparts/mailparts"
)

// clientNeeds is what a transaction needs of the server.
type clientNeeds struct {
	env  *mailparts.Envelope
	size int64  // of the message, 0 if nobody knows
	body string // as in Envelope
	utf8 bool   // SMTPUTF8: of the message, and once MAIL is written of all
	late bool   // nobody but DSN tells of lateness: see appendBy

	again io.ReadSeeker // the message, if it can be sent again from start
	start int64
}

// measure finds what env and msg need. A msg that can seek tells its own size, and
// whether it needs an extension that the server has not; it is as it was
// afterwards.
func (c *Client) measure(env *mailparts.Envelope, msg io.Reader) (clientNeeds, error) {
	n := clientNeeds{env: env, size: env.Size, body: env.Body, utf8: env.UTF8}
	s, ok := msg.(io.ReadSeeker)
	if !ok {
		return n, nil
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe with the methods of a file
		return n, nil
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return n, err
	}
	if _, err = s.Seek(start, io.SeekStart); err != nil {
		return n, err
	}
	n.size, n.again, n.start = end-start, s, start
	body := n.body == "8BITMIME" && !c.offers("8BITMIME")
	if !body && (!n.utf8 || c.offers("SMTPUTF8")) {
		return n, nil
	}
	seven, err := isClient7Bit(s)
	if err != nil {
		return n, err
	}
	if seven {
		n.utf8 = false // RFC 6531 section 3.4
		if body {
			n.body = ""
		}
	}
	return n, n.rewind()
}

// rewind takes a message that can be sent again to where it begins.
func (n *clientNeeds) rewind() error {
	_, err := n.again.Seek(n.start, io.SeekStart)
	return err
}

// isClient7Bit reads msg to its end or its first octet of 8 bits.
func isClient7Bit(msg io.Reader) (bool, error) {
	block := clientBlocks.Get().(*[32 << 10]byte)
	defer clientBlocks.Put(block)
	for {
		n, err := msg.Read(block[:])
		for _, b := range block[:n] {
			if b >= 0x80 {
				return false, nil
			}
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
