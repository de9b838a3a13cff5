package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/courier"
)

// A mailbox goes to Courier in this order, each step durable before the next:
//
//  1. all messages go to cur/; the keywords go to courierimapkeywords/; the subscriptions, if it is INBOX, to
//     courierimapsubscribed; a courierimapuiddb that is there is renamed
//  2. the UIDs are written under the name of stagedUIDs
//  3. the uidlist is renamed to givenName
//  4. the UIDs get the name courierimapuiddb
//
// Before 3 it is ours, as it was. After 3 it is ours when it is opened, which undoes 3.
// After 4 it is Courier's, until it is opened: see takeOver, which then finds in
// givenName what Courier does not keep.
const (
	givenName  = "mailparts-uidlist-given"
	stagedUIDs = "mailparts-courierimapuiddb"
)

// ToCourier gives a user's tree to Courier, with each mailbox's UIDVALIDITY, UIDs and
// keywords and the tree's subscriptions in Courier's files. The next Open takes it
// back, mailbox by mailbox, with what Courier has changed: so nobody may have the tree
// open, deliveries by Backend included, from ToCourier on until Courier has done with
// it. Mailboxes that are Courier's already stay as they are. After an error, and a
// crash, some mailboxes are Courier's and the others are not: called again it goes on.
//
// The error is ErrNoUser if there is no tree. It wraps errors.ErrUnsupported for what
// Courier cannot have: another Layout than MaildirPlusPlus, and CRLF on disk. Courier
// reads the names of folders as UTF-8 from its version 5 on, and as modified UTF-7
// before that: they stay as Backend.UTF8 has them.
func (b *Backend) ToCourier(ctx context.Context, user string) error {
	if b.Layout != MaildirPlusPlus {
		return fmt.Errorf("maildir: Courier knows no Layout but Maildir++: %w", errors.ErrUnsupported)
	}
	if b.CRLF {
		return fmt.Errorf("maildir: Courier reads no messages with CRLF: %w", errors.ErrUnsupported)
	}
	root, err := b.path(user)
	if err != nil {
		return err
	}
	b.once.Do(b.setUp)
	if _, err := b.fsys.Stat(root); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = mailparts.ErrNoUser
		}
		return err
	}
	s := &store{backend: b, root: root}
	lock, err := s.lockNames(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	places, err := s.places(ctx)
	if err != nil {
		return err
	}
	slices.Reverse(places) // INBOX last, which every Open takes back
	for _, p := range places {
		if err := s.give(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(root, p.path), err)
		}
	}
	return nil
}

// give makes a mailbox Courier's, if it is not.
func (s *store) give(ctx context.Context, p place) error {
	b := s.backend
	if theirs, err := b.isCouriers(filepath.Join(s.root, p.path)); theirs || err != nil {
		return err
	}
	x, err := s.open(ctx, p.name)
	if err != nil {
		return err
	}
	unlock, err := x.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	release, err := x.lockList(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := x.lookAtAll(ctx); err != nil {
		return err
	}
	if p.name == inbox {
		if err := s.giveSubscriptions(); err != nil {
			return err
		}
	}
	if err := x.giveKeywords(); err != nil {
		return err
	}
	if err := x.giveUIDs(); err != nil {
		return err
	}
	_ = x.lost() // all handles to it
	b.log.Info("given to Courier", "mailbox", x.path(), "messages", len(x.ix.Entries))
	return nil
}

// isCouriers reports whether the mailbox at dir is to be taken over.
func (b *Backend) isCouriers(dir string) (bool, error) {
	if _, err := b.fsys.Stat(filepath.Join(dir, listName)); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	_, err := b.fsys.Stat(filepath.Join(dir, courier.UIDsFile))
	return err == nil, ifExists(err)
}

// lookAtAll looks at all files, so that each message has its UID and no other is known,
// and moves what is in new/ to cur/, durably: whatever Courier finds in new/ gets a new
// UID. The caller holds the box's lock and the dotlock of its uidlist.
func (b *box) lookAtAll(ctx context.Context) error {
	b.mu.Lock()
	b.list.ID = 0
	b.mu.Unlock()
	dir := b.path()
	for range maxLooks {
		b.distrustShelves()
		if err := b.catchUp(ctx, needEntries); err != nil {
			return err
		}
		if b.waiting {
			return errors.New("messages wait for room to write their UIDs")
		}
		if b.distrusted() {
			continue
		}
		again, err := b.leaveNew(dir, b.pick(mailparts.AllUIDs(), func(e *entry) bool { return e.Shelf == newShelf }))
		if err != nil {
			return err
		}
		if !again {
			return b.fsys.SyncDir(filepath.Join(dir, shelfNames[newShelf]))
		}
	}
	return errMoving
}

// giveKeywords writes what keywords the messages have, in the place of all that is in
// courierimapkeywords/.
func (b *box) giveKeywords() error {
	folder := filepath.Join(b.path(), courier.KeywordsFolder)
	if err := disk.MkdirAll(b.fsys, folder, dirMode); err != nil {
		return err
	}
	files, err := b.fsys.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, file := range files { // one that stays would count more than the list
		if err := b.fsys.Remove(filepath.Join(folder, file)); ifExists(err) != nil {
			return err
		}
	}
	var list courier.Keywords
	for _, name := range b.keywords.names() {
		list.Names = append(list.Names, string(name))
	}
	for i := range b.ix.Entries {
		e := &b.ix.Entries[i]
		if set := e.Flags >> firstKeyword; set != 0 {
			list.Messages = append(list.Messages, courier.MessageKeywords{Base: keyOf(e), Set: set})
		}
	}
	return disk.WriteFile(b.fsys, filepath.Join(folder, courier.KeywordsList), list.Append(nil), fileMode)
}

// giveUIDs is steps 2 to 4.
func (b *box) giveUIDs() error {
	dir := b.path()
	uidsFile, staged := filepath.Join(dir, courier.UIDsFile), filepath.Join(dir, stagedUIDs)
	if err := ifExists(b.moveDurably(uidsFile, takenName(uidsFile))); err != nil {
		return err
	}
	uids := courier.UIDs{Validity: b.validity, Next: max(b.nextUID(), 1)}
	for i := range b.ix.Entries {
		e := &b.ix.Entries[i]
		uids.Messages = append(uids.Messages, courier.Message{UID: mailparts.UID(e.UID), Base: keyOf(e)})
	}
	if err := disk.WriteFile(b.fsys, staged, uids.Append(nil), fileMode); err != nil {
		return err
	}
	list, given := filepath.Join(dir, listName), filepath.Join(dir, givenName)
	if err := b.moveDurably(list, given); err != nil {
		return errors.Join(err, ifExists(b.fsys.Rename(given, list)))
	}
	return b.moveDurably(staged, uidsFile)
}

// giveSubscriptions writes courierimapsubscribed. Its lines for what is not of the
// tree stay.
func (s *store) giveSubscriptions() error {
	b := s.backend
	file := filepath.Join(s.root, courier.SubscribedFile)
	text, err := disk.ReadFile(b.fsys, file)
	if ifExists(err) != nil {
		return err
	}
	subs, err := s.readSubscriptions()
	if err != nil {
		return err
	}
	var lines strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if _, ours := b.naming().courierName(line); !ours && line != "" {
			lines.WriteString(line + "\n")
		}
	}
	for _, name := range subs.names() {
		if name != inbox {
			name = inbox + "." + strings.ReplaceAll(b.naming().encode(name), "/", ".")
		}
		lines.WriteString(name + "\n")
	}
	return disk.WriteFile(b.fsys, file, []byte(lines.String()), fileMode)
}

// givenList is what the uidlist said before the mailbox was Courier's.
type givenList struct {
	is     bool
	head   listHeader
	next   uint64 // above all its UIDs
	uids   map[string]mailparts.UID
	fields map[string]string // by base
}

// readGiven reads it, if there is one.
func (b *Backend) readGiven(dir string) (g givenList, err error) {
	text, err := disk.ReadFile(b.fsys, filepath.Join(dir, givenName))
	if err != nil {
		return g, ifExists(err)
	}
	head, lines, _, _, err := parseList(string(text))
	g = givenList{is: true, head: head, next: head.next, uids: map[string]mailparts.UID{}, fields: map[string]string{}}
	if err != nil {
		b.log.Warn("what Courier does not keep is lost", "mailbox", dir, "error", err)
	}
	for _, l := range lines {
		g.next = max(g.next, uint64(l.uid)+1)
		g.uids[l.base], g.fields[l.base] = l.uid, l.fields
	}
	return g, nil
}

// only leaves of what Courier says the UIDs that we gave to the same messages, and
// those that it gave since then: no UID may mean two messages.
func (g *givenList) only(uids *courier.UIDs) {
	if !g.is || g.head.validity != uids.Validity {
		return
	}
	n := len(uids.Messages)
	uids.Messages = slices.DeleteFunc(uids.Messages, func(m courier.Message) bool {
		return g.uids[m.Base] != m.UID && uint64(m.UID) < g.next
	})
	uids.Bad += n - len(uids.Messages)
	uids.Next = max(uids.Next, g.next)
}

// notGone leaves the unique-ids of messages that are in the list or there.
func notGone(ids []courier.UniqueID, there map[string]item) []courier.UniqueID {
	return slices.DeleteFunc(ids, func(id courier.UniqueID) bool {
		_, ok := there[id.Base]
		return !ok
	})
}
