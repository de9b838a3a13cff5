package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/mailparts/mailparts"
)

// Problem is something in a tree that is not as it should be.
type Problem struct {
	Mailbox string // empty: it is the whole tree's
	File    string // or folder: its path
	What    string // is wrong
	Remedy  string // what Repair does, such as "remove it"; empty: it is for a person to see
	Err     error  // why Repair could not do that
}

// String is a line for a log.
func (p Problem) String() string {
	s := fmt.Sprintf("%s: %s", p.File, p.What)
	switch {
	case p.Err != nil:
		s += fmt.Sprintf(" (cannot %s: %v)", p.Remedy, p.Err)
	case p.Remedy != "":
		s += fmt.Sprintf(" (%s)", p.Remedy)
	}
	return s
}

// Check yields what is wrong in the user's tree: the tree's own problems and then
// each mailbox's. It reads every message, takes no lock and changes nothing; the tree
// may be in use. The error, which comes last, is ErrNoUser if there is no tree, or
// says that it cannot be read.
//
// What it finds: folders that are missing or are no mailbox's; folders and messages
// where they do not belong; names of files with wrong sizes, and two files with one
// base; messages that cannot be read; damage to the uidlist, the keywords, the
// annotations and the index; locks and temporary files that were left behind; a sum of the quota that is
// wrong; files of other users, and modes that keep their owner out or let everybody
// write. Messages that have no UID yet are no problem, nor are the lines of messages
// that are gone, unless there are more than would be kept.
func (b *Backend) Check(ctx context.Context, user string) iter.Seq2[Problem, error] {
	return b.examine(ctx, user, false)
}

// Repair is Check that also does what the Remedy of each problem says, one mailbox
// after the other. The tree may be in use. No message is removed, but a temporary
// file that nobody has touched for 36 hours; a message whose size was wrong gets a
// new UID.
func (b *Backend) Repair(ctx context.Context, user string) iter.Seq2[Problem, error] {
	return b.examine(ctx, user, true)
}

func (b *Backend) examine(ctx context.Context, user string, repair bool) iter.Seq2[Problem, error] {
	return func(yield func(Problem, error) bool) {
		root, err := b.path(user)
		var fi fs.FileInfo
		if err == nil {
			b.once.Do(b.setUp)
			fi, err = b.fsys.Stat(root)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = mailparts.ErrNoUser
		}
		if err != nil {
			yield(Problem{}, err)
			return
		}
		c := &checker{store: &store{backend: b, root: root}, ctx: ctx, repair: repair, owner: fi}
		if !c.report(yield, c.tree()) {
			return
		}
		places, err := c.places(ctx)
		for _, p := range places {
			if p.isMailbox && !c.report(yield, c.mailbox(p)) {
				return
			}
		}
		if err == nil {
			err = c.sums()
		}
		c.report(yield, err)
	}
}

// checker is one Check or Repair.
type checker struct {
	*store
	ctx    context.Context
	repair bool
	owner  fs.FileInfo // of the tree
	found  []Problem   // not yet reported: nothing is held while somebody looks at them
}

// report yields what was found, and then the error, if there is one.
func (c *checker) report(yield func(Problem, error) bool, err error) bool {
	for _, p := range c.found {
		if !yield(p, nil) {
			return false
		}
	}
	c.found = nil
	if err != nil {
		yield(Problem{}, err)
	}
	return err == nil
}

// problem notes one, and does the remedy if that is asked for.
func (c *checker) problem(p Problem, remedy string, do func() error) {
	p.Remedy = remedy
	if c.repair && do != nil {
		p.Err = do()
	}
	c.found = append(c.found, p)
}

// unreadable notes what cannot be examined, but for what is gone by now.
func (c *checker) unreadable(mailbox, file string, err error) {
	if !errors.Is(err, fs.ErrNotExist) {
		c.problem(Problem{Mailbox: mailbox, File: file, What: "cannot be read: " + err.Error()}, "", nil)
	}
}
