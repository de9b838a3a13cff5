package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// Body reads the message as it is on the wire.
func (m *mailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	if err := m.refresh(ctx); err != nil {
		return nil, err
	}
	e, ok := m.find(uid)
	if !ok {
		return nil, mailparts.ErrNoMessage
	}
	var f disk.File
	err := m.follow(ctx, &e, func(path string) (err error) {
		f, err = m.fsys.OpenFile(path, os.O_RDONLY, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	size, err := m.sizeOf(&e, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &body{file: f, text: crlfReader{r: f}, left: size, wrong: func() { m.setSize(uid, -1) }}, nil
}

// sizeOf is size for a file that is open. If its name is wrong about the size on
// disk, the message is measured.
func (b *box) sizeOf(e *entry, f disk.File) (int64, error) {
	size, onDisk := b.knownSize(e), sizeIn(e.key(), diskSize)
	if size >= 0 {
		fi, err := f.Stat()
		if err != nil || onDisk < 0 || onDisk == fi.Size() {
			return size, err
		}
	}
	size, err := wireLen(f)
	if err != nil {
		return 0, err
	}
	b.setSize(e.uid, size)
	_, err = f.Seek(0, io.SeekStart)
	return size, err
}

func (b *box) measure(path string) (int64, error) {
	f, err := b.fsys.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return wireLen(f)
}

// body yields exactly the octets that were promised, or an error. Then the promise
// was wrong, and the next one is measured.
type body struct {
	file  disk.File
	text  crlfReader
	left  int64
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

func (b *body) Close() error { return b.file.Close() }
