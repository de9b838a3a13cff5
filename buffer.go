package mailparts

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
)

// bufferMemory is how much of a message Buffer keeps in memory.
const bufferMemory = 256 << 10

// Buffer makes msg readable more than once: itself if it can seek, else a copy
// read to io.EOF, in memory up to 256 KB and in an unlinked temporary file
// beyond. Close frees the copy, never msg.
func Buffer(msg io.Reader) (io.ReadSeekCloser, error) {
	if s, ok := msg.(io.ReadSeeker); ok {
		return uncloser{s}, nil
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(msg, bufferMemory))
	if err != nil {
		return nil, err
	}
	if n < bufferMemory {
		return uncloser{bytes.NewReader(b.Bytes())}, nil
	}
	f, err := os.CreateTemp("", "mailparts-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	_, err = b.WriteTo(f)
	if err == nil {
		_, err = io.Copy(f, msg)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

type uncloser struct{ io.ReadSeeker }

func (uncloser) Close() error { return nil }

// Prepend puts header fields (complete lines, CRLF) before msg. The result
// seeks if msg does.
func Prepend(msg io.Reader, fields string) io.Reader {
	if s, ok := msg.(io.ReadSeeker); ok {
		return &prepended{fields: fields, msg: s}
	}
	return io.MultiReader(strings.NewReader(fields), msg)
}

// prepended is fields and then what is left of msg. It learns at the first Seek
// where msg begins, and seeks msg only when it must.
type prepended struct {
	fields string
	msg    io.ReadSeeker
	pos    int64 // of the next Read
	base   int64 // msg's offset at pos len(fields), once known
	known  bool
}

func (p *prepended) Read(b []byte) (int, error) {
	if p.pos < int64(len(p.fields)) {
		n := copy(b, p.fields[p.pos:])
		p.pos += int64(n)
		return n, nil
	}
	n, err := p.msg.Read(b)
	p.pos += int64(n)
	return n, err
}

func (p *prepended) Seek(offset int64, whence int) (int64, error) {
	head := int64(len(p.fields))
	if !p.known {
		at, err := p.msg.Seek(0, io.SeekCurrent)
		if err != nil {
			return p.pos, err
		}
		p.base, p.known = at-max(0, p.pos-head), true
	}
	switch whence {
	case io.SeekCurrent:
		offset += p.pos
	case io.SeekEnd:
		end, err := p.msg.Seek(0, io.SeekEnd)
		if err != nil {
			return p.pos, err
		}
		offset += end - p.base + head
	}
	if offset < 0 {
		return p.pos, errors.New("seek before the start of the message")
	}
	if _, err := p.msg.Seek(p.base+max(0, offset-head), io.SeekStart); err != nil {
		return p.pos, err
	}
	p.pos = offset
	return p.pos, nil
}
