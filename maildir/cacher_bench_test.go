package maildir_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// What a session asks for that lists all messages with what is derived from them, as
// FETCH ENVELOPE does: 1,000 octets of each of 100,000.
var wholeListing = mailparts.Query{Want: mailparts.WantSize | mailparts.WantDerived}

// BenchmarkCacheCold lists a mailbox of which nothing is cached, and stores it all.
// The time does not include that of deriving anything.
func BenchmarkCacheCold(b *testing.B) {
	backend := large(b)
	octets := make([]byte, 1000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		os.Remove(filepath.Join(backend.Root, "user", "mailparts-cache"))
		b.StartTimer()
		fillCache(b, openMailbox(b, &maildir.Backend{Root: backend.Root}, "INBOX"), octets)
	}
}

// fillCache stores octets for each message that has none, while it lists them.
func fillCache(b *testing.B, mb mailparts.Mailbox, octets []byte) {
	ctx := context.Background()
	must(b, mailparts.Cache(ctx, mb, func(yield func(mailparts.UID, []byte) bool) {
		for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), wholeListing) {
			must(b, err)
			if m.Derived == nil && !yield(m.UID, octets) {
				return
			}
		}
	}))
}

// BenchmarkCacheWarm lists a mailbox that a session has open and of which all is
// cached.
func BenchmarkCacheWarm(b *testing.B) {
	backend := large(b)
	mb := openMailbox(b, backend, "INBOX")
	fillCache(b, mb, make([]byte, 1000))
	b.ReportAllocs()
	for b.Loop() {
		listCached(b, mb)
	}
}

// BenchmarkCacheOpen is BenchmarkCacheWarm of a process that has just started.
func BenchmarkCacheOpen(b *testing.B) {
	backend := large(b)
	fillCache(b, openMailbox(b, backend, "INBOX"), make([]byte, 1000))
	b.ReportAllocs()
	for b.Loop() {
		listCached(b, openMailbox(b, &maildir.Backend{Root: backend.Root}, "INBOX"))
	}
}

// BenchmarkCacheOne stores and lists one message, in a mailbox of which all is cached.
func BenchmarkCacheOne(b *testing.B) {
	mb := openMailbox(b, large(b), "INBOX")
	octets := make([]byte, 1000)
	fillCache(b, mb, octets)
	ctx := context.Background()
	one := func(yield func(mailparts.UID, []byte) bool) { yield(50_000, octets) }
	b.ReportAllocs()
	for b.Loop() {
		must(b, mailparts.Cache(ctx, mb, one))
		for m, err := range mb.Messages(ctx, uids(50_000), wholeListing) {
			must(b, err)
			if len(m.Derived) != len(octets) {
				b.Fatalf("UID %d has %d octets", m.UID, len(m.Derived))
			}
		}
	}
}

func listCached(b *testing.B, mb mailparts.Mailbox) {
	n := 0
	for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), wholeListing) {
		must(b, err)
		if len(m.Derived) == 1000 {
			n++
		}
	}
	if n != 100_000 {
		b.Fatalf("%d messages are cached", n)
	}
}
