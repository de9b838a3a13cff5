package pop3

import (
	"bufio"
	"io"
	"strconv"
	"sync"
)

// writer gathers replies until the session waits for the client. It holds a
// buffer only while there is something in it. Errors wait for flush, too.
type writer struct {
	dst io.Writer
	buf *bufio.Writer // nil: empty
}

var buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 32<<10) }}

func (w *writer) open() *bufio.Writer {
	if w.buf == nil {
		w.buf = buffers.Get().(*bufio.Writer)
		w.buf.Reset(w.dst)
	}
	return w.buf
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) { return w.open().Write(p) }

// print writes strings, one after the other.
func (w *writer) print(ss ...string) {
	b := w.open()
	for _, s := range ss {
		b.WriteString(s)
	}
}

// number writes n in decimal.
func (w *writer) number(n int64) {
	b := w.open()
	b.Write(strconv.AppendInt(b.AvailableBuffer(), n, 10))
}

// flush sends what there is.
func (w *writer) flush() error {
	if w.buf == nil {
		return nil
	}
	err := w.buf.Flush()
	w.buf.Reset(nil)
	buffers.Put(w.buf)
	w.buf = nil
	return err
}
