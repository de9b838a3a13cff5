package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/crlf"
	"github.com/mailparts/mailparts/internal/disk"
)

// Body reads the message as it is on the wire. It is an io.ReaderAt too, for one
// reader after the other or many at once.
func (m *mailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	e, ok := m.remember(uid)
	if !ok {
		var err error
		if e, err = m.lookUp(ctx, uid); err != nil {
			return nil, err
		}
	}
	var f disk.File
	err := m.follow(ctx, &e, func(path string) (err error) {
		f, err = m.fsys.OpenFile(path, os.O_RDONLY, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	size, onDisk, err := m.sizeOf(ctx, &e, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	out := &body{file: f, size: size, left: size, plain: size == onDisk, wrong: func() {
		if !m.renumber(ctx, &e) {
			m.learn(uint32(uid), learned{size: -1})
		}
	}}
	if !out.plain {
		out.lines = m.maps.of(uid, onDisk)
	}
	out.rest = io.LimitedReader{R: f, N: onDisk} // spares a read that finds the end
	out.text.Reset(&out.rest)
	return out, nil
}

// sizeOf is size for a file that is open, and how long that is. If its name is wrong
// about the size on disk, the message is measured, and ErrNoMessage under this UID if
// another size was told.
func (b *box) sizeOf(ctx context.Context, e *entry, f disk.File) (size, onDisk int64, err error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	onDisk = fi.Size()
	told, named := b.knownSize(e), sizeIn(keyOf(e), diskSize)
	if told >= 0 && (named < 0 || named == onDisk) {
		return told, onDisk, nil
	}
	if size, err = crlf.Len(f); err != nil {
		return 0, 0, err
	}
	if told >= 0 && told != size && b.renumber(ctx, e) {
		return 0, 0, mailparts.ErrNoMessage
	}
	b.learn(e.UID, learned{size: size})
	_, err = f.Seek(0, io.SeekStart)
	return size, onDisk, err
}

// renumber gives a message another UID, because the size that was told under this
// one is wrong: its file gets a base of its own, which tells no size. That it
// cannot now is no error: whoever finds the size wrong again tries again.
func (b *box) renumber(ctx context.Context, e *entry) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := b.lock(ctx)
	if err != nil {
		return false
	}
	defer unlock()
	dir := b.path()
	to := *e
	to.Name = b.names.unique(time.Now()) + e.Name[e.Base:]
	if err := disk.RenameFile(b.fsys, pathOf(dir, e), pathOf(dir, &to)); err != nil {
		return false
	}
	b.log.Warn("a message has another size than was told, and gets a new UID", "mailbox", dir, "uid", e.UID, "file", e.Name, "renamed", to.Name)
	b.distrustShelves()
	return true
}

func (b *box) measure(path string) (int64, error) {
	f, err := b.fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return crlf.Len(f)
}

// body yields exactly the octets that were promised, or an error. Then the promise
// was wrong.
type body struct {
	file  disk.File
	rest  io.LimitedReader
	text  crlf.Reader
	size  int64
	left  int64 // to Read
	plain bool  // the file is as long
	lines *crlf.Map
	wrong func()
}

var errTooLong = errors.New("longer than was said")

func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if b.left > 0 {
		p = p[:min(int64(len(p)), b.left)]
	} else {
		p = make([]byte, 1)
	}
	n, err := b.text.Read(p)
	switch {
	case b.left == 0 && n > 0:
		n, err = 0, errTooLong
	case int64(n) < b.left && err == io.EOF:
		err = io.ErrUnexpectedEOF
	default:
		b.left -= int64(n)
		return n, err
	}
	b.wrong()
	return n, fmt.Errorf("%s: %w", b.file.Name(), err)
}

func (b *body) Close() error {
	b.text.Release()
	return b.file.Close()
}
