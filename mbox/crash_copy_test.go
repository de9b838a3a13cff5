package mbox_test

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// transfer is what was answered to who copied messages 1 and 2 and moved 3 and 4.
type transfer struct {
	copied, moved bool
	refused       bool                            // the copy
	told          map[mailparts.UID]mailparts.UID // UIDs in the other mailbox, and of what
}

func (p *transfer) tell(c mailparts.Copied) {
	var from []mailparts.UID
	for _, r := range c.From {
		for u := r.First; u <= r.Last; u++ {
			from = append(from, u)
		}
	}
	for _, r := range c.To.UIDs {
		for u := r.First; u <= r.Last; u++ {
			p.told[u], from = from[0], from[1:]
		}
	}
}

func transferAll(fsys *disktest.FS) (p transfer) {
	ctx := context.Background()
	s, err := backendOn(fsys).Open(ctx, "user")
	if err != nil {
		return p
	}
	src, err := s.Mailbox(ctx, "INBOX")
	if err != nil {
		return p
	}
	dst, err := s.Mailbox(ctx, "other")
	if err != nil {
		return p
	}
	p.told = map[mailparts.UID]mailparts.UID{}
	c, err := mailparts.Copy(ctx, src, uids(1, 2), dst)
	p.copied, p.refused = err == nil, err != nil
	p.tell(c)
	c, err = mailparts.Move(ctx, src, uids(3, 4), dst)
	p.moved = err == nil
	p.tell(c)
	return p
}

// fiveOf is which of the five messages have which UIDs.
func fiveOf(t *testing.T, mb mailparts.Mailbox) map[mailparts.UID]mailparts.UID {
	t.Helper()
	found := map[mailparts.UID]mailparts.UID{}
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		if len(body) != len("message 1\r\n") || body[:8] != "message " || body[8] < '1' || body[8] > '5' {
			t.Fatalf("UID %d is %q", m.UID, body)
		}
		found[m.UID] = mailparts.UID(body[8] - '0')
	}
	return found
}

func (p *transfer) check(t *testing.T, after *disktest.FS, failed bool) {
	t.Helper()
	b := backendOn(after)
	src, dst := fiveOf(t, openMailbox(t, b, "INBOX")), fiveOf(t, openMailbox(t, b, "other"))
	count := map[mailparts.UID]int{}
	for _, message := range dst {
		count[message]++
	}
	for uid, message := range src {
		if uid != message {
			t.Errorf("in INBOX UID %d is message %d", uid, message)
		}
	}
	for uid, message := range p.told {
		if dst[uid] != message {
			t.Errorf("in the other mailbox UID %d is message %d, was told as %d", uid, dst[uid], message)
		}
	}
	for _, uid := range []mailparts.UID{1, 2, 5} {
		if src[uid] == 0 {
			t.Errorf("INBOX has lost message %d", uid)
		}
	}
	if count[1] != count[2] || count[3] != count[4] || count[1] > 1 || count[3] > 1 || count[5] > 0 {
		t.Errorf("the other mailbox has %v", dst)
	}
	if (src[3] == 0) != (src[4] == 0) || src[3] == 0 && count[3] == 0 {
		t.Errorf("of what was moved INBOX has %v and the other mailbox %v", src, dst)
	}
	if p.copied && count[1] == 0 || failed && p.refused && count[1] > 0 {
		t.Errorf("Copy was done: %v; the other mailbox has %v", p.copied, dst)
	}
	if p.moved && (count[3] == 0 || src[3] != 0) {
		t.Errorf("Move was done, and INBOX has %v and the other mailbox %v", src, dst)
	}
}

// Copy is all or nothing, and what is moved is in one of two mailboxes at least.
func TestCrashTransfer(t *testing.T) {
	setup := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			fiveIn(t, fsys)
			_, m := storeOf(t, fsys)
			must(t, m.Create(t.Context(), "other"))
		})
	}
	work := func(fsys *disktest.FS) (p transfer) {
		synctest.Test(t, func(t *testing.T) { p = transferAll(fsys) })
		return p
	}
	check := func(failed bool) func(*testing.T, *disktest.FS, transfer) {
		return func(t *testing.T, after *disktest.FS, p transfer) {
			if sampled(t) {
				synctest.Test(t, func(t *testing.T) { p.check(t, after, failed) })
			}
		}
	}
	t.Run("crash", func(t *testing.T) { disktest.Crash(t, setup, work, check(false)) })
	t.Run("fail", func(t *testing.T) { disktest.Fail(t, syscall.EIO, setup, work, check(true)) })
}
