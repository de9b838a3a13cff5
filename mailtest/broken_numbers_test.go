package mailtest_test

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenNumbers breaks what is promised of numbers, of copies, and between
// sessions.
func brokenNumbers() map[string]breakage {
	status := func(f func(st *mailparts.Status)) breakage { return breakage{hooks: hooks{status: f}} }
	placed := func(uids mailparts.UIDSet) breakage {
		return breakage{hooks: hooks{placed: func(p *mailparts.Placed) { p.UIDs = uids }}}
	}
	query := func(f func(uids *mailparts.UIDSet, q *mailparts.Query)) breakage {
		return breakage{hooks: hooks{query: f}}
	}
	copied := func(f func(c *mailparts.Copied)) breakage { return breakage{hooks: hooks{copied: f}} }
	copies := func(f copyFunc) breakage { return breakage{hooks: hooks{copy: f}} }
	moves := func(f copyFunc) breakage { return breakage{hooks: hooks{move: f}} }
	claims := func(r mailparts.UIDRange) breakage {
		return breakage{hooks: hooks{claim: func(claimed *mailparts.UIDRange) { *claimed = r }}}
	}
	wakes := func(f func(ctx context.Context, w mailparts.Watcher, wake func()) error) breakage {
		return breakage{hooks: hooks{watch: f}}
	}
	asleep := wakes(func(context.Context, mailparts.Watcher, func()) error { return nil })
	locks := func(f func(ctx context.Context, mb fullMailbox) (func() error, error)) breakage {
		return breakage{hooks: hooks{lock: f}}
	}
	ahead := breakage{hooks: hooks{status: func(st *mailparts.Status) { st.HighestModSeq += 1e6 }}}
	second := func(b breakage) breakage { return breakage{second: &b.hooks} }
	open := locks(func(context.Context, fullMailbox) (func() error, error) { return func() error { return nil }, nil })
	once := func() breakage { // the lock is had once and never again
		var taken atomic.Bool
		return locks(func(ctx context.Context, mb fullMailbox) (func() error, error) {
			if taken.Swap(true) {
				return nil, mailparts.ErrLocked
			}
			return mb.Lock(ctx)
		})
	}
	one := make(chan struct{}, 1)
	last := breakage{hooks: hooks{flags: func(_ fullMailbox, _ *mailparts.UIDSet, c *mailparts.FlagChange) { c.Op = mailparts.ReplaceFlags }}}
	all := copies(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
		allOfNone(&uids)
		return src.Copy(ctx, uids, dst)
	})
	bare := through(hooks{message: func(m *mailparts.Message) { m.Flags = nil }})
	asked := mailparts.ModSeq(0)

	return map[string]breakage{
		"status/of a new mailbox is empty":     status(func(st *mailparts.Status) { st.Messages++ }),
		"status/counts what is there":          status(func(st *mailparts.Status) { st.Counts.Deleted = 0 }),
		"status/is not changed by asking":      status(func(st *mailparts.Status) { asked++; st.HighestModSeq += asked }),
		"status/names the flags that are kept": {hooks: hooks{message: func(m *mailparts.Message) { m.Flags = dropFlags(m.Flags, mailparts.FlagDraft) }}},

		"uid/ascends in the order of appends": placed(mailparts.UIDSet{{First: 7, Last: 7}}),
		"uid/ascends in the order of a batch": {hooks: hooks{append: func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
			placed, err := mb.Append(ctx, msgs)
			if err == nil {
				_, err = mb.Move(ctx, placed.UIDs[:1], mb)
			}
			return placed, err
		}}},
		"uid/is at least the UIDNext of before and below that of after": status(func(st *mailparts.Status) { st.UIDNext-- }),
		"uid/is given when a body has been read, not before":            placed(mailparts.UIDSet{{First: 1, Last: 1}}),
		"uid/UIDNext never goes down":                                   status(func(st *mailparts.Status) { st.UIDNext = mailparts.UID(st.Messages) + 1 }),
		"uid/UIDVALIDITY is never zero and stays":                       status(func(st *mailparts.Status) { st.UIDValidity = 0 }),

		"modseq/is raised by every change":                          status(func(st *mailparts.Status) { st.HighestModSeq = 1 }),
		"modseq/of a message is never above the highest":            {hooks: hooks{message: func(m *mailparts.Message) { m.ModSeq += 10 }}},
		"modseq/is one new number for all that SetFlags changes":    {hooks: hooks{flagged: func(_ mailparts.FlagChange, at *mailparts.ModSeq, _ *error) { *at++ }}},
		"modseq/selects with Since what changed after it":           query(func(_ *mailparts.UIDSet, q *mailparts.Query) { q.Since = 0 }),
		"modseq/protects with UnchangedSince what changed after it": {hooks: hooks{flags: func(_ fullMailbox, _ *mailparts.UIDSet, c *mailparts.FlagChange) { c.UnchangedSince = 0 }}},
		"modseq/lets who follows it miss nothing":                   query(func(_ *mailparts.UIDSet, q *mailparts.Query) { q.Since++ }),
		"vanished/names every UID expunged after since":             {hooks: hooks{vanished: func(uids *mailparts.UIDSet) { *uids = nil }}},
		"vanished/names no message that exists":                     {hooks: hooks{vanished: func(uids *mailparts.UIDSet) { *uids = mailparts.AllUIDs() }}},
		"outline/is the Status, and the UIDs that exist":            {hooks: hooks{outline: func(o *mailparts.Outline) { o.UIDs.Add(1, 9) }}},
		"outline/names the first unseen message":                    {hooks: hooks{outline: func(o *mailparts.Outline) { o.FirstUnseen = 1 }}},
		"outline/is the caller's own":                               {hooks: hooks{outline: sameOutline()}},

		"copy/keeps flags, date, id and octets":     copies(bare),
		"copy/keeps the order and names both sides": copies(backwards),
		"copy/skips what is gone":                   copied(func(c *mailparts.Copied) { c.From = hull(c.From) }),
		"copy/of an empty set is nothing":           all,
		"copy/into the same mailbox doubles": copies(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			if src == dst {
				return mailparts.Copied{}, nil
			}
			return src.Copy(ctx, uids, dst)
		}),
		"copy/by the fallback gives the same":             {hooks: hooks{incoming: func(m *mailparts.Incoming) { m.Flags = nil }}},
		"copy/into a mailbox that is gone leaves nothing": {hooks: hooks{fail: never("Copy", mailparts.ErrNoMailbox)}},
		"copy/that fails in the middle leaves nothing":    {hooks: hooks{append: appendOneByOne}},
		"copy/goes on while the source is expunged":       copied(func(c *mailparts.Copied) { c.From = c.From.Subtract(mailparts.UIDSet{{First: 45, Last: 45}}) }),

		"move/keeps flags, date, id and octets": moves(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			return mailparts.Move(ctx, withoutOptions{hooked{src, hooks{message: func(m *mailparts.Message) { m.Flags = nil }}}}, uids, dst)
		}),
		"move/skips what is gone, and of an empty set moves nothing": moves(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			allOfNone(&uids)
			return src.Move(ctx, uids, dst)
		}),
		"move/within one mailbox gives new UIDs": moves(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			if src == dst {
				return mailparts.Copied{}, nil
			}
			return src.Move(ctx, uids, dst)
		}),
		"move/shows each message in one of the two mailboxes at least": moves(throughTheAir),
		"move/into a mailbox that is gone leaves everything":           moves(throughTheAir),

		"handle/says ErrNoMailbox once its mailbox is gone":          {hooks: hooks{fail: insteadOf(mailparts.ErrNoMailbox, mailparts.ErrNoMessage)}},
		"handle/says ErrNoMailbox when another mailbox has the name": {store: func(s fullStore) mailparts.Store { return named{s} }},
		"handle/follows a rename":                                    {store: func(s fullStore) mailparts.Store { return named{s} }},
		"handle/sees what another changes":                           {hooks: hooks{hide: func(m mailparts.Message) bool { return m.UID > 1 }}},

		"lock/excludes a second holder until it is released": open,
		"lock/lets the next one in":                          once(),
		"lock/is waited for until the context is done": locks(func(ctx context.Context, mb fullMailbox) (func() error, error) {
			return mb.Lock(context.WithoutCancel(ctx))
		}),
		"lock/of one mailbox is not that of another": locks(func(context.Context, fullMailbox) (func() error, error) {
			one <- struct{}{}
			return func() error { <-one; return nil }, nil
		}),
		"lock/excludes nobody but other holders": {mailbox: lockingIn("lock")},

		"watch/wakes after each kind of change of a mailbox": asleep,
		"watch/wakes when the mailbox is gone":               asleep,
		"watch/of a store wakes for all its mailboxes":       asleep,
		"watch/of a store wakes for its names":               asleep,
		"watch/shows the change to who reads when woken":     asleep,
		"watch/ends with its context": wakes(func(ctx context.Context, w mailparts.Watcher, wake func()) error {
			return w.Watch(context.WithoutCancel(ctx), wake)
		}),
		"recent/is claimed by the first that asks": claims(mailparts.UIDRange{}),
		"recent/goes to one caller only":           claims(mailparts.UIDRange{First: 1, Last: 99}),

		"concurrency/appends get UIDs of their own":             placed(mailparts.UIDSet{{First: 1, Last: 2}}),
		"concurrency/no UID below a seen UIDNext appears later": {mailbox: shownLate()},
		"concurrency/who follows the numbers misses nothing":    ahead,
		"concurrency/flags of many sessions are all kept":       last,

		"process/each sees what the other changes":                second(breakage{hooks: hooks{message: func(m *mailparts.Message) { m.Flags = nil }}}),
		"process/each sees the mailboxes that the other makes":    second(breakage{hooks: hooks{info: func(info *mailparts.MailboxInfo) bool { return info.Name != "a/b" }}}),
		"process/appends get UIDs of their own":                   second(placed(mailparts.UIDSet{{First: 1, Last: 2}})),
		"process/no UID below a seen UIDNext appears later":       second(breakage{hooks: hooks{status: func(st *mailparts.Status) { st.UIDNext += 1000 }}}),
		"process/who follows the numbers misses nothing":          ahead,
		"process/flags of both are all kept":                      second(last),
		"process/keywords of both are all kept":                   second(breakage{hooks: hooks{message: func(m *mailparts.Message) { m.Flags = dropFlags(m.Flags, "keyword1-1") }}}),
		"process/copies while the other expunges name both sides": second(copied(func(c *mailparts.Copied) { c.From = c.From[1:] })),
		"process/moves by both take each message once": moves(func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			return src.Copy(ctx, uids, dst)
		}),
		"process/a lock excludes the other":        second(open),
		"process/a lock is passed on to the other": once(),
		"process/a handle follows the other's rename": second(breakage{hooks: hooks{fail: func(call string, err error) error {
			if call == "Append" {
				return mailparts.ErrNoMailbox
			}
			return err
		}}}),
		"process/a handle to what the other deleted says ErrNoMailbox": second(breakage{hooks: hooks{fail: insteadOf(mailparts.ErrNoMailbox, mailparts.ErrNoMessage)}}),
		"process/no UIDVALIDITY is given twice":                        second(status(func(st *mailparts.Status) { st.UIDValidity = 7 })),
		"process/each is woken by the other's changes":                 asleep,
		"process/recent goes to one caller only":                       second(claims(mailparts.UIDRange{First: 1, Last: 99})),
	}
}

// never has a call succeed that answers err.
func never(call string, not error) func(string, error) error {
	return func(of string, err error) error {
		if of == call && err == not {
			return nil
		}
		return err
	}
}

// insteadOf has all calls answer another error.
func insteadOf(not, but error) func(string, error) error {
	return func(_ string, err error) error {
		if err == not {
			return but
		}
		return err
	}
}

// withoutOptions is a Mailbox without its optional interfaces.
type withoutOptions struct{ mailparts.Mailbox }

// through copies through the hooks of the source.
func through(h hooks) copyFunc {
	return func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
		return mailparts.Copy(ctx, withoutOptions{hooked{src, h}}, uids, dst)
	}
}

// backwards copies from the end.
func backwards(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (c mailparts.Copied, err error) {
	for i := len(uids) - 1; i >= 0; i-- {
		one, err := src.Copy(ctx, uids[i:i+1], dst)
		if err != nil {
			return c, err
		}
		c.To.UIDValidity = one.To.UIDValidity
		c.From.Add(uids[i].First, uids[i].Last)
		for _, r := range one.To.UIDs {
			c.To.UIDs.Add(r.First, r.Last)
		}
	}
	return c, nil
}

// throughTheAir has each message in neither mailbox for a while.
func throughTheAir(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
	s, err := new(mailtest.Memory).Open(ctx, "alice")
	if err != nil {
		return mailparts.Copied{}, err
	}
	air, err := s.Mailbox(ctx, "INBOX")
	if err != nil {
		return mailparts.Copied{}, err
	}
	up, err := mailparts.Move(ctx, src, uids, air)
	if err != nil {
		return mailparts.Copied{}, err
	}
	time.Sleep(5 * time.Millisecond)
	down, err := mailparts.Move(ctx, air, up.To.UIDs, dst)
	return mailparts.Copied{From: up.From, To: down.To}, err
}
