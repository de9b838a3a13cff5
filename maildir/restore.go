package maildir

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// restoreGap is how many UIDs are left out after a uidlist was lost: Dovecot may have
// given out some that nobody remembers.
const restoreGap = 4 * issueBlock

// restoreList makes a uidlist that is lost of what the mailbox's index has, with the
// UIDVALIDITY and all UIDs, or reports false if there is none that can be read. Of
// broken, which is what was in its place, lines that are right keep their fields. The
// caller holds the mailbox's changeLock and the dotlock of its uidlist.
//
// An index in Backend.Index goes by the GUID, which only the uidlist has: it cannot be
// found then.
func (s *store) restoreList(ctx context.Context, dir, list string, broken []byte) (done bool, err error) {
	b := s.backend
	ix := index.New(b.fsys, filepath.Join(dir, indexName))
	if err := ix.Load(); err != nil {
		if !isNoIndex(err) {
			b.log.Error("the index cannot be read", "mailbox", dir, "error", err)
		}
		return false, nil
	}
	if ix.Validity == 0 {
		return false, nil
	}
	x := &box{Backend: b, root: s.root, identity: identity{validity: ix.Validity}}
	is, _, err := x.readIssue(dir)
	if err != nil {
		return false, err
	}
	_, rest, _ := strings.Cut(string(broken), "\n")
	old, _, _ := parseLines(rest, 0)
	fields := make(map[mailparts.UID]listLine, len(old))
	next := max(ix.Next, is.floor, is.limit)
	for _, l := range old {
		fields[l.uid] = l
		next = max(next, uint64(l.uid)+1)
	}
	if next += restoreGap; next >= maxUID {
		return false, nil
	}
	var lines []byte
	for i := range ix.Entries {
		e := &ix.Entries[i]
		l, ok := fields[mailparts.UID(e.UID)]
		if !ok || l.base != keyOf(e) {
			l = listLine{uid: mailparts.UID(e.UID), base: keyOf(e)}
			if id := ix.GUIDs[e.UID]; id != "" {
				l.fields = " G" + id
			}
		}
		lines = l.append(lines)
	}
	head := listHeader{validity: ix.Validity, next: next}
	if guid := unpackGUID(ix.GUID); guid != "" {
		head.others = []string{"G" + guid}
	}
	if err := s.raiseValidity(ctx, ix.Validity); err != nil {
		return false, err
	}
	b.log.Warn("a uidlist that was lost is made of the index", "mailbox", dir, "messages", len(ix.Entries))
	return true, disk.WriteFile(b.fsys, list, append(head.append(nil), lines...), fileMode)
}

// forgetIndex is for a mailbox whose UIDs are used up: no uidlist
// is to be made of it again.
func (b *box) forgetIndex(dir string) error {
	return ifExists(b.fsys.Remove(b.indexPath(dir)))
}
