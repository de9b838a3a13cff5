package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// Annotations are the user's: nobody else sees those that are shared. Those of
// another server are not read.
func (s *store) Annotations(ctx context.Context, name string) ([]mailparts.Annotation, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if name == "" {
		a, err := s.backend.readAnnotations(filepath.Join(s.root, accountName))
		return a.list(), err
	}
	b, err := s.open(ctx, name)
	if err != nil {
		return nil, err
	}
	var a annotations
	err = b.try(func(dir string) error {
		if a, err = s.backend.readAnnotations(filepath.Join(dir, metadataName)); err != nil {
			return err
		}
		return b.check(dir) // or there may be a file that was not seen
	})
	return a.list(), err
}

// Annotate takes the special uses \Archive, \Drafts, \Important, \Junk, \Sent and
// \Trash; any number of mailboxes may have one. A mailbox and the account have up to
// 1000 annotations in 1 MB each.
func (s *store) Annotate(ctx context.Context, name string, set ...mailparts.Annotation) error {
	if err := checkAnnotations(name, set); err != nil {
		return err
	}
	if name == "" {
		lock, err := s.lockNames(ctx)
		if err != nil {
			return quota(err)
		}
		defer lock.Close()
		return quota(s.annotate(s.root, accountName, set))
	}
	b, err := s.open(ctx, name)
	if err != nil {
		return err
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return quota(err)
	}
	defer unlock()
	return quota(s.annotate(b.path(), metadataName, set))
}

func checkAnnotations(name string, set []mailparts.Annotation) error {
	for _, a := range set {
		if !mailparts.ValidEntry(a.Entry) {
			return fmt.Errorf("%w: %q is no entry", mailparts.ErrBadName, a.Entry)
		}
	}
	for _, a := range set {
		switch entry := strings.ToLower(a.Entry); {
		case name == "" && strings.HasPrefix(entry, "/shared/"): // nowhere for all users of a Backend
			return mailparts.ErrPermission
		case entry == mailparts.EntrySpecialUse:
			if _, bad := usesOf(strings.Fields(string(a.Value))); bad || name == "" {
				return fmt.Errorf("special use %q: %w", a.Value, errors.ErrUnsupported)
			}
		}
	}
	return nil
}

// annotate changes the file. The caller has its lock.
func (s *store) annotate(dir, name string, set []mailparts.Annotation) error {
	defer s.changed(dir)
	b := s.backend
	file := filepath.Join(dir, name)
	a, err := b.readAnnotations(file)
	if err != nil {
		return err
	}
	before := a.String()
	for _, n := range set {
		a.set(strings.ToLower(n.Entry), n.Value)
	}
	text := a.String()
	if text == before && a.bad == 0 {
		return nil
	}
	if len(text) > maxMetadata || len(a.values) > maxAnnotations {
		return fmt.Errorf("%w: annotations have up to %d octets, and there are up to %d", mailparts.ErrLimit, maxMetadata, maxAnnotations)
	}
	if a.bad > 0 {
		aside, err := b.keepAside(file)
		b.log.Error("annotations set aside, what is good in them stays", "file", aside, "lines", a.bad)
		if err != nil {
			return err
		}
	}
	return disk.WriteFile(b.fsys, file, []byte(text), fileMode)
}

// readAnnotations reads a file, or none.
func (b *Backend) readAnnotations(name string) (annotations, error) {
	f, err := b.fsys.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return parseAnnotations(""), nil
	}
	if err != nil {
		return annotations{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxMetadata+1))
	if err != nil {
		return annotations{}, err
	}
	a := parseAnnotations(string(text))
	if a.bad > 0 {
		b.log.Warn("annotations have lines that are none", "file", name, "lines", a.bad)
	}
	return a, nil
}

// beginAnnotations is for a new mailbox.
func (b *Backend) beginAnnotations(dir string, uses []string) error {
	name := filepath.Join(dir, metadataName)
	if len(uses) > 0 {
		return disk.WriteFile(b.fsys, name, []byte((&annotations{uses: uses}).String()), fileMode)
	}
	return ifExists(b.fsys.Remove(name))
}

// usesIn reads no more of the file than the uses. Most mailboxes have none.
func (b *Backend) usesIn(dir string) []string {
	name := filepath.Join(dir, metadataName)
	if _, err := b.fsys.Stat(name); err != nil {
		return nil
	}
	f, err := b.fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, 256)
	n, _ := f.ReadAt(buf, 0)
	line, _, _ := bytes.Cut(buf[:n], []byte{'\n'})
	uses, _, _ := parseHead(string(line))
	return uses
}
