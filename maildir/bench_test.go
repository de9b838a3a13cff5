package maildir_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// BenchmarkAppend delivers messages of 4 KB, each durable when Append returns.
func BenchmarkAppend(b *testing.B) {
	body := strings.Repeat("a line of a message of four kilobytes, by and by\r\n", 82)
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			mb := openMailbox(b, &maildir.Backend{Root: b.TempDir()}, "INBOX")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := mailparts.Append(context.Background(), mb, incoming(body)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// large is a mailbox of 100,000 messages.
func large(b *testing.B) *maildir.Backend {
	backend := &maildir.Backend{Root: b.TempDir()}
	openMailbox(b, backend, "INBOX")
	cur := filepath.Join(backend.Root, "user", "cur")
	for i := range 100_000 {
		name := fmt.Sprintf("%d.M%dP4711Q%d.mail.example.org,S=4,W=5:2,S", 1700000000+i, i%1000000, i)
		must(b, os.WriteFile(filepath.Join(cur, name), []byte("abc\n"), 0o600))
	}
	status(b, openMailbox(b, backend, "INBOX")) // gives UIDs
	return backend
}

// BenchmarkOpen opens a mailbox of 100,000 messages and lists them with flags and
// sizes.
func BenchmarkOpen(b *testing.B) {
	root := large(b).Root
	b.ReportAllocs()
	for b.Loop() {
		mb := openMailbox(b, &maildir.Backend{Root: root}, "INBOX")
		n := 0
		for _, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
			must(b, err)
			n++
		}
		if n != 100_000 {
			b.Fatalf("%d messages", n)
		}
	}
}

// BenchmarkOpenMemory says how much an open mailbox of 100,000 messages takes.
func BenchmarkOpenMemory(b *testing.B) {
	root := large(b).Root
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		mb := openMailbox(b, &maildir.Backend{Root: root}, "INBOX")
		status(b, mb)
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(mb)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/100_000, "B/message")
	}
}

// BenchmarkStatus asks a mailbox where nothing has changed.
func BenchmarkStatus(b *testing.B) {
	mb := openMailbox(b, large(b), "INBOX")
	b.ReportAllocs()
	for b.Loop() {
		status(b, mb)
	}
}

// BenchmarkColdAppend delivers to a mailbox of 100,000 messages that nobody has
// open, as an MDA does.
func BenchmarkColdAppend(b *testing.B) {
	root := large(b).Root
	for b.Loop() {
		deliver(b, openMailbox(b, &maildir.Backend{Root: root}, "INBOX"), "abc\n")
	}
}

// BenchmarkBody reads a message of 1 MB.
func BenchmarkBody(b *testing.B) {
	mb := openMailbox(b, &maildir.Backend{Root: b.TempDir()}, "INBOX")
	body := strings.Repeat("a line of a message of a megabyte, by and by, and so on, and on\r\n", 1<<20/66)
	uid := deliver(b, mb, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := mb.Body(context.Background(), uid)
		must(b, err)
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
