package pop3

import (
	"errors"
	"io"
	"sync"

	"github.com/mailparts/mailparts/internal/line"
)

// chunks are what bodies are read into.
var chunks = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// body opens messages[i].
func (s *session) body(i int) (*body, error) {
	m := &s.drop.messages[i]
	r, err := s.drop.mailbox.Body(s.ctx, m.uid)
	if err != nil {
		return nil, err
	}
	return &body{r: r, left: m.size}, nil
}

// body is a message that does not end before its size: what a store has lost
// must not pass for the whole.
type body struct {
	r    io.ReadCloser
	left int64
}

var errShort = errors.New("the message is shorter than its size")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = errShort
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error { return b.r.Close() }

// send calls reply for the first line and sends what r yields. If the first Read
// fails, nothing is written and send returns the error. After a later failure
// only the connection's end can tell: with a proper end, what was sent would pass
// for the whole message.
func (s *session) send(r io.Reader, reply func()) error {
	chunk := chunks.Get().(*[32 << 10]byte)
	defer chunks.Put(chunk)
	n, err := r.Read(chunk[:])
	if err != nil && err != io.EOF {
		return err
	}
	reply()
	s.partway = true
	out := line.NewDotWriter(&s.out)
	out.LoneCR = true
	for {
		if _, err := out.Write(chunk[:n]); err == line.ErrBare {
			return s.unreadable(err)
		} else if err != nil {
			return &lostConnection{err}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return s.unreadable(err)
		}
		n, err = r.Read(chunk[:])
	}
	if err := out.Close(); err != nil {
		return &lostConnection{err}
	}
	s.partway = false
	return nil
}

var errUnreadable = errors.New("a message could not be read to its end")

// unreadable gives up a message of which a part has been sent.
func (s *session) unreadable(err error) error {
	s.log.Error("cannot read a message to its end", "user", s.account, "err", err)
	return &lostConnection{errUnreadable}
}
