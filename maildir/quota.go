package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
)

// quotaName is the name of the one quota root of a tree, which Dovecot's manual gives
// it too.
const quotaName = "User quota"

// Quota returns what has a limit, of storage and messages, in the tree's one root. It
// is in octets on disk, where a message mostly has LF for CRLF.
func (s *store) Quota(ctx context.Context, name string) ([]mailparts.Quota, error) {
	folder, err := s.folderOf(name)
	if err != nil {
		return nil, err
	}
	if is, err := s.isMailbox(folder); err != nil {
		return nil, err
	} else if !is && folder != "" {
		return nil, mailparts.ErrNoMailbox
	}
	f, err := s.quotaRoot().count(ctx, usage{1, 1})
	if f == nil || err != nil {
		return nil, err
	}
	var quotas []mailparts.Quota
	if f.Storage > 0 {
		quotas = append(quotas, mailparts.Quota{Root: quotaName, Resource: mailparts.QuotaStorage, Used: f.used.octets, Limit: f.Storage})
	}
	if f.Messages > 0 {
		quotas = append(quotas, mailparts.Quota{Root: quotaName, Resource: mailparts.QuotaMessage, Used: f.used.messages, Limit: f.Messages})
	}
	return quotas, nil
}

// setQuota puts what Backend.Quota says into the first line. A disk that is too full
// for it must not keep the user from making room.
func (s *store) setQuota(ctx context.Context, user string) error {
	if s.backend.Quota == nil {
		return nil
	}
	limits, err := s.backend.Quota(user)
	limits = Limits{max(limits.Storage, 0), max(limits.Messages, 0)}
	if err != nil || limits == (Limits{}) {
		return err
	}
	q := s.quotaRoot()
	if f, err := q.read(); err != nil || f != nil && f.Limits == limits {
		return err
	}
	if err = q.setLimits(ctx, limits); disk.IsFull(err) {
		q.log.Error("the quota's limits wait for room on the disk", "tree", q.tree, "error", err)
		return nil
	}
	return err
}

func (q quotaRoot) setLimits(ctx context.Context, limits Limits) error {
	lock, err := q.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	f, err := q.read()
	if err != nil {
		return err
	}
	if f == nil {
		f = &sizeFile{}
	}
	f.Limits = limits
	_, err = q.recount(ctx, f)
	return err
}

// charge is one Append's account with the quota. Nil: there is no quota.
//
// A message counts with its octets as they come, which are a few more than it will
// have on disk; when all are written, and nobody else of our kind can take what is
// left, they are weighed again.
type charge struct {
	quotaRoot
	box    *box
	seen   *sizeFile // the last look
	asked  usage     // what came so far
	credit usage     // what messages that are to be replaced have
}

func (b *box) charge(ctx context.Context) (*charge, error) {
	c := &charge{quotaRoot: b.quotaRoot(), box: b}
	var err error
	if c.seen, err = c.count(ctx, usage{}); c.seen == nil || err != nil {
		return nil, err
	}
	return c, nil
}

// meter lets through what there is room for, and refuses a message whose size is
// known before its Body is read.
func (c *charge) meter(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) iter.Seq2[mailparts.Incoming, error] {
	if c == nil {
		return msgs
	}
	return func(yield func(mailparts.Incoming, error) bool) {
		for in, err := range msgs {
			if err == nil {
				err = c.admit(ctx, &in)
			}
			if !yield(in, err) {
				return
			}
		}
	}
}

func (c *charge) admit(ctx context.Context, in *mailparts.Incoming) error {
	if in.Replaces != 0 {
		old, err := c.weighUID(ctx, in.Replaces)
		if err != nil {
			return err
		}
		c.credit = c.credit.plus(old)
	}
	c.asked.messages++
	if err := c.allow(ctx, c.asked.plus(usage{octets: max(in.Size, 1)})); err != nil {
		return err
	}
	in.Body = &meteredBody{ctx: ctx, msg: in.Body, charge: c}
	return nil
}

// take is admit for what needs no reading.
func (c *charge) take(ctx context.Context, u usage) error {
	if c == nil {
		return nil
	}
	c.asked = c.asked.plus(u)
	return c.allow(ctx, c.asked)
}

// weighUID is nothing for a message that is gone.
func (c *charge) weighUID(ctx context.Context, uid mailparts.UID) (u usage, err error) {
	e, err := c.box.lookUp(ctx, uid)
	if errors.Is(err, mailparts.ErrNoMessage) {
		return u, nil
	}
	if err != nil {
		return u, err
	}
	err = c.box.follow(ctx, &e, func(path string) error {
		if u, err = c.weigh(path); err == nil && u == (usage{}) {
			err = fs.ErrNotExist
		}
		return err
	})
	if errors.Is(err, mailparts.ErrNoMessage) {
		return usage{}, nil
	}
	return u, err
}

// allow is ErrQuota if there is no room, even if the tree is counted anew.
func (c *charge) allow(ctx context.Context, add usage) (err error) {
	add = add.plus(c.credit.minus())
	if !c.seen.refuses(c.seen.used, add) {
		return nil
	}
	if c.seen, err = c.count(ctx, add); err != nil {
		return err
	}
	return c.verdict(add)
}

func (c *charge) verdict(add usage) error {
	if c.seen == nil { // taken away meanwhile
		c.seen = &sizeFile{}
	}
	if !c.seen.refuses(c.seen.used, add) {
		return nil
	}
	return fmt.Errorf("%w: %d octets and %d messages of %d and %d are used", mailparts.ErrQuota,
		c.seen.used.octets, c.seen.used.messages, c.seen.Storage, c.seen.Messages)
}

// meteredBody is refused when it goes beyond the quota.
type meteredBody struct {
	ctx    context.Context
	msg    io.Reader
	charge *charge
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.msg.Read(p)
	b.charge.asked.octets += int64(n)
	if n > 0 {
		if qerr := b.charge.allow(b.ctx, b.charge.asked); qerr != nil {
			return 0, qerr
		}
	}
	return n, err
}

// spend places drafts if there is room for them, and writes down that it did.
func (c *charge) spend(ctx context.Context, drafts []draft, place func() error) error {
	if c == nil || len(drafts) == 0 {
		return place()
	}
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	u := weighDrafts(drafts)
	add := u.plus(c.credit.minus())
	if c.seen, err = c.countLocked(ctx, add); err != nil {
		return err
	}
	if err := c.verdict(add); err != nil {
		return err
	}
	if err := place(); err != nil {
		return err
	}
	c.change(context.WithoutCancel(ctx), u)
	return nil
}

// giveBack takes back what spend wrote.
func (c *charge) giveBack(ctx context.Context, drafts []draft) {
	if c == nil {
		return
	}
	r := c.refund(ctx)
	if r.begin() {
		r.sum = weighDrafts(drafts)
	}
	r.close()
}

func weighDrafts(drafts []draft) (u usage) {
	for _, d := range drafts {
		u = u.plus(usage{sizeIn(d.base, diskSize), 1})
	}
	return u
}
