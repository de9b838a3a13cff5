package mailtest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// memoryMailbox is a mailbox.
type memoryMailbox struct {
	store       *memoryStore // of who owns it
	id          string
	use         []string
	acl         accessList
	shared      annotations
	private     map[string]annotations // by user
	uidValidity uint32
	uidNext     mailparts.UID
	firstRecent mailparts.UID
	highest     mailparts.ModSeq
	messages    []*memoryMessage          // in ascending order of UID
	expunged    []expunged                // in ascending order of mod-sequence
	keywords    map[string]mailparts.Flag // by foldFlag: the spelling seen first
	counts      mailparts.Counts
	gone        bool
	watchers    watchers
	lock        chan struct{} // holds one token while locked
}

type memoryMessage struct {
	uid             mailparts.UID
	modSeq          mailparts.ModSeq
	flags           []mailparts.Flag // replaced, never modified: readers have it
	received, saved time.Time
	id              string
	body            []byte
	derived         []byte
}

// memoryHandle is a mailbox as one user may use it.
type memoryHandle struct {
	*memoryMailbox
	user string
}

// update runs f under the lock if the mailbox exists and the user, whose rights
// are mine, has those that it needs.
func (b memoryHandle) update(need mailparts.Rights, f func(mine mailparts.Rights) error) error {
	return b.store.memory.update(func() error {
		if b.gone {
			return mailparts.ErrNoMailbox
		}
		if err := b.allow(b.user, need); err != nil {
			return err
		}
		return f(b.rights(b.user))
	})
}

// view is update with what cannot fail.
func (b memoryHandle) view(need mailparts.Rights, f func()) error {
	return b.update(need, func(mailparts.Rights) error {
		f()
		return nil
	})
}

// Status fails only if the mailbox is gone or may not be read.
func (b memoryHandle) Status(context.Context) (st mailparts.Status, err error) {
	err = b.update("r", func(mine mailparts.Rights) error {
		st = b.status(mine)
		return nil
	})
	return st, err
}

func (b *memoryMailbox) status(mine mailparts.Rights) mailparts.Status {
	counts := b.counts
	st := mailparts.Status{
		ID:             b.id,
		UIDValidity:    b.uidValidity,
		UIDNext:        b.uidNext,
		HighestModSeq:  b.highest,
		Messages:       uint32(len(b.messages)),
		ReadOnly:       !strings.ContainsAny(string(mine), "swite"),
		PermanentFlags: b.permanentFlags(mine),
		Counts:         &counts,
	}
	if b.firstRecent < b.uidNext {
		st.FirstRecent = b.firstRecent
	}
	return st
}

// Messages reads a batch at a time, and holds no lock while it yields.
func (b memoryHandle) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		var batch [64]mailparts.Message
		rest := slices.Clone(uids)
		for {
			n := 0
			err := b.view("r", func() {
				for m := range b.in(rest) {
					if m.modSeq > q.Since {
						batch[n] = m.want(q.Want)
						if n++; n == len(batch) {
							break
						}
					}
				}
			})
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(mailparts.Message{}, err)
				return
			}
			for _, m := range batch[:n] {
				if !yield(m, nil) {
					return
				}
			}
			if n < len(batch) {
				return
			}
			rest = rest.Subtract(mailparts.UIDSet{{First: 1, Last: batch[n-1].UID}})
		}
	}
}

// in yields those of uids that exist, in ascending order. The caller holds the
// lock.
func (b *memoryMailbox) in(uids mailparts.UIDSet) iter.Seq[*memoryMessage] {
	return func(yield func(*memoryMessage) bool) {
		for _, r := range uids {
			for i := b.search(r.First); i < len(b.messages) && b.messages[i].uid <= r.Last; i++ {
				if !yield(b.messages[i]) {
					return
				}
			}
		}
	}
}

// search returns the index of the first message at or above uid.
func (b *memoryMailbox) search(uid mailparts.UID) int {
	return sort.Search(len(b.messages), func(i int) bool { return b.messages[i].uid >= uid })
}

// want is what a query sees of m.
func (m *memoryMessage) want(w mailparts.Field) mailparts.Message {
	out := mailparts.Message{UID: m.uid, ModSeq: m.modSeq, Flags: m.flags}
	if w&mailparts.WantSize != 0 {
		out.Size = int64(len(m.body))
	}
	if w&mailparts.WantDates != 0 {
		out.Received, out.Saved = m.received, m.saved
	}
	if w&mailparts.WantIDs != 0 {
		out.ID = m.id
	}
	if w&mailparts.WantDerived != 0 {
		out.Derived = m.derived
	}
	return out
}

// Body stays readable when the message is expunged.
func (b memoryHandle) Body(_ context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	body, err := b.body(uid)
	if err != nil {
		return nil, err
	}
	return memoryBody{bytes.NewReader(body)}, nil
}

func (b memoryHandle) body(uid mailparts.UID) (body []byte, err error) {
	err = b.update("r", func(mailparts.Rights) error {
		i := b.search(uid)
		if i == len(b.messages) || b.messages[i].uid != uid {
			return mailparts.ErrNoMessage
		}
		body = b.messages[i].body
		return nil
	})
	return body, err
}

// memoryBody is an io.ReaderAt and an io.Seeker too.
type memoryBody struct{ *bytes.Reader }

func (memoryBody) Close() error { return nil }
