package imap_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// slowBackend takes two seconds for each message.
type slowBackend struct {
	mailparts.Backend
	bodies atomic.Int64
}

func (b *slowBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return slowStore{s, b}, err
}

type slowStore struct {
	mailparts.Store
	b *slowBackend
}

func (s slowStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return slowMailbox{mb, s.b}, err
}

type slowMailbox struct {
	mailparts.Mailbox
	b *slowBackend
}

func (mb slowMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	mb.b.bodies.Add(1)
	time.Sleep(2 * time.Second)
	return mb.Mailbox.Body(ctx, uid)
}

// slow is a mailbox whose n messages take their time.
func slow(t *testing.T, n int) (*rig, *slowBackend) {
	b := new(slowBackend)
	r := start(t, func(s *imap.Server) { b.Backend, s.Backend = s.Backend, b })
	for range n {
		r.fill("Subject: x\r\n\r\nbody\r\n")
	}
	return r, b
}

// A search ends when its client has gone.
func TestSearchForNobody(t *testing.T) {
	for _, command := range []string{"SEARCH BODY nothing", "SORT (SUBJECT) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"} {
		synctest.Test(t, func(t *testing.T) {
			r, b := slow(t, 2000)
			c := r.selecting()
			io.WriteString(c, "a1 "+command+"\r\n")
			time.Sleep(5 * time.Second)
			c.Close()
			time.Sleep(25 * time.Second)
			n := b.bodies.Load()
			time.Sleep(10 * time.Second)
			if now := b.bodies.Load(); n == 0 || n != now {
				t.Errorf("%s: %d messages were read, and later %d", command, n, now)
			}
			r.Close()
		})
	}
}

// A client that waits hears that the search goes on.
func TestSearchGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := slow(t, 400)
		c := r.selecting()
		c.SetDeadline(time.Now().Add(time.Hour))
		got := c.do("SEARCH RETURN (COUNT) BODY body")
		if got[0] != "* OK Still searching" {
			t.Errorf("%q", got)
		}
		got = slices.DeleteFunc(got, func(l string) bool { return strings.HasPrefix(l, "* OK Still") })
		equal(t, got, []string{`* ESEARCH (TAG "t3") COUNT 400`, "OK SEARCH completed"})
		r.Close()
	})
}

// All of a header is looked through, however long.
func TestSearchLongHeader(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = plainBackend{s.Backend} }) // which does not search by itself
	filler := strings.Repeat("X-Filler: "+strings.Repeat("y", 60)+"\r\n folded\r\n", 50000)
	r.fill(
		filler+"X-Late: needle\r\n\r\nbody\r\n",
		"Content-Type: message/rfc822\r\n\r\n"+filler+"X-Late: needle\r\n\r\nbody\r\n",
		"X-Long: "+strings.Repeat(strings.Repeat("y", 69)+"\r\n ", 60000)+"\r\nX-Late: needle\r\n\r\nbody\r\n",
		"X-Long: "+strings.Repeat(strings.Repeat("y", 69)+"\r\n ", 60000)+"late needle\r\n\r\nbody\r\n", // beyond what is looked at of a field
	)
	equal(t, r.selecting().do("SEARCH TEXT needle"), []string{"* SEARCH 1 2 3", "OK SEARCH completed"})
}
