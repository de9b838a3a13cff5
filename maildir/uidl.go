package maildir

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

var _ mailparts.UIDLer = (*mailbox)(nil)

// UIDL makes the POP3 unique-id of a message from the mailbox's UIDVALIDITY, its UID
// and the name of its file without flags. No two messages of a mailbox may get the
// same one.
type UIDL func(validity uint32, uid mailparts.UID, file string) string

// DovecotUIDL is Dovecot's pop3_uidl_format = %08Xu%08Xv, which is its default.
func DovecotUIDL(validity uint32, uid mailparts.UID, _ string) string {
	return fmt.Sprintf("%08x%08x", uid, validity)
}

// FileUIDL is the name of the file, as with qmail-pop3d, and with Dovecot's
// pop3_uidl_format = %f.
func FileUIDL(_ uint32, _ mailparts.UID, file string) string { return file }

// UIDLs yields the "P" fields of the uidlist, where servers note unique-ids that were
// given out before them, and what Backend.UIDL makes of the others. The list is read
// each time, with nothing of it kept.
func (m *mailbox) UIDLs(ctx context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) {
		if err := m.uniqueIDs(ctx, yield); err != nil {
			yield(mailparts.UIDL{}, quota(err))
		}
	}
}

func (m *mailbox) uniqueIDs(ctx context.Context, yield func(mailparts.UIDL, error) bool) error {
	var have mailparts.UIDSet // whoever is in the box has a line in the list
	for msg, err := range m.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return err
		}
		have.Add(msg.UID, msg.UID)
	}
	f, err := m.openLines()
	if err != nil {
		return err
	}
	defer f.Close()
	given := map[string]bool{}
	last := mailparts.UID(0)
	for text, err := range m.lines(f) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if m.UIDL == nil && !bytes.Contains(text, []byte(" P")) {
			continue
		}
		l, ok := parseLine(string(text))
		if !ok || l.uid <= last || !have.Contains(l.uid) {
			continue
		}
		last = l.uid
		id := l.uidl()
		if !validUIDL(id) && m.UIDL != nil {
			id = m.UIDL(m.validity, l.uid, l.base)
		}
		if !validUIDL(id) || given[id] {
			continue
		}
		given[id] = true
		if !yield(mailparts.UIDL{UID: l.uid, ID: id}, nil) {
			return nil
		}
	}
	return nil
}

// validUIDL is the syntax of RFC 1939 section 7.
func validUIDL(id string) bool {
	return 1 <= len(id) && len(id) <= 70 && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

func (b *box) openLines() (f disk.File, err error) {
	err = b.try(func(dir string) error {
		f, err = b.fsys.OpenFile(filepath.Join(dir, listName), os.O_RDONLY, 0)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = b.lost()
	}
	return f, err
}

// lines yields the lines of a uidlist after its first, each valid until the next, but
// for a torn one at its end and those that are longer than any can be.
func (b *box) lines(f io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		r := bufio.NewReaderSize(f, 64<<10)
		head, whole, err := readLine(r)
		if err == nil {
			var h listHeader
			if h, err = parseHeader(string(head)); !whole || err != nil || h.validity != b.validity {
				err = mailparts.ErrNoMailbox
			}
		}
		for err == nil {
			var text []byte
			if text, whole, err = readLine(r); err == nil && whole && !yield(text, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(nil, err)
		}
	}
}

// readLine returns a line without its end. A line that does not fit into r's buffer
// is read and is not whole. io.EOF means that there is no more line end.
func readLine(r *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = r.ReadSlice('\n')
	if err == nil {
		return line[:len(line)-1], true, nil
	}
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}
	return nil, false, err
}
