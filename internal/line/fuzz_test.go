package line_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/line"
)

// pieces gives out its text in pieces as long as the octets of sizes say.
type pieces struct {
	text  []byte
	sizes []byte
	i     int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := len(p.text)
	if len(p.sizes) > 0 {
		n = int(p.sizes[p.i%len(p.sizes)]) + 1
		p.i++
	}
	n = copy(b, p.text[:min(n, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}

// FuzzReadLine compares with a split at CRLF.
func FuzzReadLine(f *testing.F) {
	f.Add([]byte("a\r\nb\nc\rd\r\n"), []byte{0, 3})
	f.Add([]byte("a\nb\r\r\n\n\r\n\r"), []byte{0})
	f.Add([]byte(strings.Repeat("x\n\r", 100)+"\r\nb\r\n"), []byte{6, 0, 48})
	f.Add([]byte(strings.Repeat("x", 100)+"\r\nb\r\n"), []byte{})
	f.Fuzz(func(t *testing.T, text, sizes []byte) {
		const max = 50
		r := line.NewReader(&pieces{text: text, sizes: sizes})
		for l := range bytes.SplitAfterSeq(text, []byte("\r\n")) {
			var want error
			switch body, ok := bytes.CutSuffix(l, []byte("\r\n")); {
			case len(l) == 0:
				want = io.EOF
			case !ok:
				want = io.ErrUnexpectedEOF
			case len(l) > max:
				want = line.ErrTooLong
			case bytes.ContainsAny(body, "\r\n"):
				want = line.ErrBare
			}
			got, err := r.ReadLine(max)
			if err != want {
				t.Fatalf("%q: error %v, want %v", l, err, want)
			}
			if err == nil && string(got)+"\r\n" != string(l) {
				t.Fatalf("got %q, want %q", got, l)
			}
		}
	})
}

// FuzzDotReader compares with model.
func FuzzDotReader(f *testing.F) {
	f.Add([]byte("a\r\n..b\r\n.\r\nNEXT\r\n"), []byte{0, 3}, uint8(7))
	f.Add([]byte("a\r"), []byte{}, uint8(0))
	for _, end := range falseEnds {
		f.Add([]byte("a"+end+"b\r\n.\r\nNEXT\r\n"), []byte{0}, uint8(1))
	}
	f.Fuzz(func(t *testing.T, text, sizes []byte, size uint8) {
		want := model(string(text))
		for _, normalize := range []bool{false, true} {
			r := line.NewReader(&pieces{text: text, sizes: sizes})
			d := line.NewDotReader(r)
			d.Normalize = normalize
			got, err := readAll(d, int(size)+1)
			switch {
			case want.bare && !normalize:
				if err != line.ErrBare {
					t.Fatalf("error %v, want ErrBare", err)
				}
				err = d.Discard(1 << 30)
			case got != want.content && want.ended:
				t.Fatalf("got %q, want %q", got, want.content)
			}
			if want.ended != (err == nil) {
				t.Fatalf("ended with %v, want %v", err, want.ended)
			}
			if !want.ended {
				if err != io.ErrUnexpectedEOF {
					t.Fatalf("error %v, want io.ErrUnexpectedEOF", err)
				}
				continue
			}
			first, _, ok := strings.Cut(want.rest, "\r\n")
			l, err := r.ReadLine(1 << 15)
			if ok && len(first)+2 <= 1<<15 && !strings.ContainsAny(first, "\r\n") {
				if string(l) != first || err != nil {
					t.Fatalf("then %q, %v, want %q", l, err, first)
				}
			} else if err == nil {
				t.Fatalf("then %q, want an error", l)
			}
		}
	})
}

// readAll reads in pieces of size and leaves no error out but io.EOF.
func readAll(r io.Reader, size int) (string, error) {
	var b strings.Builder
	p := make([]byte, size)
	for {
		n, err := r.Read(p)
		b.Write(p[:n])
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
	}
}

// FuzzDotWriter sends what it writes through a DotReader.
func FuzzDotWriter(f *testing.F) {
	f.Add("a\r\n.b\r\n..\r\n.", uint8(3))
	f.Add("a\nb", uint8(3))
	f.Add("a\r", uint8(1))
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		bare := strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n")
		got, err := write(text, int(size)+1, false)
		if (err == line.ErrBare) != bare || err != nil && !bare {
			t.Fatalf("error %v for %q", err, text)
		}
		if err != nil {
			return
		}
		r := line.NewReader(strings.NewReader(got + next))
		back, err := readAll(line.NewDotReader(r), 1000)
		if text != "" && !strings.HasSuffix(text, "\r\n") {
			text += "\r\n"
		}
		if back != text || err != nil {
			t.Fatalf("%q became %q, %v", text, back, err)
		}
		if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
			t.Fatalf("then %q, %v", l, err)
		}
	})
}
