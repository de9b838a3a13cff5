package smtp

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/mailparts/mailparts/internal/line"
)

// minDiscard is how much of a message that nobody wants is read at least, to
// answer at its end, before the connection is closed in the middle of it.
const minDiscard = 50 << 20

// errReturned is for a Read that comes after Data has returned: the octets are
// the session's again.
var errReturned = errors.New("smtp: read of a message after Data has returned")

// message is what Transaction.Data reads: the Received field and the content. Its
// error is io.EOF at CRLF.CRLF, and never before.
type message struct {
	mu      sync.Mutex // a Read may be under way on another goroutine when Data returns
	retired bool

	s     *session
	head  string // to be given out next: what is left of the Received field
	body  *line.DotReader
	size  int64 // of content read
	asked bool  // 354 is written
	err   error // sticky
}

func newMessage(s *session) *message {
	m := &message{s: s, body: line.NewDotReader(s.in)}
	m.body.Normalize = s.NormalizeLines
	return m
}

// Read implements io.Reader.
func (m *message) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.retired:
		return 0, errReturned
	case !m.asked:
		m.ask()
	}
	if m.err != nil || len(p) == 0 {
		return 0, m.err
	}
	if m.head != "" {
		n := copy(p, m.head)
		m.head = m.head[n:]
		return n, nil
	}
	n, err := m.body.Read(p)
	first := m.size == 0
	m.size += int64(n)
	if first && n > 0 && (p[0] == ' ' || p[0] == '\t') {
		// It would continue the Received field (RFC 5322 section 2.2.3), and is a body.
		m.head = "\r\n" + string(p[:n])
		n = copy(p, m.head)
		m.head = m.head[n:]
	}
	switch limit := m.s.maxMessage; {
	case limit > 0 && m.size > limit:
		n, err = 0, errTooBig
	case err == line.ErrBare:
		err = errBare
	}
	m.err = err
	return n, err
}

// ask tells the peer to go ahead.
func (m *message) ask() {
	m.asked = true
	m.head = m.s.received(time.Now())
	m.s.conn.Rolling(m.s.dataTimeout)
	m.s.out.plain(354, "End data with <CR><LF>.<CR><LF>")
	m.err = m.s.out.flush()
}

// retire ends the Reads.
func (m *message) retire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retired = true
}

// finish reads what is left of the message, so that none of it is taken for a
// command. Nil means that the session stands after its end.
func (m *message) finish() error {
	if !m.asked {
		m.ask()
	}
	switch m.err {
	case nil, errTooBig, errBare:
		return m.body.Discard(max(m.s.maxMessage, minDiscard))
	case io.EOF:
		return nil
	}
	return m.err
}

// refusal is why the content itself is refused, whatever Data made of the error.
func (m *message) refusal() error {
	if m.err == errTooBig || m.err == errBare {
		return m.err
	}
	return nil
}
