package smtp

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"io"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// FixUp makes a complete message of what a client submitted (RFC 6409 section
// 8): it adds Date and Message-ID at the end of a header that has none, and takes
// Bcc and Resent-Bcc out (RFC 5322 section 3.6.3). A header goes on to the first
// empty line, past lines that are no fields. Where none begins, as the first line
// after Received is no field, an empty line is put before what is a body. A line
// of mbox there, "From " or ">From ", is taken out. All other octets are kept. It
// holds a few KB of the message, however long. Use it with mailparts.OnData, or as
// a part of [Submission], which has choices and rules.
func FixUp(next mailparts.Deliverer) mailparts.Deliverer { return new(Submission).fixUp(next) }

// fixUp is a message on its way through FixUp. It reads nothing before its first
// Read: that is when a server asks for the message.
type fixUp struct {
	src     *bufio.Reader
	domain  string // of a new Message-ID
	keepBcc bool
	authors *authors // nil: nobody asks

	body   bool // the header has ended
	inside bool // the last line was longer than src's buffer, and goes on
	inner  bool // what was given out so far does not end with a line's end
	folds  bool // white space at the start of a line continues the last one
	named  bool // there is a field, and not only Received
	mbox   bool // there was a line of mbox
	drop   bool // the line or field under way is taken out
	date   bool // there is a Date
	id     bool // there is a Message-ID

	buf []byte
	out []byte // of buf, to be given out next
	err error  // after out
}

// Read implements io.Reader.
func (f *fixUp) Read(p []byte) (int, error) {
	for len(f.out) == 0 {
		switch {
		case len(p) == 0:
			return 0, nil
		case f.err != nil:
			return 0, f.err
		case f.body:
			return f.src.Read(p)
		}
		f.buf = f.buf[:0]
		f.header()
		f.out = f.buf
	}
	n := copy(p, f.out)
	f.out = f.out[n:]
	return n, nil
}

// header reads a line of the header, or as much of it as fits src's buffer.
func (f *fixUp) header() {
	l, err := f.src.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull {
		f.err = err
		if err != io.EOF {
			return // there is no message
		}
	}
	inside := f.inside
	f.inside = err == bufio.ErrBufferFull
	switch {
	case inside, f.folds && len(l) > 0 && (l[0] == ' ' || l[0] == '\t'):
		f.authors.more(l)
	case f.field(l):
	case !f.named && !f.mbox && isMboxLine(l):
		f.folds, f.mbox, f.drop = false, true, true
	case !f.named, isEmpty(l):
		f.end(l)
		return
	default:
		f.drop = false
		f.authors.begin("", nil)
	}
	if !f.drop && len(l) > 0 {
		f.buf = append(f.buf, l...)
		f.inner = l[len(l)-1] != '\n'
	}
	if f.err != nil {
		f.end(nil)
	}
}

// field reports whether a field begins with l, and notes which.
func (f *fixUp) field(l []byte) bool {
	name, value, ok := bytes.Cut(l, []byte{':'})
	name = bytes.TrimRight(name, " \t") // RFC 5322 section 4.5.8
	if !ok || len(name) == 0 || bytes.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return false
	}
	lower := strings.ToLower(string(name))
	f.folds, f.named, f.drop = true, f.named || lower != "received", false
	f.authors.begin(lower, value)
	switch lower {
	case "bcc", "resent-bcc":
		f.drop = !f.keepBcc
	case "date":
		f.date = true
	case "message-id":
		f.id = true
	}
	return true
}

// isMboxLine tells the line that begins a message in an mbox (RFC 4155), quoted or
// not.
func isMboxLine(l []byte) bool {
	return bytes.HasPrefix(bytes.TrimPrefix(l, []byte{'>'}), []byte("From "))
}

func isEmpty(l []byte) bool {
	return len(l) == 0 || string(l) == "\n" || string(l) == "\r\n"
}

// end ends the header with what it lacks, or the message if its authors may not
// be. l is the line after the header, nil for none.
func (f *fixUp) end(l []byte) {
	if err := f.authors.verify(); err != nil {
		f.buf, f.err = nil, err
		return
	}
	if f.inner {
		f.buf = append(f.buf, "\r\n"...)
	}
	if !f.date {
		f.buf = append(f.buf, "Date: "+time.Now().Format(time.RFC1123Z)+"\r\n"...)
	}
	if !f.id {
		f.buf = append(f.buf, "Message-ID: <"+rand.Text()+"@"+f.domain+">\r\n"...)
	}
	if !isEmpty(l) {
		f.buf = append(f.buf, "\r\n"...)
	}
	f.buf = append(f.buf, l...)
	f.body = true
}
