package line_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/line"
)

// readChunks reads text, cut in chunks of sizes and the rest, in pieces of size.
func readChunks(c *line.ChunkReader, text []byte, sizes []byte, size int) (string, error) {
	var got strings.Builder
	p := make([]byte, size)
	left := len(text)
	next := func() {
		n, last := left, len(sizes) == 0
		if !last {
			n, sizes = min(left, int(sizes[0])), sizes[1:]
		}
		left -= n
		c.Next(int64(n), last)
	}
	next()
	for {
		n, err := c.Read(p)
		got.Write(p[:n])
		switch {
		case err == line.ErrChunkEnd:
			next()
		case err == io.EOF:
			return got.String(), nil
		case err != nil:
			return got.String(), err
		}
	}
}

func TestChunkReader(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		err              error
		normalize        bool
		binary           bool
	}{
		{name: "empty"},
		{name: "lines", text: "a\r\n.\r\n\r\n..b\r\n", want: "a\r\n.\r\n\r\n..b\r\n"},
		{name: "no CRLF at the end", text: "a\r\nb", want: "a\r\nb\r\n"},
		{name: "LF alone", text: "a\nb\r\n", err: line.ErrBare},
		{name: "CR alone", text: "a\rb\r\n", err: line.ErrBare},
		{name: "CR at the end", text: "a\r", err: line.ErrBare},
		{name: "normalized", text: "\na\rb\nc\r\r\n\n\r\n\r", want: "\r\na\r\nb\r\nc\r\n\r\n\r\n\r\n\r\n", normalize: true},
		{name: "binary", text: "\na\rb\x00\xff\r", want: "\na\rb\x00\xff\r", binary: true},
		{name: "more than a buffer", text: strings.Repeat(benchLine, 500), want: strings.Repeat(benchLine, 500)},
	} {
		t.Run(test.name, func(t *testing.T) {
			for how, source := range sources {
				for _, size := range []int{1, 3, 1 << 16} {
					for _, chunks := range [][]byte{nil, {0}, {1, 1, 1, 1, 1}, {2, 3}, {5, 0, 1}} {
						r := line.NewReader(source(strings.NewReader(test.text + next)))
						c := line.NewChunkReader(r)
						c.Normalize, c.Binary = test.normalize, test.binary
						got, err := readChunks(c, []byte(test.text), chunks, size)
						if err != test.err || err == nil && got != test.want {
							t.Fatalf("%s in reads of %d and chunks %v: got %.100q, %v", how, size, chunks, got, err)
						}
						if err != nil {
							if err := c.Skip(); err != nil || c.Left() != 0 {
								t.Fatalf("Skip: %v", err)
							}
							continue
						}
						if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
							t.Fatalf("then got %q, %v", l, err)
						}
					}
				}
			}
		})
	}
}

func TestChunkReaderCutShort(t *testing.T) {
	for name, read := range map[string]func(*line.ChunkReader) error{
		"Read": func(c *line.ChunkReader) error { _, err := io.Copy(io.Discard, c); return err },
		"Skip": (*line.ChunkReader).Skip,
	} {
		c := line.NewChunkReader(line.NewReader(strings.NewReader("hello\r\n")))
		c.Next(8, true)
		if err := read(c); err != io.ErrUnexpectedEOF {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := c.Read(make([]byte, 9)); n != 0 || err != io.ErrUnexpectedEOF {
			t.Errorf("%s, then Read: %d, %v", name, n, err)
		}
	}
}

func TestSkip(t *testing.T) {
	r := line.NewReader(strings.NewReader(strings.Repeat("x", 100000) + next))
	if err := r.Skip(100000); err != nil {
		t.Fatal(err)
	}
	if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
		t.Fatalf("then got %q, %v", l, err)
	}
	if err := r.Skip(1); err != io.ErrUnexpectedEOF {
		t.Errorf("at the end: %v", err)
	}
}

// Wherever the line came to lie in the buffer, it comes again, and once.
func TestUnread(t *testing.T) {
	for how, source := range sources {
		for pad := 1000; pad < 1050; pad++ {
			r := line.NewReader(source(strings.NewReader(strings.Repeat("x", pad) + "\r\nfirst\r\nsecond\r\n")))
			if _, err := r.ReadLine(2000); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{"first", "first", "second"} {
				if l, err := r.ReadLine(100); string(l) != want || err != nil {
					t.Fatalf("%s: got %q, %v, want %q", how, l, err, want)
				}
				if i == 0 {
					r.Unread()
					r.Unread() // does nothing
				}
			}
		}
	}
}

// A text of nothing but octets alone costs no more than its length.
func TestNormalizeIsLinear(t *testing.T) {
	const n = 1 << 17
	for _, c := range []string{"\r", "\n"} {
		d := line.NewDotReader(line.NewReader(strings.NewReader(strings.Repeat(c, n) + "\r\n.\r\n")))
		d.Normalize = true
		got, err := io.ReadAll(d)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte("\r\n"), n+1)) {
			t.Fatalf("%q: %d octets, %v", c, len(got), err)
		}
	}
}

// FuzzChunkReader compares with a replacement in the whole text.
func FuzzChunkReader(f *testing.F) {
	f.Add([]byte("a\r\nb"), []byte{2}, []byte{0, 3}, uint8(1), uint8(0))
	f.Add([]byte("a\r\r\n\nb\r"), []byte{1, 0, 2}, []byte{0}, uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, text, chunks, sizes []byte, size, how uint8) {
		r := line.NewReader(&pieces{text: append(bytes.Clone(text), next...), sizes: sizes})
		c := line.NewChunkReader(r)
		c.Normalize, c.Binary = how&1 != 0, how&2 != 0
		got, err := readChunks(c, text, chunks, int(size)+1)
		want := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(string(text))
		switch {
		case c.Binary:
			want = string(text)
		case !c.Normalize && want != string(text):
			if !errors.Is(err, line.ErrBare) {
				t.Fatalf("error %v, want ErrBare", err)
			}
			return
		case want != "" && !strings.HasSuffix(want, "\r\n"):
			want += "\r\n"
		}
		if got != want || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
			t.Fatalf("then %q, %v", l, err)
		}
	})
}
