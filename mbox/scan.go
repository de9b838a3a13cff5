package mbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrFormat is what reading says of a file that is no mbox: where a message must
// begin there is no From_ line.
var ErrFormat = errors.New("not an mbox")

// span is where a message is in a file, in octets from its start:
//
//	start   From user@example.com Mon Jan  1 00:00:00 2024
//	header  Subject: hello
//	        Status: RO
//
//	body    text
//	end
//	next    From …
//
// The blank line before next is of no message. If it is the line that ends the
// header, body and end are before it.
type span struct {
	start, header, body, end, next int64

	date   stamp
	sender []byte // as it stands in the From_ line; valid until the next message
	fields [numFields]field
	again  bool // a field of the mbox's own is there twice
}

// received is the date of the From_ line.
func (m *span) received() time.Time { return m.date.in(time.Local) }

// scanner finds the messages of a file. A message ends
//
//   - where its Content-Length leads, if lengths is true and another message begins
//     there, after a blank line or not, or the file ends;
//   - else before the next From_ line. There need be no blank line before it, as for
//     Dovecot, UW-IMAP and mutt: who shares a file with them must see the messages
//     that they see.
type scanner struct {
	window
	lengths bool

	part  part
	m     *span
	cur   *field // of the last line of the header, if it is wanted
	inner bool   // in a line of the header
	known bool   // m.end and m.next are known already

	values []byte // of the fields of m
	value  int    // where that of cur begins
}

// part is where a scanner is in a message.
type part uint8

const (
	between  part = iota // at a From_ line, or the end of the file
	inHeader             // at the header
	inText               // at the body, which ends before the next From_ line
	inLength             // at the body, which ends where its length says
)

// scan begins at off, where a message must begin. It believes each Content-Length
// that leads to another message, and goes there.
func (s *scanner) scan(r io.ReaderAt, off int64) {
	room := s.buf[:0]
	*s = scanner{window: window{at: r, room: cap(room), buf: room, base: off}, lengths: true, values: s.values[:0]}
}

// next finds the next message, or io.EOF.
func (s *scanner) next(m *span) error {
	if err := s.begin(m); err != nil {
		return err
	}
	for s.part != between {
		s.skip()
	}
	return s.err
}

// skip passes over some octets of the message, of which it need not have all read.
func (s *scanner) skip() {
	if s.part == inLength && s.known && s.at != nil {
		s.seek(s.m.next)
		s.part = between
		return
	}
	s.piece()
}

// begin reads a From_ line. Blank lines at the start of a file are passed over.
func (s *scanner) begin(m *span) error {
	line := s.line()
	for atStart := s.offset() == 0; atStart && isBlank(line); line = s.line() {
		s.pos += len(line)
	}
	if s.err != nil {
		return s.err
	}
	if len(line) == 0 {
		return io.EOF
	}
	sender, date, ok := cutFrom(line)
	if !ok {
		return fmt.Errorf("%w: no From_ line at octet %d", ErrFormat, s.offset())
	}
	s.values = append(s.values[:0], sender...)
	*m = span{start: s.offset(), sender: s.values, date: date}
	s.pos += len(line)
	m.header = s.offset()
	s.m, s.part, s.cur, s.inner, s.known = m, inHeader, nil, false, false
	return nil
}

// piece returns some octets of the message, from the first of its header to the last
// of its body. None, and between, is the end of it.
func (s *scanner) piece() []byte {
	switch s.part {
	case inHeader:
		return s.headerLine()
	case inText:
		return s.text()
	case inLength:
		return s.measured()
	}
	return nil
}

// headerLine returns a line of the header, or a part of a long one.
func (s *scanner) headerLine() []byte {
	line := s.line()
	switch {
	case len(line) == 0 || !s.inner && line[0] == 'F' && isFrom(line):
		s.m.body = s.offset()
		s.finish(s.offset(), s.offset())
		return nil
	case s.inner || line[0] == ' ' || line[0] == '\t':
		s.extend(line)
	case isBlank(line):
		return s.endHeader(len(line))
	default:
		s.cur = s.field(line)
	}
	s.pos += len(line)
	s.inner = line[len(line)-1] != '\n'
	return line
}

// endHeader returns the blank line that ends the header, if it is of the message.
func (s *scanner) endHeader(blank int) []byte {
	s.pos += blank
	s.m.body = s.offset()
	s.part = inText
	if s.lengths && s.hasLength() {
		s.part = inLength
	} else if line := s.line(); len(line) == 0 || isFrom(line) {
		s.m.body -= int64(blank)
		s.finish(s.m.body, s.offset())
		return nil
	}
	return s.buf[s.pos-blank : s.pos]
}

var separator = []byte("\nFrom ")

// text returns a part of a body that ends before a From_ line.
func (s *scanner) text() []byte {
	for {
		i := bytes.Index(s.buf[s.pos-1:], separator)
		if i < 0 {
			if b := s.upTo(len(s.buf) - lookBack); b != nil {
				return b
			}
			if s.more() {
				continue
			}
			return s.endText(len(s.buf))
		}
		// The blank line before it may be none of ours.
		if b := s.upTo(s.pos + i - 2); b != nil {
			return b
		}
		s.pos += i
		next := isFrom(s.line())
		s.pos -= i
		if next {
			return s.endText(s.pos + i)
		}
		return s.upTo(s.pos + i + len(separator) - 1)
	}
}

// upTo returns what is from pos up to end in buf, if anything.
func (s *scanner) upTo(end int) (b []byte) {
	if end > s.pos {
		b = s.buf[s.pos:end]
		s.pos = end
	}
	return b
}

// endText returns the rest of a body before next, which is in buf, without the blank
// line there.
func (s *scanner) endText(next int) []byte {
	end := next
	switch before := s.buf[:next]; {
	case bytes.HasSuffix(before, []byte("\n\r\n")):
		end -= 2
	case bytes.HasSuffix(before, []byte("\n\n")):
		end--
	}
	b := s.upTo(end)
	s.pos = next
	s.finish(s.base+int64(end), s.offset())
	return b
}

func (s *scanner) finish(end, next int64) {
	s.m.end, s.m.next = end, next
	s.part = between
}
