package imap

import (
	"bytes"
	"compress/flate"
	"io"
	"sync"

	"github.com/mailparts/mailparts/imap/internal/inflate"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

const (
	errCompression       badCommand = "Unknown compression mechanism"
	errCompressionActive badCommand = "DEFLATE is active"
)

// mayCompress says that COMPRESS=DEFLATE is offered.
func (s *session) mayCompress() bool { return !s.compressed }

// compress is COMPRESS (RFC 4978 section 3). From its OK on both sides compress.
func (s *session) compress(p *wire.Parser) error {
	p.SP()
	mechanism := p.Word()
	if err := p.End(); err != nil {
		return err
	}
	switch {
	case mechanism != "DEFLATE":
		return errCompression
	case s.compressed:
		return errCompressionActive
	}
	s.out.Print(s.tag, " OK DEFLATE active\r\n")
	if err := s.out.Flush(); err != nil {
		return &lostConnection{err}
	}
	s.out.Reset(deflater{s.conn})
	s.in.Reset(inflate.NewReader(s))
	s.answered, s.compressed = true, true
	return nil
}

// deflater compresses each Write for itself, up to a sync flush. So a session holds a
// flate.Writer, which has 800 KB, only while it computes: neither while it is idle nor
// while its client does not read.
type deflater struct{ dst io.Writer }

// deflateBlock is how much is compressed before any of it is sent.
const deflateBlock = 32 << 10

var (
	flateWriters = sync.Pool{New: func() any {
		w, _ := flate.NewWriter(nil, flate.DefaultCompression) // no error at this level
		return w
	}}
	deflated = sync.Pool{New: func() any { return new(bytes.Buffer) }}
)

// Write implements io.Writer.
func (d deflater) Write(p []byte) (n int, err error) {
	b := deflated.Get().(*bytes.Buffer)
	defer deflated.Put(b)
	for n < len(p) {
		part := p[n:min(n+deflateBlock, len(p))]
		b.Reset()
		deflate(b, part)
		if _, err := d.dst.Write(b.Bytes()); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// deflate appends p, and what makes a sync flush of it: the next block begins at an octet
// and refers to nothing before it.
func deflate(b *bytes.Buffer, p []byte) {
	w := flateWriters.Get().(*flate.Writer)
	defer flateWriters.Put(w)
	w.Reset(b)
	w.Write(p) // a bytes.Buffer has no errors
	w.Flush()
}
