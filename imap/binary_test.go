package imap_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// base64Lines encodes octets in base64 with lines of 76 characters.
func base64Lines(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	var s strings.Builder
	for len(text) > 76 {
		s.WriteString(text[:76] + "\r\n")
		text = text[76:]
	}
	return s.String() + text + "\r\n"
}

// A part of any length is decoded, with the NULs in it, as is a range of it.
func TestBinaryOfLongParts(t *testing.T) {
	r := start(t, nil)
	for _, size := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3 << 20} {
		content := bytes.Repeat([]byte("a\x00b\n"), size/4+1)[:size]
		r.put(time.Time{}, "Content-Transfer-Encoding: base64\r\n\r\n"+base64Lines(content))
		c := r.selecting()
		c.do("FETCH * BINARY.SIZE[1]") // what is derived is kept
		literal := func(b []byte) string {
			switch {
			case len(b) == 0:
				return `""`
			case bytes.IndexByte(b, 0) < 0 && size < 256<<10:
				return fmt.Sprintf("{%d}\r\n%s", len(b), b)
			}
			return fmt.Sprintf("~{%d}\r\n%s", len(b), b)
		}
		from := min(1000, size)
		want := fmt.Sprintf("(BINARY.SIZE[1] %d BINARY[1] %s BINARY[1]<1000> %s)", size, literal(content), literal(content[from:min(from+1500, size)]))
		got := c.do("FETCH * (BINARY.SIZE[1] BINARY.PEEK[1] BINARY.PEEK[1]<1000.1500>)")
		if len(got) != 2 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%d octets: got %.200q, want %.200q", size, got, want)
		}
	}
}

// BINARY[] is the message as it is.
func TestBinaryOfMessage(t *testing.T) {
	r := start(t, nil)
	r.fill("Subject: x\r\n\r\na\x00b\r\n")
	c := r.selecting()
	equal(t, c.do("FETCH 1 BINARY.PEEK[]"), []string{"* 1 FETCH (BINARY[] ~{19}\r\nSubject: x\r\n\r\na\x00b\r\n)", "OK FETCH completed"})
	equal(t, c.do("FETCH 1 (BINARY.SIZE[] BINARY.PEEK[]<0.7>)"), []string{"* 1 FETCH (BINARY.SIZE[] 19 BINARY[]<0> {7}\r\nSubject)", "OK FETCH completed"})
	equal(t, c.do("FETCH 1 BODY.PEEK[]"), []string{"* 1 FETCH (BODY[] {19}\r\nSubject: x\r\n\r\na\x80b\r\n)", "OK FETCH completed"})
}

// Decoding costs no memory that grows with the part.
func TestBinaryMemory(t *testing.T) {
	r := start(t, nil)
	r.put(time.Time{}, "Content-Transfer-Encoding: base64\r\n\r\n"+base64Lines(make([]byte, 30<<20)))
	c := r.selecting()
	c.do("FETCH 1 BINARY.SIZE[1]")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.do("FETCH 1 BINARY.PEEK[1]<31457000.10>")
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d octets were allocated for a part of 30 MB", got)
	}
}
