package maildir

import (
	"context"
	"io"
	"path/filepath"
)

// refund collects what an operation removes, and writes it to the quota at its end.
// That it cannot is no reason not to remove it: then the sum is too high until the
// tree is counted.
type refund struct {
	quotaRoot
	ctx   context.Context
	begun bool
	held  io.Closer // nil: there is no quota
	next  usage     // what was weighed last
	sum   usage     // what is gone
}

// refund begins one, which ends by close. From the first weigh until then nobody of
// our kind counts the tree.
func (q quotaRoot) refund(ctx context.Context) *refund {
	return &refund{quotaRoot: q, ctx: context.WithoutCancel(ctx)}
}

// begin reports whether there is a quota.
func (r *refund) begin() bool {
	if r.begun {
		return r.held != nil
	}
	r.begun = true
	f, err := r.read()
	if f != nil {
		r.held, err = r.lock(r.ctx)
	}
	if err != nil {
		r.log.Warn("what is removed is in the quota until it is counted", "tree", r.tree, "error", err)
	}
	return r.held != nil
}

// weigh asks for the size of a message that is to be removed.
func (r *refund) weigh(path string) {
	if r.begin() {
		r.next, _ = r.quotaRoot.weigh(path) // if it cannot be asked for, it can hardly be removed
	}
}

// weighMailbox is weigh for all messages of a mailbox.
func (r *refund) weighMailbox(dir string) {
	r.next = usage{}
	for _, shelf := range shelfNames {
		if !r.begin() {
			return
		}
		in, err := r.weighShelf(r.ctx, filepath.Join(dir, shelf))
		if err != nil {
			r.log.Warn("a mailbox is in the quota until it is counted", "mailbox", dir, "error", err)
		}
		r.next = r.next.plus(in)
	}
}

// removed says that what was weighed last is gone.
func (r *refund) removed() {
	r.sum = r.sum.plus(r.next)
	r.next = usage{}
}

func (r *refund) close() {
	if r.held != nil {
		r.change(r.ctx, r.sum.minus())
		r.held.Close()
	}
}
