package mailtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
)

func copyPromises() []promise {
	return []promise{
		{"keeps flags, date, id and octets", copyKeeps},
		{"keeps the order and names both sides", copyOrder},
		{"skips what is gone", copySkips},
		{"of an empty set is nothing", copyEmpty},
		{"into the same mailbox doubles", copySame},
		{"by the fallback gives the same", copyFallback},
		{"into a mailbox that is gone leaves nothing", copyGone},
		{"that fails in the middle leaves nothing", copyFails},
		{"goes on while the source is expunged", copyExpunged},
	}
}

func copyKeeps(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagFlagged)
	const body = "Subject: copied\r\n\r\n\x80\r\r\n"
	uid := x.add(x.inbox, mailparts.Incoming{
		Body: strings.NewReader(body), Flags: []mailparts.Flag{mailparts.FlagFlagged, mailparts.FlagSeen},
		Received: time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC),
	})[0]
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, mailparts.FlagSeen)
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uid), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uid})
	x.wantSame(x.message(x.inbox, uid), x.message(dst, c.To.UIDs[0].First))
	x.wantBodies("the copy", dst, body)
	x.wantBodies("the original", x.inbox, body)
}

// wantCopied checks what Copy or Move to an empty dst returned.
func (x *trial) wantCopied(c mailparts.Copied, dst mailparts.Mailbox, from []mailparts.UID) {
	x.Helper()
	if !slices.Equal(each(c.From), from) {
		x.Errorf("copied from %v, want %v", c.From, from)
	}
	if got := x.uids(dst); int(c.To.UIDs.Len()) != len(from) || !slices.Equal(each(c.To.UIDs), got) {
		x.Errorf("copied %d messages to %v, the other mailbox has %v", len(from), c.To.UIDs, got)
	}
	if want := x.status(dst).UIDValidity; c.To.UIDValidity != want {
		x.Errorf("copied to UIDVALIDITY %d, want %d", c.To.UIDValidity, want)
	}
	if x.Failed() {
		x.FailNow()
	}
}

// wantSame checks that b is a copy of a.
func (x *trial) wantSame(a, b mailparts.Message) {
	x.Helper()
	if !sameFlags(a.Flags, b.Flags) || a.Size != b.Size || a.Received.Unix() != b.Received.Unix() || a.ID != b.ID {
		x.Errorf("the copy is %+v, want Flags, Size, Received and ID of %+v", b, a)
	}
}

func copyOrder(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c", "d")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uids[0], uids[2], uids[3]), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2], uids[3]})
	x.wantBodies("the other mailbox", dst, "a", "c", "d")
}

func copySkips(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.expunge(x.inbox, set(uids[1]), "")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, mailparts.AllUIDs(), dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, []mailparts.UID{uids[0], uids[2]})
}

func copyEmpty(x *trial) {
	x.addTexts(x.inbox, "a")
	dst := x.other()
	c, err := mailparts.Copy(x.Context(), x.inbox, nil, dst)
	x.must("Copy", err)
	x.wantCopied(c, dst, nil)
}

func copySame(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	var c mailparts.Copied
	x.within("Copy into the same mailbox", func() (err error) {
		c, err = mailparts.Copy(x.Context(), x.inbox, set(uids...), x.mailbox(x.store, "INBOX"))
		return err
	})
	x.wantBodies("copied into itself", x.inbox, "a", "b", "a", "b")
	x.wantUIDs("copied into itself", x.inbox, append(uids, each(c.To.UIDs)...)...)
}

func copyFallback(x *trial) {
	uids := x.addTexts(x.inbox, "a\r\n", "b\r\n")
	x.setFlags(x.inbox, set(uids[1]), mailparts.AddFlags, mailparts.FlagSeen)
	dst := x.other()
	var c mailparts.Copied
	x.within("Copy through Append", func() (err error) {
		c, err = mailparts.Copy(x.Context(), struct{ mailparts.Mailbox }{x.inbox}, mailparts.AllUIDs(), dst)
		return err
	})
	x.wantCopied(c, dst, uids)
	for i, u := range each(c.To.UIDs) {
		x.wantSame(x.message(x.inbox, uids[i]), x.message(dst, u))
	}
}

func copyGone(x *trial) {
	m := x.manager()
	uids := x.addTexts(x.inbox, "a")
	dst := x.other()
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	_, err := mailparts.Copy(x.Context(), x.inbox, set(uids...), dst)
	x.wantError("Copy to a deleted mailbox", err, mailparts.ErrNoMailbox)
	x.wantUIDs("the source, after that", x.inbox, uids...)
}

// copyFails copies from a mailbox whose second message cannot be read to its
// end, through Append, as every store must bear it.
func copyFails(x *trial) {
	uids := x.addTexts(x.inbox, "first", "second, which is cut", "third")
	dst := x.other()
	for n := range len("second, which is cut") {
		c, err := mailparts.Copy(x.Context(), cutMailbox{x.inbox, uids[1], n}, mailparts.AllUIDs(), dst)
		x.wantError("Copy of what cannot be read", err, errRead)
		if len(c.From) > 0 || len(c.To.UIDs) > 0 {
			x.Errorf("Copy of what cannot be read: copied %+v, want nothing", c)
		}
		x.wantUIDs("Copy of what cannot be read", dst)
	}
}

// cutMailbox is a mailbox of which one message ends in an error after n octets.
type cutMailbox struct {
	mailparts.Mailbox
	uid mailparts.UID
	n   int
}

func (b cutMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	r, err := b.Mailbox.Body(ctx, uid)
	if err == nil && uid == b.uid {
		r = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(r, int64(b.n)), iotest.ErrReader(errRead)), r}
	}
	return r, err
}

func copyExpunged(x *trial) {
	var bodies []string
	for i := range 50 {
		bodies = append(bodies, fmt.Sprint("message ", i))
	}
	uids := x.addTexts(x.inbox, bodies...)
	dst := x.other()
	again := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
	expunged := make(chan error, 1)
	go func() {
		var err error
		for _, u := range uids[:40] {
			err = errors.Join(err, again.Expunge(x.Context(), set(u), ""))
		}
		expunged <- err
	}()
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uids...), dst)
	x.must("Copy", err)
	x.must("Expunge", <-expunged)
	x.wantCopied(c, dst, each(c.From))
	if lost := set(uids[40:]...).Subtract(c.From); len(lost) > 0 {
		x.Errorf("Copy left out %v, which existed throughout", lost)
	}
	for i, u := range each(c.From) {
		if got, want := x.body(dst, each(c.To.UIDs)[i]), bodies[slices.Index(uids, u)]; got != want {
			x.Errorf("the copy of UID %d is %q, want %q", u, got, want)
		}
	}
}
