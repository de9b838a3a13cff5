package imap

import (
	"bytes"
	"errors"
	"io"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// Bounds of what is in memory for one FETCH of one message: of all sections that are not
// octets of it as they stand but made of them, and of one of these. What is longer is made
// twice, for its size and to be sent.
const (
	maxHeld = 1 << 20
	maxMade = 256 << 10
)

// compose writes a section that is made: fields of a header, or a part that is decoded.
func (f *fetching) compose(sec *section, w io.Writer) error {
	if sec.filter != nil {
		r, err := f.body.section(sec.octets)
		if err == nil {
			_, err = sec.filter.Copy(w, r)
		}
		return err
	}
	r, err := f.decoded(sec)
	if err == nil {
		_, err = io.Copy(w, r)
	}
	return err
}

// measureMade makes a section: to keep it, if it is short, or for its size.
func (f *fetching) measureMade(sec *section) error {
	k := keeper{room: int(min(maxMade, maxHeld-f.held))}
	if sec.size {
		k.room = 0
	}
	if err := f.compose(sec, &k); err != nil {
		return err
	}
	sec.made, sec.length, sec.zeros = true, k.n, k.zeros
	if k.n < int64(k.room) {
		f.hold(sec, k.b)
	}
	return nil
}

// keeper keeps what is shorter than its room. Of all else it counts the octets, and sees
// whether NUL is among them: that needs a literal8.
type keeper struct {
	room  int
	b     []byte
	n     int64
	zeros bool
}

// Write implements io.Writer.
func (k *keeper) Write(p []byte) (int, error) {
	k.n += int64(len(p))
	k.zeros = k.zeros || bytes.IndexByte(p, 0) >= 0
	if k.n < int64(k.room) {
		k.b = append(k.b, p...)
	} else {
		k.b = nil
	}
	return len(p), nil
}

// hold keeps the content of a section until it is sent.
func (f *fetching) hold(sec *section, content []byte) {
	f.held += int64(len(content))
	if sec.content = content; content == nil {
		sec.content = []byte{}
	}
}

// sendContent writes what is in memory.
func (f *fetching) sendContent(sec *section, from, n int64) error {
	content := sec.content[from : from+n]
	zeros := bytes.IndexByte(content, 0) >= 0
	f.out.Literal(n, zeros && sec.binary)
	excerpt := excerpt{w: f.out, left: n, binary: sec.binary}
	excerpt.Write(content)
	return nil
}

// sendMade writes n octets of a section that is not in memory.
func (f *fetching) sendMade(sec *section, from, n int64) error {
	f.out.Literal(n, sec.zeros && sec.binary)
	w := &excerpt{w: f.out, skip: from, left: n, binary: sec.binary}
	err := f.compose(sec, w)
	switch {
	case w.left == 0 && f.out.Err() == nil:
		return nil
	case err == nil:
		err = io.ErrUnexpectedEOF
	}
	return f.cutShort(err)
}

// excerpt passes on left octets after those to skip, with no NUL among them if it is not
// binary, and then wants no more.
type excerpt struct {
	w          io.Writer
	skip, left int64
	binary     bool
}

var errEnough = errors.New("imap: enough")

// Write implements io.Writer.
func (e *excerpt) Write(p []byte) (int, error) {
	skipped := min(e.skip, int64(len(p)))
	e.skip -= skipped
	b := p[skipped:]
	b = b[:min(int64(len(b)), e.left)]
	e.left -= int64(len(b))
	if !e.binary && bytes.IndexByte(b, 0) >= 0 {
		b = bytes.Clone(b)
		wire.Clean(b)
	}
	if _, err := e.w.Write(b); err != nil {
		return 0, err
	}
	if e.left == 0 {
		return len(p), errEnough
	}
	return len(p), nil
}
