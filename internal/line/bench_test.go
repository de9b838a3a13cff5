package line_test

import (
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/line"
)

// repeat gives out text again and again, n octets in all.
type repeat struct {
	text string
	at   int
	n    int64
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := 0
	for p = p[:min(int64(len(p)), r.n)]; n < len(p); {
		m := copy(p[n:], r.text[r.at:])
		r.at = (r.at + m) % len(r.text)
		n += m
	}
	r.n -= int64(n)
	return n, nil
}

const benchSize = 64 << 20

var benchLine = strings.Repeat("x", 76) + "\r\n"

func BenchmarkDotReader(b *testing.B) {
	for name, text := range map[string]string{
		"76": benchLine, "10": "01234567\r\n", "dots": ".." + benchLine, "998": strings.Repeat("y", 998) + "\r\n",
	} {
		text := strings.Repeat(text, 200)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchSize)
			b.ReportAllocs()
			p := make([]byte, 32<<10)
			for b.Loop() {
				r := line.NewReader(&repeat{text: text, n: benchSize})
				d := line.NewDotReader(r)
				var err error
				for err == nil {
					_, err = d.Read(p)
				}
				if err != io.ErrUnexpectedEOF {
					b.Fatal(err)
				}
				r.Release()
			}
		})
	}
}

func BenchmarkChunkReader(b *testing.B) {
	for name, binary := range map[string]bool{"text": false, "binary": true} {
		text := strings.Repeat(benchLine, 200)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(benchSize)
			b.ReportAllocs()
			p := make([]byte, 32<<10)
			for b.Loop() {
				r := line.NewReader(&repeat{text: text, n: benchSize})
				c := line.NewChunkReader(r)
				c.Binary = binary
				c.Next(benchSize, true)
				var err error
				for err == nil {
					_, err = c.Read(p)
				}
				if err != io.EOF {
					b.Fatal(err)
				}
				r.Release()
			}
		})
	}
}

func BenchmarkDotWriter(b *testing.B) {
	b.SetBytes(benchSize)
	b.ReportAllocs()
	block := []byte(strings.Repeat(benchLine, 400))
	for b.Loop() {
		d := line.NewDotWriter(io.Discard)
		for n := 0; n < benchSize; n += len(block) {
			if _, err := d.Write(block); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkReadLine(b *testing.B) {
	b.ReportAllocs()
	r := line.NewReader(&repeat{text: "RCPT TO:<someone@example.com>\r\n", n: 1 << 60})
	for b.Loop() {
		if _, err := r.ReadLine(2048); err != nil {
			b.Fatal(err)
		}
	}
}
