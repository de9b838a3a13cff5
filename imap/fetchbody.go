package imap

import (
	"bufio"
	"errors"
	"io"
	"math"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// body reads parts of a message. It is opened when the first is asked for.
type body struct {
	s   *session
	m   *mailparts.Message
	r   io.ReadCloser // nil: not open
	at  io.ReaderAt   // r, if it can
	pos int64         // of r's Read

	sized      bool   // the message's own header was read
	headerSize int64  // of that
	header     []byte // that; nil if it is longer than maxHeader
	room       []byte // that header is in, for the next one
}

// begin goes on to another message.
func (b *body) begin(s *session, m *mailparts.Message) {
	b.close()
	b.s, b.m, b.sized, b.header = s, m, false, nil
}

func (b *body) close() {
	if b.r != nil {
		b.r.Close()
		b.r, b.at, b.pos = nil, nil, 0
	}
}

func (b *body) open() (err error) {
	if b.r != nil {
		return nil
	}
	if b.r, err = b.s.box.mb.Body(b.s.ctx, b.m.UID); err == nil {
		b.at, _ = b.r.(io.ReaderAt)
		b.pos = 0
	}
	return err
}

// section reads a range.
func (b *body) section(r mime.Range) (io.Reader, error) {
	if err := b.open(); err != nil {
		return nil, err
	}
	if b.at != nil && r.Offset != b.pos { // to read on is the cheapest
		return io.NewSectionReader(b.at, r.Offset, r.Size), nil
	}
	if r.Offset < b.pos { // it reads forward only
		b.close()
		if err := b.open(); err != nil {
			return nil, err
		}
	}
	if _, err := io.CopyN(io.Discard, b.r, r.Offset-b.pos); err != nil {
		return nil, cutBody(err)
	}
	b.pos = r.Offset
	return io.LimitReader(&counted{b}, r.Size), nil
}

// counted counts what is read of a body.
type counted struct{ b *body }

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.b.r.Read(p)
	c.b.pos += int64(n)
	return n, err
}

func cutBody(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// How long a header may be that is kept in memory, and one whose room is used again.
const (
	maxHeader   = 256 << 10
	maxRoomKept = 64 << 10
)

// readHeader reads the message's own header, without the tree of its parts and whether or
// not the size of the message is known. Of one that is longer than maxHeader it tells the
// size alone.
func (b *body) readHeader() (header []byte, size int64, err error) {
	if b.sized {
		return b.header, b.headerSize, nil
	}
	buf := b.room[:0]
	for block := int64(4 << 10); block <= maxHeader; block *= 4 {
		size := block
		if b.m.Size > 0 {
			size = min(size, b.m.Size)
		}
		from := len(buf)
		r, err := b.section(mime.Range{Offset: int64(from), Size: size - int64(from)})
		if err != nil {
			return nil, 0, err
		}
		buf = append(buf, make([]byte, int(size)-from)...)
		if cap(buf) <= maxRoomKept {
			b.room = buf
		}
		n, err := io.ReadFull(r, buf[from:])
		ended := size == b.m.Size
		if b.m.Size == 0 && (err == io.EOF || err == io.ErrUnexpectedEOF) {
			buf, ended, err = buf[:from+n], true, nil
		}
		if err != nil {
			return nil, 0, cutBody(err)
		}
		if n := headerEnd(buf); n >= 0 {
			buf, ended = buf[:n], true
		}
		if ended {
			b.sized, b.header, b.headerSize = true, buf, int64(len(buf))
			return buf, b.headerSize, nil
		}
	}
	if b.headerSize, err = b.measureHeader(); err != nil {
		return nil, 0, err
	}
	b.sized = true
	return nil, b.headerSize, nil
}

// measureHeader is how long the message's own header is, with its empty line.
func (b *body) measureHeader() (n int64, err error) {
	whole := mime.Range{Size: math.MaxInt64}
	if b.m.Size > 0 {
		whole.Size = b.m.Size
	}
	r, err := b.section(whole)
	if err != nil {
		return 0, err
	}
	buf := scanBuffers.Get().(*bufio.Reader)
	defer scanBuffers.Put(buf)
	buf.Reset(r)
	defer buf.Reset(nil)
	for begins := true; ; {
		line, err := buf.ReadSlice('\n')
		n += int64(len(line))
		switch {
		case err == io.EOF, err == nil && begins && string(line) == "\r\n":
			return n, nil
		case err != nil && err != bufio.ErrBufferFull:
			return 0, err
		}
		begins = err == nil
	}
}

// measure finds the octets of a section of f.m, and what can fail of them.
func (f *fetching) measure(it *fetchItem) error {
	sec := it.section
	sec.nil_, sec.made, sec.content = false, false, nil
	switch {
	case sec.wantsHeader():
		return f.measureHeader(sec)
	case !sec.needsTree():
		sec.octets = mime.Range{Size: f.m.Size}
		return f.body.open()
	}
	tree, ok := f.parts()
	if !ok {
		return errDamaged
	}
	if sec.binary {
		return f.measureBinary(sec, tree)
	}
	if sec.octets, ok = tree.Section(sec.path, sec.text); !ok {
		sec.nil_ = true
		return nil
	}
	if sec.filter != nil {
		return f.measureMade(sec)
	}
	return f.body.open()
}

// parts is the structure of f.m, which all its items share.
func (f *fetching) parts() (tree *mime.Part, ok bool) {
	if f.tree == nil {
		f.tree, ok = f.derived.view.Tree()
		return f.tree, ok
	}
	return f.tree, true
}

// measureHeader is measure for the message's own header, or fields of it.
func (f *fetching) measureHeader(sec *section) error {
	if f.derived.ok && sec.filter != nil {
		if content, ok := f.derived.view.AppendFields(sec.room[:0], *sec.filter); ok {
			sec.room = content
			f.hold(sec, content)
			return nil
		}
	}
	header, size, err := f.body.readHeader()
	if err != nil {
		return err
	}
	sec.octets = mime.Range{Size: size}
	switch {
	case sec.filter == nil:
		sec.content = header // which all items share
	case header != nil && f.held+size <= maxHeld:
		f.hold(sec, sec.filter.Append(nil, header))
	default:
		return f.measureMade(sec)
	}
	return nil
}

var errDamaged = errors.New("imap: derived octets are damaged")

// sendSection writes a section that was measured.
func (f *fetching) sendSection(sec *section) error {
	f.out.Print(sec.label)
	if sec.size {
		f.out.Print(" ")
		f.out.Uint(uint64(sec.length))
		return nil
	}
	if sec.partial {
		f.out.Print("<")
		f.out.Uint(uint64(sec.from))
		f.out.Print(">")
	}
	f.out.Print(" ")
	if sec.nil_ {
		f.out.Print("NIL")
		return nil
	}
	size := sec.octets.Size
	switch {
	case sec.content != nil:
		size = int64(len(sec.content))
	case sec.made:
		size = sec.length
	}
	from, n := sec.cut(size)
	switch {
	case n == 0:
		f.out.Print(`""`)
		return nil
	case sec.content != nil:
		return f.sendContent(sec, from, n)
	case sec.made:
		return f.sendMade(sec, from, n)
	}
	f.out.Literal(n, false)
	r, err := f.body.section(mime.Range{Offset: sec.octets.Offset + from, Size: n})
	if err == nil {
		err = f.copy(r, n)
	}
	if err != nil {
		return f.cutShort(err)
	}
	return nil
}

// copy sends n octets, with no NUL among them (RFC 9051 section 4.3).
func (f *fetching) copy(r io.Reader, n int64) error {
	buf := f.out.Spare()
	for n > 0 {
		k, err := r.Read(buf[:min(int64(len(buf)), n)])
		wire.Clean(buf[:k])
		if k > 0 {
			if _, werr := f.out.Write(buf[:k]); werr != nil {
				return werr
			}
		}
		if n -= int64(k); n == 0 {
			return nil
		}
		if err != nil {
			return cutBody(err)
		}
	}
	return nil
}

// cutShort ends a session inside a response: what was announced cannot come.
func (f *fetching) cutShort(err error) error {
	f.partway = true
	if f.out.Err() != nil { // the client has gone
		return &lostConnection{f.out.Err()}
	}
	f.log.Error("message cannot be read to its end", "user", f.user, "mailbox", f.box.name, "uid", f.m.UID, "err", err)
	return &lostConnection{err}
}
