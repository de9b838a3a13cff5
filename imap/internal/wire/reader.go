package wire

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/mailparts/mailparts/internal/line"
)

// What can be wrong with a command before it is parsed. All that was on its way has
// been read and dropped: the Reader stands at the start of the next command. With
// ErrFlood it does not, and the connection has to end.
var (
	ErrTooLong = errors.New("command too long")
	ErrLiteral = errors.New("literal too long")
	ErrLineEnd = errors.New("CR or LF alone")
	ErrFlood   = errors.New("endless command")
)

// Limits say how long commands may be, in octets.
type Limits struct {
	Line     int   // one line with its CRLF, at most MaxLine
	Literals int64 // of the literals of one command that are no messages, together
	Message  int64 // of one literal that is a message
	// Skip is how much of non-synchronizing literals that are too long is read and
	// dropped. A client that sends more is a flood.
	Skip int64
}

// MaxLine is the longest line that a Reader can read.
const MaxLine = 32 << 10

// maxParts bounds the literals of one command: each costs a line, too.
const maxParts = 1000

// Literal announces octets (RFC 9051 section 4.3).
type Literal struct {
	Size    int64
	NonSync bool // "+": they are on their way already (RFC 7888)
	Binary  bool // "~": they may have NULs (RFC 3516)
}

// Reader reads commands. Its zero value is not ready: use NewReader.
type Reader struct {
	Limits Limits
	// Continue asks the client to go on: it sends "+ …" (RFC 9051 section 7.6).
	Continue func() error

	in   *line.Reader
	buf  []byte
	used int64    // octets of literals in buf
	next *Literal // announced at the end of buf, and not read
	msg  *Message // that reads it
	n    int      // literals of this command
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader { return &Reader{in: line.NewReader(src)} }

// Reset drops all that is buffered, and goes on with src.
func (r *Reader) Reset(src io.Reader) { r.in.Reset(src) }

// Release gives the buffers back at the end of a session.
func (r *Reader) Release() {
	r.in.Release()
	r.buf = nil
}

// Buffered is the number of octets that can be read without a read from below.
func (r *Reader) Buffered() int { return r.in.Buffered() }

// maxKept is how large a buffer for commands an idle session keeps.
const maxKept = 512

// Command reads the next command, without the CRLF at its end, valid until the next
// call. If isMessage, given the command up to a literal, says that the literal is a
// message, the command ends there for now: Message and More go on with it.
func (r *Reader) Command(isMessage func(text []byte) bool) ([]byte, error) {
	if cap(r.buf) > maxKept {
		r.buf = nil
	}
	r.buf, r.used, r.n, r.next, r.msg = r.buf[:0], 0, 0, nil, nil
	return r.gather(isMessage)
}

// More reads what follows a message: the rest of the command, or what stands before
// its next message. It is valid until the next call.
func (r *Reader) More(isMessage func(text []byte) bool) ([]byte, error) {
	r.buf, r.next, r.msg = r.buf[:0], nil, nil
	return r.gather(isMessage)
}

// Line reads one line that is no command: a response to a challenge, or DONE. What it may
// announce, of a client that took it for the place of a command, is dropped with the rest
// of that: it must not be run as commands (RFC 7888 section 3).
func (r *Reader) Line() ([]byte, error) {
	l, err := r.in.ReadLine(r.Limits.Line)
	if err == line.ErrTooLong || err == line.ErrBare {
		lit, ok := announced(r.in.Tail())
		return nil, r.refuse(lit, ok, lineError(err))
	}
	if err != nil {
		return nil, lineError(err)
	}
	if lit, ok := announced(l); ok && lit.NonSync {
		l = bytes.Clone(l) // the next line takes its place
		return l, r.refuse(lit, ok, nil)
	}
	return l, nil
}

// gather reads lines and the literals at their ends.
func (r *Reader) gather(isMessage func([]byte) bool) ([]byte, error) {
	for {
		l, err := r.in.ReadLine(r.Limits.Line)
		if err == line.ErrTooLong || err == line.ErrBare {
			// What the line announces must not be run as commands.
			lit, ok := announced(r.in.Tail())
			if len(r.buf) == 0 {
				r.buf = append(r.buf, r.in.Start()...) // for the tag
			}
			return r.buf, r.refuse(lit, ok, lineError(err))
		}
		if err != nil {
			return r.buf, lineError(err)
		}
		lit, ok := announced(l)
		if len(r.buf)+len(l) > r.Limits.Line+int(r.used) {
			return r.buf, r.refuse(lit, ok, ErrTooLong)
		}
		r.buf = append(r.buf, l...)
		if !ok {
			return r.buf, nil
		}
		if isMessage != nil && isMessage(r.buf) {
			r.next = &lit
			return r.buf, nil
		}
		if r.n++; lit.Size > r.Limits.Literals-r.used || r.n > maxParts {
			return r.buf, r.refuse(lit, ok, ErrLiteral)
		}
		if err := r.take(lit); err != nil {
			return r.buf, err
		}
	}
}

func lineError(err error) error {
	switch err {
	case line.ErrTooLong:
		return ErrTooLong
	case line.ErrBare:
		return ErrLineEnd
	case line.ErrEndless:
		return ErrFlood
	}
	return err
}

// announced finds the literal at the end of a line. A number that is none of 63 bits
// announces the longest literal.
func announced(l []byte) (lit Literal, ok bool) {
	l, ok = bytes.CutSuffix(l, []byte("}"))
	if !ok {
		return lit, false
	}
	l, lit.NonSync = bytes.CutSuffix(l, []byte("+"))
	i := bytes.LastIndexByte(l, '{')
	if i < 0 || i == len(l)-1 {
		return lit, false
	}
	for _, c := range l[i+1:] {
		if c < '0' || c > '9' {
			return lit, false
		}
	}
	lit.Binary = i > 0 && l[i-1] == '~'
	var err error
	if lit.Size, err = strconv.ParseInt(string(l[i+1:]), 10, 64); err != nil {
		lit.Size = 1<<63 - 1
	}
	return lit, true
}

// take reads a literal into buf, behind a CRLF, as it is on the wire.
func (r *Reader) take(lit Literal) error {
	if !lit.NonSync {
		if err := r.Continue(); err != nil {
			return err
		}
	}
	r.buf = append(r.buf, '\r', '\n')
	r.used += lit.Size + 2
	for left := lit.Size; left > 0; { // what is announced may never come
		from := len(r.buf)
		n := min(left, takeBlock)
		r.buf = append(r.buf, make([]byte, n)...)
		if _, err := io.ReadFull(r.in, r.buf[from:]); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// takeBlock is how much room is made for a literal at once.
const takeBlock = 64 << 10

// refuse drops what of the command is on its way already, and returns why.
func (r *Reader) refuse(lit Literal, ok bool, why error) error {
	for skipped := int64(0); ok && lit.NonSync; {
		if lit.Size > r.Limits.Skip-skipped {
			return ErrFlood
		}
		skipped += lit.Size + int64(r.Limits.Line)/8 // a line is not free either
		if err := r.in.Skip(lit.Size); err != nil {
			return err
		}
		l, err := r.in.ReadLine(MaxLine)
		if err == line.ErrTooLong || err == line.ErrBare {
			l = r.in.Tail()
		} else if err != nil {
			return lineError(err)
		}
		lit, ok = announced(l)
	}
	return why
}

// Next is the message that Command or More ended at, nil for the end of the command.
func (r *Reader) Next() *Literal { return r.next }

// Message reads the message that Command or More ended at. The client is asked to send
// it at the first Read.
func (r *Reader) Message() *Message {
	r.msg = &Message{r: r, left: r.next.Size, asked: r.next.NonSync}
	return r.msg
}

// Refuse drops what of a command with messages is on its way already: the rest of one
// that is being read, and what follows. Without messages it does nothing.
func (r *Reader) Refuse() error {
	if r.next == nil {
		return nil
	}
	rest := *r.next
	if r.msg != nil {
		rest.Size, rest.NonSync = r.msg.left, r.msg.asked
	}
	r.next, r.msg = nil, nil
	return r.refuse(rest, true, nil)
}

// Message is a literal that its reader streams.
type Message struct {
	r     *Reader
	left  int64
	asked bool
	err   error
}

// Read implements io.Reader. io.EOF is the end of the literal.
func (m *Message) Read(p []byte) (int, error) {
	if m.err == nil && !m.asked {
		m.asked = true
		m.err = m.r.Continue()
	}
	if m.err != nil {
		return 0, m.err
	}
	if m.left == 0 {
		return 0, io.EOF
	}
	n, err := m.r.in.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if err != nil {
		m.err = err
		if err == io.EOF {
			m.err = io.ErrUnexpectedEOF
		}
	}
	return n, m.err
}

// Left is how much of the message has not been read.
func (m *Message) Left() int64 { return m.left }
