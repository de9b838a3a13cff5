package smtp_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// What a message costs does not grow with its lines, neither by DATA nor by BDAT.
func TestNoAllocationPerLine(t *testing.T) {
	const messages = 20
	for name, groups := range map[string]func(text string) []string{
		"DATA": func(text string) []string { return []string{toDATA, text + ".\r\n"} },
		"BDAT": func(text string) []string {
			return []string{fmt.Sprintf("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT %d LAST\r\n%s", len(text), text)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			allocations := func(lines int) uint64 {
				script := groups(strings.Repeat("..a line\r\n", lines))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				serveScript(t, benchServer().Serve, func(i int) string {
					switch {
					case i == 0:
						return "EHLO localhost\r\n"
					case i > messages*len(script):
						return ""
					}
					return script[(i-1)%len(script)]
				})
				runtime.ReadMemStats(&after)
				return after.Mallocs - before.Mallocs
			}
			allocations(1) // fills the pools
			few, many := allocations(1), allocations(10000)
			if many > few+messages*10 {
				t.Errorf("%d messages of 1 line: %d allocations, of 10000 lines: %d", messages, few, many)
			}
		})
	}
}

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
