package maildir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// issueName is the file that makes UIDs safe from a crash. It says
//
//	V1795374077 F1 N1025 B6f3a0a4e-…
//
// The mailbox's UIDVALIDITY; that UIDs from F to below N may have been given out
// since the machine's run B began, and none from N on. It is durable before the
// first of them is, so the lines of the uidlist need no sync of their own: after a
// crash, which may have lost some, the next UID is N. In the same run nothing was
// lost, and the next UID is above all in the list and at least F.
//
// The header of the uidlist is no place for N: Dovecot takes the number there for
// UIDNEXT, and renumbers messages that appear below.
const issueName = "mailparts-uidnext"

// issueBlock is how many UIDs are reserved at a time.
const issueBlock = 1024

// issue is what is known of the file.
type issue struct {
	known bool
	floor uint64 // the next UID is not below
	limit uint64 // nor is it this one or above, before the file says so
}

// unknownBoot stands for a run of the machine that has no name.
const unknownBoot = "-"

func (b *box) boot() string { return cmp.Or(b.fsys.Boot(), unknownBoot) }

var errUsedUp = errors.New("all UIDs are used up")

// recall reads what was reserved, once.
func (b *box) recall(dir string) error {
	if b.issue.known {
		return nil
	}
	text, err := disk.ReadFile(b.fsys, filepath.Join(dir, issueName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	is := issue{known: true, floor: 1}
	var validity uint32
	var floor, limit uint64
	var boot string
	if _, err := fmt.Sscanf(string(text), "V%d F%d N%d B%s\n", &validity, &floor, &limit, &boot); err == nil && validity == b.validity {
		if is.floor = limit; boot != unknownBoot && boot == b.boot() {
			is.floor, is.limit = floor, limit
		}
	}
	b.issue = is
	return nil
}

// nextUID is above all UIDs that were seen and all that a crash may have lost.
func (b *box) nextUID() uint64 { return max(b.next, b.issue.floor, b.list.above()) }

// reserve sees to it that n UIDs from the next on are safe to give out.
func (b *box) reserve(dir string, n int) error {
	next := b.nextUID()
	if next+uint64(n) > math.MaxUint32 {
		return b.foreign(dir, errUsedUp)
	}
	if next+uint64(n) <= b.issue.limit {
		return nil
	}
	limit := next + uint64(n) + issueBlock
	text := fmt.Sprintf("V%d F%d N%d B%s\n", b.validity, next, limit, b.boot())
	if err := disk.WriteFile(b.fsys, filepath.Join(dir, issueName), []byte(text), fileMode); err != nil {
		return err
	}
	b.issue.floor, b.issue.limit = next, limit
	return nil
}

// number gives the next UIDs to files, in the order given, and writes their lines.
// The caller holds the list's dotlock.
func (b *box) number(dir string, bases []string) (first mailparts.UID, err error) {
	if err := b.reserve(dir, len(bases)); err != nil {
		return 0, err
	}
	first = mailparts.UID(b.nextUID())
	lines := make([]listLine, len(bases))
	for i, base := range bases {
		lines[i] = listLine{uid: first + mailparts.UID(i), base: base}
	}
	return first, b.appendList(dir, lines)
}
