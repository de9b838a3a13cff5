package smtp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// FixUp makes a complete message of what a client submitted (RFC 6409 section
// 8): it adds Date and Message-ID at the end of a header that has none, and takes
// Bcc and Resent-Bcc out (RFC 5322 section 3.6.3). All other octets are kept, but
// for an empty line before a body that nothing tells from the header. It keeps
// a few KB of the message, however long. Use it with mailparts.OnData.
func FixUp(next mailparts.Deliverer) mailparts.Deliverer {
	return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		domain := env.From.Domain()
		if domain == "" || !env.From.IsASCII() {
			domain = serve.Hostname("")
		}
		return next.Deliver(ctx, env, &fixUp{src: bufio.NewReader(msg), domain: domain})
	})
}

// fixUp is a message on its way through FixUp. It reads nothing before its first
// Read: that is when a server asks for the message.
type fixUp struct {
	src    *bufio.Reader
	domain string // of a new Message-ID

	body   bool // the header has ended
	inside bool // the last line was longer than src's buffer, and goes on
	inner  bool // what was given out so far does not end with a line's end
	fields bool // there is a field
	drop   bool // the field under way is taken out
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
	case inside, f.fields && len(l) > 0 && (l[0] == ' ' || l[0] == '\t'):
	case !f.field(l):
		f.end(l)
		return
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
	name, _, ok := bytes.Cut(l, []byte{':'})
	name = bytes.TrimRight(name, " \t") // RFC 5322 section 4.5.8
	if !ok || len(name) == 0 || bytes.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return false
	}
	f.fields, f.drop = true, false
	switch strings.ToLower(string(name)) {
	case "bcc", "resent-bcc":
		f.drop = true
	case "date":
		f.date = true
	case "message-id":
		f.id = true
	}
	return true
}

// end ends the header with what it lacks. l is the line after it, nil for none.
func (f *fixUp) end(l []byte) {
	if f.inner {
		f.buf = append(f.buf, "\r\n"...)
	}
	if !f.date {
		f.buf = append(f.buf, "Date: "+time.Now().Format(time.RFC1123Z)+"\r\n"...)
	}
	if !f.id {
		f.buf = append(f.buf, "Message-ID: <"+rand.Text()+"@"+f.domain+">\r\n"...)
	}
	if len(l) > 0 && l[0] != '\r' && l[0] != '\n' {
		f.buf = append(f.buf, "\r\n"...)
	}
	f.buf = append(f.buf, l...)
	f.body = true
}
