package queue_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	. "github.com/mailparts/mailparts/queue"
)

// BenchmarkPut puts 4 KB messages, each synced before Put returns.
func BenchmarkPut(b *testing.B) {
	msg := strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 64)
	for _, writers := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s, err := Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for {
						i := n.Add(1)
						if i > int64(b.N) {
							return
						}
						put(b, s, msg, newEntry(fmt.Sprint("m", i), "example.com"))
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// BenchmarkPass takes messages in and out: Put, Next, Open, Save.
func BenchmarkPass(b *testing.B) {
	msg := strings.Repeat("x", 4096)
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var n atomic.Int64
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 50 {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				put(b, s, msg, newEntry(fmt.Sprint("m", i), "example.com"))
				for _, e := range next(b, s, now, 1) {
					content(b, s, e)
					finish(b, s, e)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// heap is how many octets are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkOpen opens a spool that has 100,000 entries and was closed.
func BenchmarkOpen(b *testing.B) {
	const entries = 100_000
	dir := b.TempDir()
	s, err := Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 50 {
		wg.Go(func() {
			for i := w; i < entries; i += 50 {
				put(b, s, "Subject: x\r\n\r\n", newEntry(fmt.Sprintf("%026d.%08x", i, i), fmt.Sprintf("d%d.example", i%1000)))
			}
		})
	}
	wg.Wait()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if s, err = Open(dir); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
	b.ReportMetric(float64(b.N*entries)/b.Elapsed().Seconds(), "entries/s")
	s = nil
	before := heap()
	if s, err = Open(dir); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(heap()-before)/entries, "heap-B/entry")
	s.Close()
}
