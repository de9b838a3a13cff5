package wire

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// bufferSize is when a Writer sends what it has, whether or not somebody waits for it.
const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, bufferSize); return &b }}

// Writer composes responses, and sends them when its buffer is full and at Flush. It
// holds a buffer only while there is something in it. An error stays, and Flush returns
// it.
type Writer struct {
	dst io.Writer
	buf *[]byte // nil: empty
	err error
	// UTF8 permits octets above 0x7F in quoted strings (RFC 9755, RFC 9051).
	UTF8 bool

	spare *[bufferSize]byte
}

var spares = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// NewWriter returns a Writer to dst.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Reset goes on with dst: what is in the buffer goes there.
func (w *Writer) Reset(dst io.Writer) { w.dst = dst }

// open returns the buffer.
func (w *Writer) open() []byte {
	if w.buf == nil {
		w.buf = buffers.Get().(*[]byte)
	}
	return *w.buf
}

// close takes back the buffer with more in it.
func (w *Writer) close(b []byte) {
	*w.buf = b
	if len(b) >= bufferSize {
		w.send()
	}
}

// send writes out the buffer, and keeps it.
func (w *Writer) send() {
	b := *w.buf
	w.put(b)
	*w.buf = b[:0]
}

// maxWrite is the most that one Write gets: each has its own deadline, whatever comes
// after it.
const maxWrite = 128 << 10

func (w *Writer) put(b []byte) {
	for len(b) > 0 && w.err == nil {
		n := min(len(b), maxWrite)
		_, w.err = w.dst.Write(b[:n])
		b = b[n:]
	}
}

// Flush sends what there is, and gives the buffer back.
func (w *Writer) Flush() error {
	if w.spare != nil {
		spares.Put(w.spare)
		w.spare = nil
	}
	if w.buf == nil {
		return w.err
	}
	if len(*w.buf) > 0 {
		w.send()
	}
	if cap(*w.buf) <= 4*bufferSize {
		buffers.Put(w.buf)
	}
	w.buf = nil
	return w.err
}

// Err is the first error of a write.
func (w *Writer) Err() error { return w.err }

// Write implements io.Writer. What is large goes out without a copy.
func (w *Writer) Write(p []byte) (int, error) {
	b := w.open()
	if len(b)+len(p) > bufferSize {
		if len(b) > 0 {
			w.send()
		}
		if len(p) >= bufferSize {
			w.put(p)
			return len(p), w.err
		}
		b = *w.buf
	}
	w.close(append(b, p...))
	return len(p), w.err
}

// Print writes texts as they are.
func (w *Writer) Print(texts ...string) {
	b := w.open()
	for _, t := range texts {
		b = append(b, t...)
	}
	w.close(b)
}

// Append writes what f appends.
func (w *Writer) Append(f func(b []byte) []byte) { w.close(f(w.open())) }

// Uint writes a number.
func (w *Writer) Uint(n uint64) { w.close(strconv.AppendUint(w.open(), n, 10)) }

// DateTime writes a date-time.
func (w *Writer) DateTime(t time.Time) { w.close(AppendDateTime(w.open(), t)) }

// String writes a string: quoted if it can be, else as a literal.
func (w *Writer) String(s string) { w.close(AppendString(w.open(), s, w.UTF8)) }

// NString is String, or NIL for nil.
func (w *Writer) NString(s []byte) {
	if s == nil {
		w.Print("NIL")
		return
	}
	w.close(AppendString(w.open(), s, w.UTF8))
}

// AString writes an atom, if s is one and not NIL, or a string.
func (w *Writer) AString(s string) {
	if isPlain(s) {
		w.Print(s)
		return
	}
	w.String(s)
}

// AppendAString appends s as AString writes it, in US-ASCII.
func AppendAString(b []byte, s string) []byte {
	if isPlain(s) {
		return append(b, s...)
	}
	return AppendString(b, s, false)
}

// isPlain reports whether an astring may be s without quotes.
func isPlain(s string) bool {
	for i := range len(s) {
		if !isAString[s[i]] {
			return false
		}
	}
	return s != "" && !strings.EqualFold(s, "NIL")
}

// Spare is room for what is to be written next, until any other call: a piece of a
// message on its way.
func (w *Writer) Spare() []byte {
	if w.spare == nil {
		w.spare = spares.Get().(*[bufferSize]byte)
	}
	return w.spare[:]
}

// Literal announces a literal, whose octets the caller writes next. Binary is for what
// may have NULs (RFC 3516).
func (w *Writer) Literal(size int64, binary bool) {
	b := w.open()
	if binary {
		b = append(b, '~')
	}
	b = append(strconv.AppendInt(append(b, '{'), size, 10), "}\r\n"...)
	w.close(b)
}

// maxQuoted is the longest quoted string: some clients read lines of 1,000 octets only.
const maxQuoted = 900

// AppendString appends s, quoted if it can be, else as a literal. NULs, which neither may
// have, become 0x80.
func AppendString[T string | []byte](b []byte, s T, utf8ok bool) []byte {
	quotable, escapes, nul, high := len(s) <= maxQuoted, false, false, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			escapes = true
		case c == '\r' || c == '\n':
			quotable = false
		case c == 0:
			quotable, nul = false, true
		case c >= 0x80:
			high = true
		}
	}
	if high && !(utf8ok && utf8.ValidString(string(s))) {
		quotable = false
	}
	if !quotable {
		b = append(strconv.AppendInt(append(b, '{'), int64(len(s)), 10), "}\r\n"...)
		from := len(b)
		b = append(b, s...)
		if nul {
			Clean(b[from:])
		}
		return b
	}
	b = append(b, '"')
	if !escapes {
		b = append(b, s...)
	} else {
		for i := range len(s) {
			if c := s[i]; c == '"' || c == '\\' {
				b = append(b, '\\')
			}
			b = append(b, s[i])
		}
	}
	return append(b, '"')
}

// Clean makes of each NUL 0x80: no string but a literal8 may have one, and its length
// must stay.
func Clean(b []byte) {
	for {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			return
		}
		b[i] = 0x80
		b = b[i+1:]
	}
}
