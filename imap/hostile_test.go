package imap_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// heapBackend notes how much memory is in use at the highest while its messages are listed
// and read.
type heapBackend struct {
	costlyBackend
	looking bool
	most    uint64
	fail    int // the listing that fails, the next being 1
}

type heapStore struct {
	mailparts.Store
	b *heapBackend
}

type heapMailbox struct {
	mailparts.Mailbox
	b *heapBackend
}

func (b *heapBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.costlyBackend.Open(ctx, user)
	return heapStore{s, b}, err
}

func (s heapStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return heapMailbox{mb, s.b}, err
}

func (b heapMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		if b.b.fail--; b.b.fail == 0 {
			yield(mailparts.Message{}, errDisk)
			return
		}
		b.b.look()
		for m, err := range b.Mailbox.Messages(ctx, uids, q) {
			if !yield(m, err) {
				break
			}
		}
		b.b.look()
	}
}

func (b heapMailbox) Body(ctx context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	b.b.look()
	return b.Mailbox.Body(ctx, uid)
}

func (b heapMailbox) Cache(ctx context.Context, derived iter.Seq2[mailparts.UID, []byte]) error {
	return mailparts.Cache(ctx, b.Mailbox, derived)
}

func (b heapMailbox) ClaimRecent(ctx context.Context) (mailparts.UIDRange, error) {
	return mailparts.ClaimRecent(ctx, b.b.box.Mailbox)
}

// look notes the memory, when a test wants to know.
func (b *heapBackend) look() {
	if !b.looking {
		return
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.most = max(b.most, m.HeapAlloc)
}

// during is what is in use at the highest during a command, over what was before.
func (b *heapBackend) during(c *client, command string) (octets int64, outcome string) {
	b.most, b.looking = 0, true
	defer func() { b.looking = false }()
	b.look()
	before := b.most
	responses := c.do(command)
	return int64(b.most) - int64(before), responses[len(responses)-1]
}

// many appends n messages to INBOX.
func (r *rig) many(n int) {
	r.t.Helper()
	if _, err := r.inbox.Append(r.t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for range n {
			if !yield(mailparts.Incoming{Body: strings.NewReader("\r\n")}, nil) {
				return
			}
		}
	}); err != nil {
		r.t.Fatal(err)
	}
}

// Sets of sequence numbers cost what the client has sent, though the UIDs of each of them
// are many ranges.
func TestSearchForManySets(t *testing.T) {
	b := new(heapBackend)
	r := start(t, func(s *imap.Server) { s.Backend = b })
	r.many(4000)
	var odd mailparts.UIDSet
	for uid := mailparts.UID(1); uid < 4000; uid += 2 {
		odd.Add(uid, uid)
	}
	if err := r.inbox.Expunge(t.Context(), odd, ""); err != nil {
		t.Fatal(err)
	}
	c := r.selecting()
	c.do("SEARCH RETURN (SAVE) UID 4:*")
	for _, key := range []string{"2:*", "$", "NOT 2:* UID $", "RECENT", "NEW"} {
		got, outcome := b.during(c, "SEARCH RETURN (COUNT) "+strings.TrimSpace(strings.Repeat(key+" ", 900)))
		if outcome != "OK SEARCH completed" || got > 2<<20 {
			t.Errorf("SEARCH %s 900 times: %s, %d octets in use", key, outcome, got)
		}
	}
}

// What is derived of messages is not gathered while others are waited for.
func TestSearchHoldsLittle(t *testing.T) {
	b := new(heapBackend)
	r := start(t, func(s *imap.Server) { s.Backend = b })
	long := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Description: "+strings.Repeat("d", 500)+"\r\n\r\n\r\n", 300)
	r.put(time.Time{}, "From: a@example.com\r\n\r\n")
	for range 60 {
		r.put(time.Time{}, long)
	}
	c := r.selecting()
	c.do("UID FETCH 2:* (ENVELOPE)")
	got, outcome := b.during(c, "SEARCH RETURN (COUNT) FROM x")
	if outcome != "OK SEARCH completed" || got > 10<<20 {
		t.Errorf("%s, %d octets in use", outcome, got)
	}
}

// A key that comes again sorts nothing, and costs nothing.
func TestSortByOneKeyAgain(t *testing.T) {
	r := start(t, nil)
	for i := range 2000 {
		r.put(time.Time{}, fmt.Sprintf("Subject: %s%d\r\n\r\n", strings.Repeat("s", 900), i%10))
	}
	c := r.selecting()
	c.do("SORT (SUBJECT) UTF-8 ALL") // what is derived is kept
	once, _ := c.allocated("SORT (SUBJECT) UTF-8 ALL")
	often, _ := c.allocated("SORT (" + strings.TrimSpace(strings.Repeat("SUBJECT ", 20)) + ") UTF-8 ALL")
	if often > 2*once {
		t.Errorf("%d octets were allocated for one key, %d for it twenty times", once, often)
	}
	equal(t, c.do("UID SORT (REVERSE SUBJECT SUBJECT) UTF-8 1:12"), []string{"* SORT 10 9 8 7 6 5 4 3 2 12 1 11", "OK SORT completed"})
}

// A message that cannot be read for its PREVIEW ends no session.
func TestPreviewOfUnreadable(t *testing.T) {
	b := new(costlyBackend)
	r := start(t, func(s *imap.Server) { s.Backend = b })
	r.fill("\r\n" + strings.Repeat(" \r\n", 10_000) + "text\r\n")
	c := r.selecting()
	equal(t, c.do("FETCH 1 (PREVIEW (LAZY))"), []string{"* 1 FETCH (PREVIEW NIL)", "OK FETCH completed"})
	b.box.fails = true
	equal(t, c.do("FETCH 1 (FLAGS PREVIEW)"), []string{"NO [UNAVAILABLE] Temporary failure, please try again later"})
	b.box.fails = false
	equal(t, c.do("FETCH 1 PREVIEW"), []string{`* 1 FETCH (PREVIEW "text")`, "OK FETCH completed"})
}

// What stands before a literal is not passed over, and a part is called what the client has
// called it.
func TestMalformedLiterals(t *testing.T) {
	r := start(t, nil)
	r.fill("\r\n")
	r.selecting().play(`
		C: a1 APPEND INBOX {x {3+}
		abc
		S: a1 BAD Expected a literal
		C: a2 APPEND INBOX ~{~{3+}
		abc
		S: a2 BAD Expected a literal
		C: a3 STATUS {{5+}
		INBOX (MESSAGES)
		S: a3 BAD Malformed literal
		C: a4 FETCH 1 BODY[4294967295.2147483648]
		S: * 1 FETCH (BODY[4294967295.2147483648] NIL FLAGS (\Seen \Recent))
		S: a4 OK FETCH completed
	`)
}

// That others have changed the flags of all messages is not gathered before it is told.
func TestManyChangedFlags(t *testing.T) {
	b := new(heapBackend)
	r := start(t, func(s *imap.Server) { s.Backend = b })
	r.many(10_000)
	c := r.selecting()
	seen := mailparts.FlagChange{Op: mailparts.AddFlags, Flags: []mailparts.Flag{mailparts.FlagSeen}}
	if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.AllUIDs(), seen); err != nil {
		t.Fatal(err)
	}
	b.most, b.looking = 0, true
	b.look()
	before := b.most
	got := c.do("NOOP")
	b.looking = false
	if len(got) != 10_001 || got[9999] != `* 10000 FETCH (FLAGS (\Seen \Recent))` {
		t.Errorf("%d responses, the last: %q", len(got), got[len(got)-1])
	}
	if used := int64(b.most - before); used > 1<<20 {
		t.Errorf("%d octets in use", used)
	}
}

// What cannot be told of flags now is told by the next command.
func TestChangedFlagsAfterFault(t *testing.T) {
	b := new(heapBackend)
	r := start(t, func(s *imap.Server) { s.Backend = b })
	r.many(3)
	c := r.selecting()
	seen := mailparts.FlagChange{Op: mailparts.AddFlags, Flags: []mailparts.Flag{mailparts.FlagSeen}}
	for fail := 1; fail <= 2; fail++ {
		if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.UIDSet{{First: 2, Last: 3}}, seen); err != nil {
			t.Fatal(err)
		}
		b.fail = fail
		equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
		equal(t, c.do("NOOP"), []string{`* 2 FETCH (FLAGS (\Seen \Recent))`, `* 3 FETCH (FLAGS (\Seen \Recent))`, "OK NOOP completed"})
		equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
		seen.Op = mailparts.RemoveFlags
		if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.UIDSet{{First: 2, Last: 3}}, seen); err != nil {
			t.Fatal(err)
		}
		c.do("NOOP")
		seen.Op = mailparts.AddFlags
	}
}

// A FETCH that fails at a message has made those behind it \Seen, too: the client is told.
func TestSeenAfterFailedFetch(t *testing.T) {
	r := start(t, nil)
	r.fill("\r\n1\r\n", "Content-Transfer-Encoding: x-own\r\n\r\n2\r\n", "\r\n3\r\n")
	r.selecting().play(`
		C: a1 FETCH 1:3 BINARY[1]
		S: * 1 FETCH (BINARY[1] {3}
		1
		 FLAGS (\Seen \Recent))
		S: * 2 FETCH (FLAGS (\Seen \Recent))
		S: * 3 FETCH (FLAGS (\Seen \Recent))
		S: a1 NO [UNKNOWN-CTE] Unknown content-transfer-encoding
		C: a2 NOOP
		S: a2 OK NOOP completed
	`)
}
