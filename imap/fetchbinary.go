package imap

import (
	"bytes"
	"errors"
	"io"

	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// Bounds of what is in memory for one FETCH of one message: of headers that are filtered,
// and of a part that is decoded. What is decoded and longer is decoded twice, for its size
// and to be sent.
const (
	maxHeld    = 64 << 20
	maxDecoded = 256 << 10
)

var (
	errEncoding = &refusal{"UNKNOWN-CTE", "Unknown content-transfer-encoding"}
	errHeld     = &refusal{"LIMIT", "Too much of a message is asked for at once"}
)

// measureBinary decodes a part for BINARY[…] (RFC 3516 section 4.3).
func (f *fetching) measureBinary(sec *section, tree *mime.Part) error {
	sec.octets, sec.zeros = mime.Range{}, false
	if sec.part = tree.Find(sec.path); sec.part == nil {
		sec.nil_ = true
		return nil
	}
	r, err := f.decoded(sec)
	if err != nil {
		return err
	}
	var count zeroFinder
	if !sec.size {
		var b bytes.Buffer
		if _, err := io.Copy(&b, io.LimitReader(r, maxDecoded)); err != nil {
			return err
		}
		if b.Len() < maxDecoded {
			return f.hold(sec, b.Bytes())
		}
		count.Write(b.Bytes())
	}
	if _, err := io.Copy(&count, r); err != nil {
		return err
	}
	sec.octets.Size, sec.zeros = count.n, count.found
	return nil
}

// decoded reads what a section of BINARY is of f.m: the message as it is, if it has no
// number.
func (f *fetching) decoded(sec *section) (io.Reader, error) {
	if len(sec.path) == 0 {
		return f.body.section(mime.Range{Size: f.m.Size})
	}
	r, err := f.body.section(sec.part.Body)
	if err != nil || sec.part.IsMultipart() || sec.part.IsMessage() {
		return r, err
	}
	if r, err = mime.NewBinaryReader(r, sec.part.Encoding); errors.Is(err, mime.ErrUnknownEncoding) {
		return nil, errEncoding
	}
	return r, err
}

// sendDecoded writes n octets of a section of BINARY that is not in memory.
func (f *fetching) sendDecoded(sec *section, from, n int64) error {
	f.out.Literal(n, sec.zeros)
	r, err := f.decoded(sec)
	if err == nil {
		_, err = io.CopyN(io.Discard, r, from)
	}
	if err == nil {
		_, err = io.CopyN(f.out, r, n)
	}
	if err != nil {
		return f.cutShort(cutBody(err))
	}
	return nil
}

// zeroFinder counts octets, and sees whether NUL is among them: that needs a literal8.
type zeroFinder struct {
	n     int64
	found bool
}

func (z *zeroFinder) Write(p []byte) (int, error) {
	z.n += int64(len(p))
	z.found = z.found || bytes.IndexByte(p, 0) >= 0
	return len(p), nil
}

// hold keeps the content of a section until it is sent.
func (f *fetching) hold(sec *section, content []byte) error {
	if f.held += int64(len(content)); f.held > maxHeld {
		return errHeld
	}
	if sec.content = content; content == nil {
		sec.content = []byte{}
	}
	return nil
}

// sendContent writes what is in memory.
func (f *fetching) sendContent(sec *section, from, n int64) error {
	content := sec.content[from : from+n]
	zeros := bytes.IndexByte(content, 0) >= 0
	f.out.Literal(n, zeros && sec.binary)
	if zeros && !sec.binary {
		content = bytes.Clone(content)
		wire.Clean(content)
	}
	f.out.Write(content)
	return nil
}
