package mailtest

import (
	"errors"
	"iter"

	"github.com/mailparts/mailparts"
)

func cachePromises() []promise {
	return []promise{
		{"keeps bytes for their own message, the last of several", cacheKeeps},
		{"gives nothing to a new message", cacheNew},
		{"holds no lock while it waits for what is derived", cacheNoLock},
	}
}

func cacheKeeps(x *trial) {
	c := optional[mailparts.Cacher](x, x.inbox)
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.mustDo("Cache", c.Cache(x.Context(), derived(uids[0], "old a", uids[1], "of b")))
	x.must("Cache", c.Cache(x.Context(), derived(uids[0], "of a", uids[2]+1000, "of nobody")))
	x.wantDerived(map[mailparts.UID]string{uids[0]: "of a", uids[1]: "of b"})
	for _, m := range x.all(x.inbox) {
		if m.Derived != nil && m.UID == uids[2] {
			x.Errorf("UID %d has derived bytes %q, was given none", m.UID, m.Derived)
		}
	}
}

func cacheNew(x *trial) {
	c := optional[mailparts.Cacher](x, x.inbox)
	uid := x.addTexts(x.inbox, "a")[0]
	x.mustDo("Cache", c.Cache(x.Context(), derived(uid, "of a", uid+1, "of nobody yet")))
	x.expunge(x.inbox, set(uid), "")
	x.addTexts(x.inbox, "b")
	x.wantDerived(nil)
}

func cacheNoLock(x *trial) {
	c := optional[mailparts.Cacher](x, x.inbox)
	uids := x.addTexts(x.inbox, "a", "b")
	x.mustDo("Cache", c.Cache(x.Context(), derived()))
	x.within("Cache whose iterator calls the mailbox", func() error {
		var inner error
		err := c.Cache(x.Context(), func(yield func(mailparts.UID, []byte) bool) {
			if yield(uids[0], []byte("of a")) {
				inner = x.callAll(uids[0], uids[1])
			}
		})
		return errors.Join(err, inner)
	})
	x.wantDerived(map[mailparts.UID]string{uids[0]: "of a"})
}

func derived(pairs ...any) iter.Seq2[mailparts.UID, []byte] {
	return func(yield func(mailparts.UID, []byte) bool) {
		for i := 0; i < len(pairs); i += 2 {
			if !yield(pairs[i].(mailparts.UID), []byte(pairs[i+1].(string))) {
				return
			}
		}
	}
}

// wantDerived checks that each message has its bytes or, because a store may
// drop any, none.
func (x *trial) wantDerived(want map[mailparts.UID]string) {
	x.Helper()
	for _, m := range x.query(x.inbox, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantDerived}) {
		if got := string(m.Derived); got != "" && got != want[m.UID] {
			x.Errorf("UID %d has the derived bytes %q, want %q or none", m.UID, got, want[m.UID])
		}
	}
}
