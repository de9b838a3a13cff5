package smtp

import (
	"cmp"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/mailparts/mailparts/internal/line"
)

// minDiscard is how much of a message that nobody wants is read at least, to
// answer at its end, before the connection is closed in the middle of it.
const minDiscard = 50 << 20

// maxDrop is how much that nobody wants is read.
func (s *settings) maxDrop() int64 { return max(s.maxMessage, cmp.Or(s.minDiscard, minDiscard)) }

// errReturned is for a Read that comes after Data has returned: the octets are
// the session's again.
var errReturned = errors.New("smtp: read of a message after Data has returned")

// source is where a message's content comes from: the lines after DATA, or the
// chunks of BDAT. The session stands after the message once Read has returned
// io.EOF, or drop nil.
type source interface {
	// begin comes before everything else: at Data's first Read, or after Data.
	begin() error
	// Read fails with line.ErrBare, errTooBig, or for good.
	io.Reader
	// drop reads on to the end of a message that nobody wants, at most max octets
	// of it. refused is why it is refused, nil if it is taken all the same.
	drop(refused error, max int64) error
}

// message is what Transaction.Data reads: the Received field and the content. Its
// error is io.EOF at the end of the content, and never before.
type message struct {
	mu      sync.Mutex // a Read may be under way on another goroutine when Data returns
	retired bool

	s     *session
	verb  string // DATA or BDAT
	from  source
	head  []byte // to be given out next: what is left of the Received field
	size  int64  // of content read
	begun bool
	err   error // sticky
}

func newMessage(s *session, verb string, from source) *message {
	return &message{s: s, verb: verb, from: from}
}

// Read implements io.Reader.
func (m *message) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.retired:
		return 0, errReturned
	case !m.begun:
		m.begin()
	}
	if m.err != nil || len(p) == 0 {
		return 0, m.err
	}
	if len(m.head) > 0 {
		n := copy(p, m.head)
		m.head = m.head[n:]
		return n, nil
	}
	n, err := m.from.Read(p)
	first := m.size == 0
	m.size += int64(n)
	if first && n > 0 && (p[0] == ' ' || p[0] == '\t') {
		// It would continue the Received field (RFC 5322 section 2.2.3), and is a body.
		m.head = append([]byte("\r\n"), p[:n]...)
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

func (m *message) begin() {
	m.begun = true
	m.head = m.s.received(time.Now())
	m.err = m.from.begin()
}

// retire ends the Reads.
func (m *message) retire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retired = true
}

// finish reads what is left of the message, so that none of it is taken for a
// command. Nil means that the session stands after its end. refused is why nobody
// has the message.
func (m *message) finish(refused error) error {
	if !m.begun {
		m.begin()
	}
	switch m.err {
	case nil, errTooBig, errBare:
		return m.from.drop(refused, m.s.maxDrop())
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
