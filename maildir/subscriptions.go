package maildir

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
)

// subscriptionsName is Dovecot's file. Its second version begins with
// subscriptionsHead and has a name on each line, in modified UTF-7 or UTF-8 with a tab
// between the parts; the first one has no header, and "." between them.
const (
	subscriptionsName = "subscriptions"
	subscriptionsHead = "V\t2\n\n"
)

// subscriptions is the file's content. Lines that are no names stay in it.
type subscriptions struct {
	naming
	head, sep string
	lines     []string
}

func (n naming) parseSubscriptions(text string) subscriptions {
	s := subscriptions{naming: n, head: subscriptionsHead, sep: "\t"}
	body, ok := strings.CutPrefix(text, s.head)
	if !ok && text != "" {
		s.head, s.sep = "", "."
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line != "" {
			s.lines = append(s.lines, line)
		}
	}
	return s
}

func (s subscriptions) String() string {
	var b strings.Builder
	b.WriteString(s.head)
	for _, line := range s.lines {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func (s subscriptions) line(name string) string {
	return strings.ReplaceAll(s.encode(name), "/", s.sep)
}

func (s subscriptions) names() []string {
	var names []string
	for _, line := range s.lines {
		if name, ok := s.nameOf(line); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// nameOf is the name on a line, or false for what is none.
func (s subscriptions) nameOf(line string) (string, bool) {
	name, ok := s.decode(strings.ReplaceAll(line, s.sep, "/"))
	return name, ok && checkName(name) == nil
}

func (s *store) readSubscriptions() (subscriptions, error) {
	text, err := disk.ReadFile(s.backend.fsys, filepath.Join(s.root, subscriptionsName))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return s.backend.naming().parseSubscriptions(string(text)), err
}

// Subscribed returns the names in ascending order.
func (s *store) Subscribed(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	subs, err := s.readSubscriptions()
	return subs.names(), err
}

// Subscribe takes every name that a mailbox could have.
func (s *store) Subscribe(ctx context.Context, name string, on bool) error {
	if _, err := s.folderOf(name); err != nil {
		return err
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return quota(err)
	}
	defer lock.Close()
	file := filepath.Join(s.root, subscriptionsName)
	unlock, err := s.backend.dotlock(ctx, file, "")
	if err != nil {
		return quota(err)
	}
	defer unlock()
	subs, err := s.readSubscriptions()
	if err != nil {
		return err
	}
	line := subs.line(name)
	if slices.Contains(subs.lines, line) == on {
		return nil
	}
	if on {
		subs.lines = append(subs.lines, line)
	} else {
		subs.lines = slices.DeleteFunc(subs.lines, func(l string) bool { return l == line })
	}
	defer s.changed()
	return quota(disk.WriteFile(s.backend.fsys, file, []byte(subs.String()), fileMode))
}
