package mbox_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mbox"
)

// letter is a message of about 4 KB.
var letter = "From: them@example.com\r\nSubject: a letter\r\n\r\n" + strings.Repeat("this line is one of those that make up a letter of some length\r\n", 64)

// spool writes an INBOX of n messages of so many octets each, as procmail would.
func spool(b *testing.B, n, octets int) (root string) {
	b.Helper()
	root = b.TempDir()
	must(b, os.MkdirAll(filepath.Join(root, "user"), 0o700))
	f, err := os.Create(filepath.Join(root, "user", "inbox"))
	must(b, err)
	w := bufio.NewWriterSize(f, 1<<20)
	line := strings.Repeat("x", 70) + "\n"
	for i := range n {
		fmt.Fprintf(w, "From them@example.com Mon Jan  1 00:00:00 2024\nSubject: number %d\n\n", i)
		for range octets / len(line) {
			w.WriteString(line)
		}
		w.WriteString("\n")
	}
	must(b, w.Flush())
	must(b, f.Close())
	return root
}

func open(b *testing.B, root string) mailparts.Mailbox {
	return openMailbox(b, &mbox.Backend{Root: root}, "INBOX")
}

// Deliveries of 4 KB, each synced, to mailboxes of more and more messages: what one
// costs does not grow.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 1000, 10_000, 100_000} {
		b.Run(fmt.Sprint("to ", n), func(b *testing.B) {
			mb := open(b, spool(b, n, 4000))
			b.SetBytes(int64(len(letter)))
			for b.Loop() {
				_, err := mailparts.Append(context.Background(), mb, incoming(letter))
				must(b, err)
			}
		})
	}
}

// What the first one does who opens a spool of 1 GB in which no message has a UID,
// the next one without an index, and one with it.
func BenchmarkOpen(b *testing.B) {
	size := 1 << 30
	if testing.Short() {
		size = 64 << 20
	}
	const octets = 50_000
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			root := spool(b, size/octets, octets)
			b.StartTimer()
			open(b, root)
		}
	})
	root := spool(b, size/octets, octets)
	open(b, root)
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			index, err := filepath.Glob(filepath.Join(root, "user", ".imap", ".mailparts", "*.index"))
			must(b, err)
			for _, name := range index {
				must(b, os.Remove(name))
			}
			b.StartTimer()
			open(b, root)
		}
	})
	b.Run("warm", func(b *testing.B) {
		for b.Loop() {
			open(b, root)
		}
	})
}

// One of 10,000 messages of 4 KB: the last one, and the first one, behind which all
// is moved.
func BenchmarkExpunge(b *testing.B) {
	for _, which := range []string{"last", "first"} {
		b.Run(which, func(b *testing.B) {
			mb := open(b, spool(b, 10_000, 4000))
			for b.Loop() {
				b.StopTimer()
				_, err := mailparts.Append(context.Background(), mb, incoming(letter))
				must(b, err)
				var uid mailparts.UID
				for m, err := range mb.Messages(context.Background(), mailparts.AllUIDs(), mailparts.Query{}) {
					must(b, err)
					if uid = m.UID; which == "first" {
						break
					}
				}
				b.StartTimer()
				must(b, mb.Expunge(context.Background(), uids(uid), ""))
			}
		})
	}
}

// A flag on each of 10,000 messages, and off again.
func BenchmarkSetFlags(b *testing.B) {
	mb := open(b, spool(b, 10_000, 4000))
	op := mailparts.AddFlags
	for b.Loop() {
		_, _, err := mb.SetFlags(context.Background(), mailparts.AllUIDs(), mailparts.FlagChange{Op: op, Flags: []mailparts.Flag{mailparts.FlagSeen}})
		must(b, err)
		op = 1 - op
	}
}

// What 100,000 messages cost that nobody looks at.
func BenchmarkHeap(b *testing.B) {
	const messages = 100_000
	root := spool(b, messages, 200)
	open(b, root)
	for b.Loop() {
		before := heap()
		mb := open(b, root)
		b.ReportMetric(float64(heap()-before)/messages, "B/message")
		runtime.KeepAlive(mb)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
