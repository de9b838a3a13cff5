package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// slowDisk lets nobody make a dotlock before it is told to.
type slowDisk struct {
	disk.FS
	may chan struct{}
	mu  sync.Mutex
	n   int // dotlocks of uidlists
}

func (d *slowDisk) Link(from, to string) error {
	if strings.HasSuffix(to, ".lock") {
		<-d.may
		d.mu.Lock()
		d.n++
		d.mu.Unlock()
	}
	return d.FS.Link(from, to)
}

// Deliveries that wait for the lock are placed together, each with a UID of its own,
// and who gives up meanwhile leaves nothing.
func TestPlacedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &slowDisk{FS: disktest.New(), may: make(chan struct{}, 100)}
		fsys.may <- struct{}{} // makes the uidlist
		mb := openMailbox(t, on(fsys), "INBOX")
		before := fsys.n

		ctx, giveUp := context.WithCancel(t.Context())
		placed := make([]mailparts.Placed, 10)
		errs := make([]error, 10)
		var wg sync.WaitGroup
		for i := range placed {
			wg.Go(func() {
				c := t.Context()
				if i == 9 {
					c = ctx
				}
				placed[i], errs[i] = mailparts.Append(c, mb, mailparts.Incoming{Body: strings.NewReader(fmt.Sprint(i))})
			})
			synctest.Wait() // the first is at the dotlock, the others wait for it
		}
		giveUp()
		synctest.Wait()
		close(fsys.may)
		wg.Wait()

		var uids mailparts.UIDSet
		for i, err := range errs[:9] {
			if err != nil || placed[i].UIDs.Len() != 1 || uids.Contains(placed[i].UIDs[0].First) {
				t.Fatalf("%d: %v, %v", i, placed[i], err)
			}
			uids.Add(placed[i].UIDs[0].First, placed[i].UIDs[0].Last)
		}
		if !errors.Is(errs[9], context.Canceled) {
			t.Errorf("who gave up has %v", errs[9])
		}
		if n := fsys.n - before; n != 2 {
			t.Errorf("%d dotlocks for nine messages, want the first's and one for all others", n)
		}
		if st := status(t, mb); st.Messages != 9 || uids.String() != "1:9" {
			t.Errorf("%d messages, UIDs %v", st.Messages, uids)
		}
	})
}
