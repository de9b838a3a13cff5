package mailtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func quotaPromises() []promise {
	return []promise{
		{"tells what is used and how much may be", limited(quotaTells)},
		{"refuses what cannot fit by its size before the first Read", limited(quotaBySize)},
		{"refuses what turns out too large and leaves nothing", limited(quotaByOctets)},
		{"counts a batch as a whole", limited(quotaBatch)},
		{"frees what is expunged", limited(quotaExpunge)},
		{"does not count what is replaced", limited(quotaReplaces)},
		{"is for all mailboxes of a root", limited(quotaRoot)},
		{"refuses a copy as a whole and lets Move pass", limited(quotaCopy)},
		{"limits the number of messages", limited(quotaMessages)},
		{"of a mailbox that does not exist is ErrNoMailbox", limited(quotaMissing)},
		{"is each user's own", limited(quotaApart)},
	}
}

// What limited trials may keep. Stores may count octets as they are on disk, so
// all sizes are far from the limits: one message of most fits, two do not.
const (
	limitOctets, limitMessages = 100_000, 10
	most                       = 60_000
)

// limited has a trial be of a Backend with quota.
func limited(check func(x *trial)) func(x *trial) {
	return func(x *trial) {
		if x.kit.Limited == nil {
			x.Skip("the kit was given no Limited")
		}
		x.use(x.kit.Limited(x.T, limitOctets, limitMessages))
		check(x)
	}
}

// large is a message of n octets.
func large(n int) mailparts.Incoming {
	in := text(octets(n))
	in.Size = int64(n)
	return in
}

func octets(n int) string {
	const line = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456\r\n"
	return strings.Repeat(line, n/len(line)+1)[:n]
}

// quotaOf returns one resource of INBOX, or skips the trial.
func (x *trial) quotaOf(resource string) mailparts.Quota {
	x.Helper()
	all, err := mailparts.QuotaOf(x.Context(), x.store, "INBOX")
	x.must("Quota", err)
	i := slices.IndexFunc(all, func(q mailparts.Quota) bool { return q.Resource == resource })
	if i < 0 {
		x.Skipf("INBOX has no quota of %s", resource)
	}
	return all[i]
}

func quotaTells(x *trial) {
	near := func(what, resource string, used, limit, slack int64) {
		x.Helper()
		if q := x.quotaOf(resource); q.Used < used-slack || q.Used > used+slack || q.Limit < limit-slack || q.Limit > limit+slack {
			x.Errorf("%s: %+v, want about %d of %d used", what, q, used, limit)
		}
	}
	near("a new store", mailparts.QuotaStorage, 0, limitOctets, 5000)
	uid := x.add(x.inbox, large(most))[0]
	near("one large message", mailparts.QuotaStorage, most, limitOctets, 5000)
	near("one message", mailparts.QuotaMessage, 1, limitMessages, 0)
	x.expunge(x.inbox, set(uid), "")
	near("none after Expunge", mailparts.QuotaStorage, 0, limitOctets, 5000)
	near("none after Expunge", mailparts.QuotaMessage, 0, limitMessages, 0)
}

// refused checks that m is refused with ErrQuota, unread if so wanted.
func (x *trial) refused(what string, m mailparts.Incoming, unread bool) {
	x.Helper()
	before, read, body := x.uids(x.inbox), false, m.Body
	m.Body = readerFunc(func(p []byte) (int, error) {
		read = true
		return body.Read(p)
	})
	_, err := mailparts.Append(x.Context(), x.inbox, m)
	x.wantError(what, err, mailparts.ErrQuota)
	if unread && read {
		x.Errorf("%s: the body was read before it was refused", what)
	}
	x.wantUIDs(what, x.inbox, before...)
}

func quotaBySize(x *trial) {
	x.refused("a message larger than the limit", large(2*limitOctets), true)
	x.add(x.inbox, large(most))
	x.refused("a message for which there is no room", large(most), true)
	x.add(x.inbox, large(1000))
}

func quotaByOctets(x *trial) {
	x.add(x.inbox, large(most))
	for _, size := range []int64{0, 10} {
		m := large(most)
		m.Size = size
		x.refused(fmt.Sprintf("a message that is too large and said to have %d octets", size), m, false)
	}
	x.checkCounts("after that")
	x.add(x.inbox, large(1000))
}

func quotaBatch(x *trial) {
	_, err := x.inbox.Append(x.Context(), batch(large(40_000), large(40_000), large(40_000)))
	x.wantError("a batch that is too large", err, mailparts.ErrQuota)
	x.wantUIDs("a batch that is too large", x.inbox)
	x.add(x.inbox, large(40_000), large(40_000))
}

func quotaExpunge(x *trial) {
	uid := x.add(x.inbox, large(most))[0]
	x.refused("a second large message", large(most), true)
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagDeleted)
	x.refused(`a second large message, the first marked as \Deleted`, large(most), true)
	x.expunge(x.inbox, mailparts.AllUIDs(), mailparts.FlagDeleted)
	x.add(x.inbox, large(most))
}

func quotaReplaces(x *trial) {
	uid := x.add(x.inbox, large(most))[0]
	m := large(most)
	m.Replaces = uid + 1
	x.refused("a message that replaces one that is not there", m, true)
	m = large(most)
	m.Replaces = uid
	next := x.add(x.inbox, m)[0]
	x.expunge(x.inbox, set(uid), "")
	x.wantUIDs("after Expunge of what was replaced", x.inbox, next)
	x.refused("another large message", large(most), true)
}

func quotaRoot(x *trial) {
	m := x.manager()
	dst := x.other()
	x.add(dst, large(most))
	of := func(name string) []mailparts.Quota {
		all, err := mailparts.QuotaOf(x.Context(), x.store, name)
		x.must("Quota", err)
		return all
	}
	if inbox, other := of("INBOX"), of("other"); !slices.Equal(inbox, other) {
		x.Skip("INBOX and another mailbox have different roots")
	}
	x.refused("a large message in INBOX, where another mailbox has one", large(most), true)
	x.mustDo("Rename", m.Rename(x.Context(), "other", "renamed"))
	x.refused("the same, after Rename", large(most), true)
	x.mustDo("Delete", m.Delete(x.Context(), "renamed"))
	x.add(x.inbox, large(most))
}

func quotaCopy(x *trial) {
	dst := x.other()
	uids := x.add(x.inbox, large(30_000), large(30_000))
	_, err := mailparts.Copy(x.Context(), x.inbox, set(uids...), dst)
	if x.status(dst).Messages > 0 {
		x.Skip("the two mailboxes have different roots")
	}
	x.wantError("Copy of what has no room twice", err, mailparts.ErrQuota)
	x.wantUIDs("the source, after that", x.inbox, uids...)
	if _, ok := x.store.(mailparts.Manager); !ok {
		return // the other mailbox is another user's
	}
	x.mover()
	x.wantCopied(x.move(x.inbox, set(uids...), dst), dst, uids)
}

func quotaMessages(x *trial) {
	x.quotaOf(mailparts.QuotaMessage)
	var msgs []mailparts.Incoming
	for range limitMessages {
		msgs = append(msgs, text("m"))
	}
	_, err := x.inbox.Append(x.Context(), batch(append(msgs, text("one too many"))...))
	x.wantError("a batch of too many", err, mailparts.ErrQuota)
	x.wantUIDs("a batch of too many", x.inbox)
	for i := range msgs {
		msgs[i] = text("m")
	}
	uids := x.add(x.inbox, msgs...)
	x.refused("one more", text("one more"), true)
	x.expunge(x.inbox, set(uids[3]), "")
	x.addTexts(x.inbox, "in its place")
}

func quotaMissing(x *trial) {
	x.quotaOf(mailparts.QuotaStorage)
	for _, name := range []string{"never made", "..", "a\x00b"} {
		_, err := mailparts.QuotaOf(x.Context(), x.store, name)
		x.wantError("Quota of "+quoted(name), err, mailparts.ErrNoMailbox, mailparts.ErrBadName)
	}
}

func quotaApart(x *trial) {
	x.add(x.inbox, large(most))
	x.add(x.mailbox(x.open(x.kit.Users[1]), "INBOX"), large(most))
}
