package mbox

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/utf7"
)

// subscriptionsName is Dovecot's file: a name in modified UTF-7 on each line.
const subscriptionsName = ".subscriptions"

// readSubscriptions returns the lines of the file. Those that are no names stay in
// it.
func (s *store) readSubscriptions() (lines []string, err error) {
	text, err := disk.ReadFile(s.backend.fsys, filepath.Join(s.root, subscriptionsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, err
}

// Subscribed returns the names in ascending order.
func (s *store) Subscribed(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lines, err := s.readSubscriptions()
	var names []string
	for _, line := range lines {
		name, ok := utf7.Decode(line)
		if !ok {
			continue
		}
		if _, err := partsOf(name); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), err
}

// Subscribe takes every name that a mailbox could have.
func (s *store) Subscribe(ctx context.Context, name string, on bool) error {
	parts, err := partsOf(name)
	if err != nil {
		return err
	}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return quota(err)
	}
	defer lock.Close()
	file := filepath.Join(s.root, subscriptionsName)
	unlock, err := s.backend.dotlock(ctx, file)
	if err != nil {
		return quota(err)
	}
	defer unlock()
	lines, err := s.readSubscriptions()
	if err != nil {
		return err
	}
	line := strings.Join(parts, "/")
	if slices.Contains(lines, line) == on {
		return nil
	}
	if on {
		lines = append(lines, line)
	} else {
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == line })
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line + "\n")
	}
	defer s.backend.changed(file)
	return quota(disk.WriteFile(s.backend.fsys, file, []byte(text.String()), fileMode))
}
