package maildir

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/utf7"
	"github.com/mailparts/mailparts/maildir/internal/courier"
)

// takeSubscriptions makes the tree's subscriptions, if there are none, of Courier's
// courierimapsubscribed:
//
//	INBOX
//	INBOX.a.b
//
// in modified UTF-7, or from version 5 on in UTF-8. What is not of the tree, such as
// a shared folder, is left out. If the tree comes back, those that are there make way.
// The caller holds INBOX's changeLock, and there is no
// uidlist yet: so nobody has the tree open who could subscribe.
func (s *store) takeSubscriptions(ctx context.Context) error {
	b := s.backend
	text, err := disk.ReadFile(b.fsys, filepath.Join(s.root, courier.SubscribedFile))
	if err != nil {
		return ifExists(err)
	}
	name := filepath.Join(s.root, subscriptionsName)
	unlock, err := b.dotlock(ctx, name, "")
	if err != nil {
		return err
	}
	defer unlock()
	_, err = b.fsys.Stat(name)
	if err == nil {
		_, err = b.fsys.Stat(filepath.Join(s.root, givenName))
		if err != nil { // it does not come back
			return ifExists(err)
		}
	}
	if ifExists(err) != nil {
		return err
	}
	subs, err := s.readSubscriptions()
	if err != nil {
		return err
	}
	subs.lines = slices.DeleteFunc(subs.lines, func(line string) bool { // others are of another namespace
		_, ok := subs.nameOf(line)
		return ok
	})
	for line := range strings.SplitSeq(string(text), "\n") {
		mailbox, ok := b.naming().courierName(strings.TrimSuffix(line, "\r"))
		if ok && !slices.Contains(subs.lines, subs.line(mailbox)) {
			subs.lines = append(subs.lines, subs.line(mailbox))
		} else if !ok && line != "" {
			b.log.Warn("a subscription of Courier's cannot be kept", "tree", s.root, "name", line)
		}
	}
	return disk.WriteFile(b.fsys, name, []byte(subs.String()), fileMode)
}

// courierName returns the mailbox that Courier calls so.
func (n naming) courierName(s string) (string, bool) {
	if s == inbox {
		return inbox, true
	}
	rest, ok := strings.CutPrefix(s, inbox+".")
	rest = strings.ReplaceAll(rest, ".", "/")
	name, isUTF7 := utf7.Decode(rest)
	if !isUTF7 {
		name = rest
	}
	_, err := n.folderOf(name)
	return name, ok && err == nil && name != inbox
}
