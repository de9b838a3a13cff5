package smtp_test

import (
	"runtime"
	"strings"
	"testing"
)

// A message passes through in memory that does not grow with it.
func TestBigMessageInConstantMemory(t *testing.T) {
	addr := oursTCP(t)
	block := []byte(strings.Repeat(".."+strings.Repeat("x", 76)+"\r\n", 3200)) // 256 KB
	allocated := func(blocks int) uint64 {
		s := newSender(t, addr)
		defer s.Close()
		s.say(t, toDATA, 3)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range blocks {
			if _, err := s.Write(block); err != nil {
				t.Fatal(err)
			}
		}
		s.say(t, ".\r\n", 1)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(10) // fills the pools
	if n := allocated(512); n > 256<<10 {
		t.Errorf("%d octets were allocated for a message of 128 MB", n)
	}
}
