package mbox_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/mbox"
)

// file16MB is messages of 4 KB with a header of 20 lines.
func file16MB(lengths bool) []byte {
	body := strings.Repeat("This is a line of text as people write it, of about seventy octets or so.\n", 38)
	var one strings.Builder
	one.WriteString("From someone@example.com Mon Jan  1 00:00:00 2024\n")
	for i := range 18 {
		fmt.Fprintf(&one, "X-Field-%d: of a header as it comes from the network\n", i)
	}
	one.WriteString("Status: RO\n")
	if lengths {
		fmt.Fprintf(&one, "Content-Length: %d\n", len(body))
	}
	one.WriteString("\n" + body + "\n")
	return bytes.Repeat([]byte(one.String()), 16<<20/one.Len())
}

func BenchmarkScan(b *testing.B) {
	for _, lengths := range []bool{false, true} {
		name := "from"
		if lengths {
			name = "lengths"
		}
		b.Run(name, func(b *testing.B) {
			file := file16MB(lengths)
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			var s mbox.Scanner
			for b.Loop() {
				if n, err := s.ScanAll(bytes.NewReader(file), lengths); n < 1000 || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	for _, f := range []mbox.Format{mbox.RD, mbox.CL2} {
		b.Run(f.String(), func(b *testing.B) {
			file := file16MB(f == mbox.CL2)
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				r := mbox.NewReader(io.MultiReader(bytes.NewReader(file)), f)
				for {
					m, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, m); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, f := range []mbox.Format{mbox.RD, mbox.CL} {
		b.Run(f.String(), func(b *testing.B) {
			msg := strings.ReplaceAll(string(file16MB(false)[50:4000]), "\n", "\r\n")
			w := mbox.NewWriter(io.Discard, f)
			b.SetBytes(int64(len(msg)))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteMessage("a@example.com", time.Unix(1700000000, 0), strings.NewReader(msg)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless is a file that never was: one text again and again, up to so many octets.
type endless struct {
	text string
	at   int
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), e.left)], e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	e.left -= int64(n)
	return n, nil
}

// However long a file and its messages and lines are, reading needs the same memory.
func TestConstantMemory(t *testing.T) {
	size, much := int64(8<<20), int64(8<<20)
	if !testing.Short() {
		much = 300 << 20
	}
	long := func(size int64, text string) io.Reader {
		return &endless{text: strings.Repeat(text, 64<<10/len(text)), left: size}
	}
	many := string(file16MB(false)[:8<<10])
	for name, r := range map[string]io.Reader{
		"many messages": long(much, many[:strings.LastIndex(many, "From ")]),
		"one message":   io.MultiReader(strings.NewReader(fromLine+"\n"), long(size, "a line\n>From here\n\n")),
		"one line":      io.MultiReader(strings.NewReader(fromLine+"\n"), long(much, "a")),
		"one header":    io.MultiReader(strings.NewReader(fromLine), long(size, "X-Keywords: a\n")),
		"one field":     io.MultiReader(strings.NewReader(fromLine+"X-Keywords: "), long(size, "a\n ")),
		"one length":    io.MultiReader(strings.NewReader(fmt.Sprintf("%sContent-Length: %d\n\n", fromLine, size)), long(size, "\nFrom \n")),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			buf := make([]byte, 64<<10)
			runtime.ReadMemStats(&before)
			mr := mbox.NewReader(r, mbox.CL2)
			messages := uint64(0)
			for {
				m, err := mr.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				messages++
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, m, buf); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20+1024*messages {
				t.Errorf("%d octets were allocated for %d messages", got, messages)
			}
		})
	}
}
