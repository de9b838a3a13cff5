package mbox

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mailparts/mailparts/internal/crlf"
)

// Reader reads the messages of an mbox, one after the other, however long they are.
//
// A message begins with a From_ line, which is "From ", a sender and a date as
// asctime has it, with or without seconds and a zone. A line that only begins with
// "From " is text. A message ends before the next From_ line; no blank line needs to
// be before that, as none is needed for Dovecot, UW-IMAP and mutt. Only in CL2 it
// ends where its Content-Length leads, if another one begins there or the file ends.
type Reader struct {
	// Location is where dates without a zone are from. Nil: time.Local, as programs
	// write them. In a file after RFC 4155 it is time.UTC.
	Location *time.Location

	format Format
	s      scanner
	m      span
	msg    *Message
}

// Message is one message of a Reader.
type Message struct {
	From string    // the envelope sender; empty: the null reverse-path
	Date time.Time // when it was received

	r      *Reader // nil: not the current one any more
	header headerFilter
	quotes quoter
	lines  crlf.Reader
	head   []byte
	out    []byte // what was not given yet is out[given:]
	given  int
	err    error
}

// NewReader reads from r, which has messages in the format f.
//
// In CL2 a Content-Length is believed only if it leads to another message. So does one
// that somebody forged to hide the message after this one: CL2 is for files of those
// who write it.
//
// If r is an io.ReaderAt and an io.Seeker too, as a file is, that is looked up there;
// what r has is then read by ReadAt, from where it stands. Of any other r as much as
// 256 KB is read ahead; a Content-Length that leads farther is believed, and if it
// turns out wrong, reading ends with an ErrFormat: no two messages become one.
func NewReader(r io.Reader, f Format) *Reader {
	mr := &Reader{format: f}
	mr.s.lengths = f == CL2
	at, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if ok && mr.s.lengths {
		if off, err := at.Seek(0, io.SeekCurrent); err == nil {
			mr.s.at, mr.s.base = at, off
			return mr
		}
	}
	mr.s.r = r
	return mr
}

// Next passes over what is left of the last message, and returns the next one. At the
// end it is io.EOF. Another error is of the underlying reader, or an ErrFormat, and
// the last: nothing is read after it.
func (r *Reader) Next() (*Message, error) {
	if !r.format.isKnown() {
		return nil, fmt.Errorf("mbox: %v", r.format)
	}
	m := &Message{}
	if r.msg != nil {
		r.msg.r = nil
		*m = Message{head: r.msg.head, out: r.msg.out[:0], lines: r.msg.lines}
	}
	r.msg = nil
	for r.s.part != between {
		r.s.skip()
	}
	if r.s.err != nil {
		return nil, r.s.err
	}
	if err := r.s.begin(&r.m); err != nil {
		if err != io.EOF {
			r.s.err = err
		}
		return nil, err
	}
	loc := r.Location
	if loc == nil {
		loc = time.Local
	}
	if m.Date = r.m.date.in(loc); string(r.m.sender) != nobody {
		m.From = string(r.m.sender)
	}
	m.r, m.header.take, m.quotes.do = r, r.format.fields(), r.format.unquotes()
	m.lines.Reset((*lfMessage)(m))
	r.msg = m
	return m, nil
}

// Read reads the message with CRLF line ends, as it was before it was quoted, until
// Next is called. In CL and CL2 it has no Content-Length field.
func (m *Message) Read(p []byte) (int, error) {
	if m.r == nil {
		return 0, errPassed
	}
	return m.lines.Read(p)
}

var errPassed = errors.New("mbox: Read of a message after Next")

// lfMessage is the side of a Message that has LF.
type lfMessage Message

func (l *lfMessage) Read(p []byte) (int, error) {
	m := (*Message)(l)
	for m.given == len(m.out) && m.err == nil {
		m.fill()
	}
	n := copy(p, m.out[m.given:])
	m.given += n
	if n == 0 && len(p) > 0 {
		return 0, m.err
	}
	return n, nil
}

// fill takes the next piece of the file.
func (m *Message) fill() {
	s := &m.r.s
	piece := s.piece()
	var body []byte
	m.head, body = m.header.append(m.head[:0], piece)
	m.out = m.quotes.append(m.quotes.append(m.out[:0], m.head), body)
	m.given = 0
	if s.part != between {
		return
	}
	if m.err = s.err; m.err == nil {
		m.err = io.EOF
	}
	m.head = m.header.finish(m.head[:0])
	m.out = m.quotes.finish(m.quotes.append(m.out, m.head))
}
