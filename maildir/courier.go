package maildir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/courier"
)

// A mailbox without a uidlist that has a courierimapuiddb was Courier's: it keeps
// its UIDVALIDITY, its UIDs, its keywords and its POP3 unique-ids. In this order,
// each step durable before the next:
//
//  1. the keywords go to dovecot-keywords and to the names of files; the
//     subscriptions, if it is INBOX, to theirs; the tree's counter of UIDVALIDITYs
//     is raised
//  2. the uidlist is written under the name of stagedName
//  3. courierimapuiddb is renamed
//  4. the uidlist gets its name
//
// After a crash before 3 all is done again, and gives the same; after it, 4 alone.
// So the UIDs are taken over once. If the uidlist is lost some day, the messages
// that came since have UIDs that nobody remembers, and the old UIDVALIDITY must not
// come again; nor may Courier, should it come back by itself, go on with it. How a
// mailbox goes to Courier, to be taken over again, is in courier_return.go.
const (
	stagedName  = "mailparts-uidlist"
	takenSuffix = ".taken-20060102T150405.000000"
)

// takeOver does that, or reports false if there is nothing of Courier's. The caller
// holds the mailbox's changeLock and the dotlock of its uidlist.
func (s *store) takeOver(ctx context.Context, dir, list string) (done bool, err error) {
	b := s.backend
	uidsFile := filepath.Join(dir, courier.UIDsFile)
	staged := filepath.Join(dir, stagedName)
	text, err := disk.ReadFile(b.fsys, uidsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return b.goOn(dir, list)
	}
	if err != nil {
		return false, err
	}
	given, err := b.readGiven(dir)
	if err != nil {
		return false, err
	}
	uids, perr := courier.ParseUIDs(string(text))
	if err := b.takeKeywords(dir, given.is); err != nil {
		return false, err
	}
	if perr != nil {
		bad := badName(uidsFile)
		b.log.Error("Courier's UIDs set aside, the mailbox gets a new UIDVALIDITY", "file", bad, "error", perr)
		if err := b.dropGiven(dir); err != nil { // Courier may have gone on from it
			return false, err
		}
		if err := ifExists(b.fsys.Remove(filepath.Join(dir, indexName))); err != nil { // nor may restoreList
			return false, err
		}
		return false, b.moveDurably(uidsFile, bad)
	}
	given.only(&uids)
	if uids.Bad > 0 {
		b.log.Warn("Courier's UIDs have lines that are none; their messages get new UIDs", "mailbox", dir, "lines", uids.Bad)
	}
	if err := s.raiseValidity(ctx, uids.Validity); err != nil {
		return false, err
	}
	ids, err := b.takeUniqueIDs(dir)
	if err != nil {
		return false, err
	}
	if given.is { // of what was there longer ago no line is wanted
		there, err := b.files(dir)
		if err != nil {
			return false, err
		}
		ids = notGone(ids, there)
	}
	if err := disk.WriteFile(b.fsys, staged, newList(uids.Validity, uids.Next, uids.Messages, ids, given), fileMode); err != nil {
		return false, err
	}
	if err := b.moveDurably(uidsFile, takenName(uidsFile)); err != nil {
		return false, err
	}
	b.log.Info("Courier's UIDs taken over", "mailbox", dir, "messages", len(uids.Messages))
	return b.goOn(dir, list)
}

// goOn is step 4, or ends what ToCourier has not: without courierimapuiddb the
// mailbox has never left us. It reports false if there is nothing of either.
func (b *Backend) goOn(dir, list string) (done bool, err error) {
	staged, given := filepath.Join(dir, stagedName), filepath.Join(dir, givenName)
	_, err = b.fsys.Stat(staged)
	if err == nil {
		if err := b.dropGiven(dir); err != nil {
			return false, err
		}
		return true, b.moveDurably(staged, list)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if _, err := b.fsys.Stat(given); err != nil {
		return false, ifExists(err)
	}
	return true, b.moveDurably(given, list)
}

// dropGiven removes the uidlist of before Courier, durably, as there is another now:
// it must not come again.
func (b *Backend) dropGiven(dir string) error {
	err := b.fsys.Remove(filepath.Join(dir, givenName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.fsys.SyncDir(dir)
}

// takenName is that of a file that is not to be taken over again.
func takenName(name string) string { return name + time.Now().UTC().Format(takenSuffix) }

// ifExists is err, but for a file that is not there.
func ifExists(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// moveDurably renames within one folder.
func (b *Backend) moveDurably(from, to string) error {
	if err := b.fsys.Rename(from, to); err != nil {
		return err
	}
	return b.fsys.SyncDir(filepath.Dir(to))
}

// takeUniqueIDs returns what UIDL said under Courier, in the order of arrival.
func (b *Backend) takeUniqueIDs(dir string) ([]courier.UniqueID, error) {
	text, err := disk.ReadFile(b.fsys, filepath.Join(dir, courier.SizesFile))
	if err != nil {
		return nil, ifExists(err)
	}
	ids, bad, err := courier.ParseSizes(string(text))
	if err != nil || bad > 0 {
		b.log.Warn("Courier's POP3 unique-ids are broken; those that are get new ones", "mailbox", dir, "lines", bad, "error", err)
	}
	slices.SortStableFunc(ids, func(x, y courier.UniqueID) int { return arrival(x.Base, y.Base) })
	return ids, nil
}

// newList is a uidlist with msgs, whose UIDs ascend below next, and after them all
// others that ids has. What given had of them beside their UIDs they keep.
func newList(validity uint32, next uint64, msgs []courier.Message, ids []courier.UniqueID, given givenList) []byte {
	of := make(map[string]string, len(ids))
	for _, id := range ids {
		if of[id.Base] == "" {
			of[id.Base] = id.ID
		}
	}
	var lines []byte
	line := func(uid mailparts.UID, base string) {
		l := listLine{uid: uid, base: base, fields: given.fields[base]}
		if id := of[base]; id != "" && l.uidl() == "" {
			l.fields += " P" + id
		}
		delete(of, base)
		lines = l.append(lines)
	}
	for _, m := range msgs {
		line(m.UID, m.Base)
	}
	for _, id := range ids {
		if of[id.Base] != "" && next < math.MaxUint32 {
			line(mailparts.UID(next), id.Base)
			next++
		}
	}
	head := listHeader{validity: validity, next: next, others: given.head.others}
	if head.guid() == "" {
		guid := make([]byte, 16)
		rand.Read(guid)
		head.others = append(head.others, "G"+hex.EncodeToString(guid))
	}
	return append(head.append(nil), lines...)
}
