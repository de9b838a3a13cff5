package maildir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// issueName is the file that makes UIDs and mod-sequences safe from a crash. It says
//
//	V1795374077 F1 N1025 M1795374077123456 B6f3a0a4e-…
//
// The mailbox's UIDVALIDITY; that UIDs from F to below N, and mod-sequences below M,
// may have been given out since the machine's run B began, and none from N and M on.
// It is durable before the first of them is, so the lines of the uidlist and the
// records of the index need no sync of their own: after a crash, which may have lost
// some, the next ones are N and M. In the same run nothing was lost, and the next UID
// is above all in the list and at least F.
//
// The header of the uidlist is no place for N: Dovecot takes the number there for
// UIDNEXT, and renumbers messages that appear below.
const issueName = "mailparts-uidnext"

// How many UIDs and mod-sequences are reserved at a time.
const (
	issueBlock  = 1024
	modSeqBlock = 1 << 20
)

// issue is what is known of the file.
type issue struct {
	known    bool
	floor    uint64 // the next UID is not below
	limit    uint64 // nor is it this one or above, before the file says so
	modLimit uint64 // nor is a mod-sequence
}

// unknownBoot stands for a run of the machine that has no name.
const unknownBoot = "-"

func (b *box) boot() string { return cmp.Or(b.fsys.Boot(), unknownBoot) }

// bootSum is how an index names the run of the machine; zero: none.
func (b *box) bootSum() uint64 { return index.BootOf(b.fsys) }

// maxUID is the highest.
const maxUID = math.MaxUint32

var errUsedUp = errors.New("all UIDs are used up")

// recall reads what was reserved, once: see reread.
func (b *box) recall(dir string) error {
	if b.issue.known {
		return nil
	}
	is, run, err := b.readIssue(dir)
	if err != nil {
		return err
	}
	if is.known = true; !b.isThisRun(run) { // all of it may have been given out
		is.floor, is.limit = is.limit, 0
	}
	is.floor = max(is.floor, 1)
	b.issue = is
	return nil
}

func (b *box) isThisRun(run string) bool { return run == b.boot() && run != unknownBoot }

// reread takes in what other processes have reserved meanwhile, before it is written
// again.
func (b *box) reread(dir string) error {
	is, run, err := b.readIssue(dir)
	if err != nil {
		return err
	}
	was := &b.issue
	if !b.isThisRun(run) && is.limit != was.limit { // of another host
		was.floor = max(was.floor, is.limit)
	}
	was.limit, was.modLimit = max(was.limit, is.limit), max(was.modLimit, is.modLimit)
	return nil
}

// readIssue returns what the file says, and in which run of the machine that was
// written, or zeros if it says nothing of this mailbox.
func (b *box) readIssue(dir string) (is issue, run string, err error) {
	text, err := disk.ReadFile(b.fsys, filepath.Join(dir, issueName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return is, "", err
	}
	var validity uint32
	_, err = fmt.Sscanf(string(text), "V%d F%d N%d M%d B%s\n", &validity, &is.floor, &is.limit, &is.modLimit, &run)
	if err != nil { // from before there were mod-sequences
		is.modLimit = 0
		_, err = fmt.Sscanf(string(text), "V%d F%d N%d B%s\n", &validity, &is.floor, &is.limit, &run)
	}
	if err != nil || validity != b.validity {
		return issue{}, "", nil
	}
	return is, run, nil
}

// nextUID is above all UIDs that were seen and all that a crash may have lost.
func (b *box) nextUID() uint64 {
	next := max(b.issue.floor, b.list.above())
	if b.known {
		next = max(next, b.ix.Next)
	}
	return next
}

// reserve sees to it that n UIDs from the next on are safe to give out.
func (b *box) reserve(dir string, n int) error {
	if b.nextUID()+uint64(n) <= b.issue.limit {
		return nil
	}
	if err := b.reread(dir); err != nil {
		return err
	}
	next := b.nextUID()
	if next+uint64(n) > maxUID {
		return b.foreign(dir, errUsedUp)
	}
	if next+uint64(n) <= b.issue.limit {
		return nil
	}
	is := b.issue
	is.floor, is.limit = next, next+uint64(n)+issueBlock
	return b.writeIssue(dir, is)
}

func (b *box) writeIssue(dir string, is issue) error {
	text := fmt.Sprintf("V%d F%d N%d M%d B%s\n", b.validity, is.floor, is.limit, is.modLimit, b.boot())
	if err := disk.WriteFile(b.fsys, filepath.Join(dir, issueName), []byte(text), fileMode); err != nil {
		return err
	}
	b.issue = is
	return nil
}

// nextModSeq is above every mod-sequence that anybody was told, and safe to give
// out. In another run of the machine than the index is from, and without an index,
// it is above all that may have been lost, and above the clock in microseconds.
func (b *box) nextModSeq(dir string) (uint64, error) {
	next := b.ix.HighestModSeq + 1
	if b.fresh && next < b.issue.modLimit {
		return next, nil
	}
	if err := b.reread(dir); err != nil {
		return next, err
	}
	if !b.fresh {
		next = max(next, b.issue.modLimit, uint64(max(time.Now().UnixMicro(), 1)))
	}
	if next < b.issue.modLimit {
		return next, nil
	}
	is := b.issue
	is.modLimit = next + modSeqBlock
	if is.limit == 0 { // UIDs of another run were recalled: this one must not repeat them
		is.floor = b.nextUID()
		is.limit = is.floor
	}
	return next, b.writeIssue(dir, is)
}

// number gives the next UIDs to lines, in the order given, and writes them. The
// caller holds the list's dotlock.
func (b *box) number(dir string, lines []listLine) (first mailparts.UID, err error) {
	if err := b.reserve(dir, len(lines)); err != nil {
		return 0, err
	}
	first = mailparts.UID(b.nextUID())
	for i := range lines {
		lines[i].uid = first + mailparts.UID(i)
	}
	return first, b.appendList(dir, lines)
}
