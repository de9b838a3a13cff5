package index_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

var sizes = []int{1000, 10_000, 100_000, 1_000_000}

// onDisk is a mailbox of n messages in a real file.
func onDisk(b *testing.B, n int) *index.State {
	s := mailbox(disk.OS{}, filepath.Join(b.TempDir(), name), n)
	must(b, s.Rewrite(false))
	return s
}

// BenchmarkLoad opens an index, and says what is on the heap then.
func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes[1:] {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), name)
			must(b, mailbox(disk.OS{}, file, n).Rewrite(false))
			var before, after runtime.MemStats
			var s *index.State
			for b.Loop() {
				b.StopTimer()
				s = nil
				runtime.GC()
				runtime.ReadMemStats(&before)
				b.StartTimer()
				s = index.New(disk.OS{}, file)
				must(b, s.Load())
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "heap-B/message")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n), "alloc-B/message")
			runtime.KeepAlive(s)
		})
	}
}

// BenchmarkWrite appends one message, or gives one other flags, whatever the mailbox
// has.
func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{sizes[0], sizes[3]} {
		b.Run(fmt.Sprint("append/messages=", n), func(b *testing.B) {
			s := onDisk(b, n)
			b.ReportAllocs()
			for b.Loop() {
				n++
				c := index.Change{Put: []index.Entry{message(uint32(n), "")}}
				h := s.Head
				h.Counts.Add(c.Put[0])
				h.Next, h.HighestModSeq = uint64(n)+1, c.Put[0].ModSeq
				must(b, s.Write(h, c, false))
				s.Apply(h, c)
			}
		})
		b.Run(fmt.Sprint("flag/messages=", n), func(b *testing.B) {
			s := onDisk(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				must(b, write1(s, flagged(s, uint32(n/2), [...]string{":2,F", ":2,FS"}[i%2])))
			}
		})
	}
}

// write1 is write for one message that is there, in constant time.
func write1(s *index.State, e index.Entry) error {
	h := s.Head
	h.HighestModSeq++
	at, _ := find(s, e.UID)
	h.Counts.Remove(s.Entries[at])
	h.Counts.Add(e)
	e.ModSeq = h.HighestModSeq
	c := index.Change{Put: []index.Entry{e}}
	err := s.Write(h, c, false)
	s.Apply(h, c)
	return err
}

// BenchmarkFlagAll gives all messages other flags.
func BenchmarkFlagAll(b *testing.B) {
	for _, n := range sizes[1:3] {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			s := onDisk(b, n)
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				c := index.Change{Put: make([]index.Entry, n)}
				for j := range s.Entries {
					c.Put[j] = flagged(s, s.Entries[j].UID, [...]string{":2,F", ":2,FS"}[i%2])
				}
				h := change(s, &c)
				b.StartTimer()
				must(b, s.Write(h, c, false))
				s.Apply(h, c)
			}
		})
	}
}

// BenchmarkRewrite writes a new index, synced.
func BenchmarkRewrite(b *testing.B) {
	for _, n := range sizes[1:] {
		b.Run(fmt.Sprint("messages=", n), func(b *testing.B) {
			s := onDisk(b, n)
			for b.Loop() {
				must(b, s.Rewrite(false))
			}
		})
	}
}

// BenchmarkPeek reads the head of one index after the other.
func BenchmarkPeek(b *testing.B) {
	dir := b.TempDir()
	const mailboxes = 1000
	for i := range mailboxes {
		must(b, mailbox(disk.OS{}, filepath.Join(dir, fmt.Sprint(i)), 10).Rewrite(false))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := index.New(disk.OS{}, filepath.Join(dir, fmt.Sprint(i%mailboxes)))
		must(b, s.Peek())
	}
}
