package mailtest

import (
	"sync"

	"github.com/mailparts/mailparts"
)

func recentPromises() []promise {
	return []promise{
		{"is claimed by the first that asks", recentFirst},
		{"goes to one caller only", recentOnce},
	}
}

func recentFirst(x *trial) {
	c := optional[mailparts.RecentClaimer](x, x.inbox)
	uids := x.addTexts(x.inbox, "a", "b")
	if got := x.status(x.inbox).FirstRecent; got == 0 || got > uids[0] {
		x.Errorf("two new messages: FirstRecent is %d, want the first of %v", got, uids)
	}
	x.wantClaim(c, uids...)
	if got := x.status(x.inbox).FirstRecent; got != 0 {
		x.Errorf("all is claimed: FirstRecent is %d, want 0", got)
	}
	x.wantClaim(c)
	x.wantClaim(c, x.addTexts(x.inbox, "c")...)
}

// wantClaim checks that a claim gives the new messages and no old ones.
func (x *trial) wantClaim(c mailparts.RecentClaimer, want ...mailparts.UID) {
	x.Helper()
	r, err := c.ClaimRecent(x.Context())
	x.mustDo("ClaimRecent", err)
	for _, u := range x.uids(x.inbox) {
		got := r.First != 0 && r.First <= u && u <= r.Last
		if set(want...).Contains(u) != got {
			x.Errorf("ClaimRecent gave %d to %d, want of those that exist %v", r.First, r.Last, want)
		}
	}
}

func recentOnce(x *trial) {
	optional[mailparts.RecentClaimer](x, x.inbox)
	var mu sync.Mutex
	owners := map[mailparts.UID]int{}
	var wg sync.WaitGroup
	for range 4 {
		mb := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
		wg.Go(func() {
			for range 10 {
				_, err := mailparts.Append(x.Context(), mb, text("m"))
				if err != nil {
					x.Errorf("Append: %v", err)
				}
				r, err := mb.(mailparts.RecentClaimer).ClaimRecent(x.Context())
				if err != nil {
					x.Errorf("ClaimRecent: %v", err)
				}
				mu.Lock()
				for u := r.First; u != 0 && u <= r.Last; u++ {
					owners[u]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, u := range x.uids(x.inbox) {
		if owners[u] != 1 {
			x.Errorf("UID %d was claimed %d times, want once", u, owners[u])
		}
	}
}
