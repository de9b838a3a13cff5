package maildir_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// wireOf is the contract of Incoming.Body, octet by octet.
func wireOf(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if s[i] == '\n' && (i == 0 || s[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// at is a Body's other face.
func at(t testing.TB, mb mailparts.Mailbox, uid mailparts.UID) io.ReaderAt {
	t.Helper()
	r, err := mb.Body(t.Context(), uid)
	must(t, err)
	t.Cleanup(func() { r.Close() })
	return r.(io.ReaderAt)
}

// What comes in is on disk as the option says, and comes out the same, also to who
// has the other option.
func TestCRLF(t *testing.T) {
	for msg, lf := range map[string]string{
		"a\r\nb\r\n":       "a\nb\n",
		"a\nb\n":           "a\nb\n",
		"":                 "",
		"no line end":      "no line end",
		"\r\n\n\r\r\n\r":   "\n\n\r\r\n\r",
		"x\r\r\n\x00\ry\n": "x\r\r\n\x00\ry\n",
	} {
		for _, crlf := range []bool{false, true} {
			fsys := disktest.New()
			b := on(fsys)
			b.CRLF = crlf
			deliver(t, openMailbox(t, b, "INBOX"), msg)
			stored := map[bool]string{false: lf, true: wireOf(msg)}[crlf]
			files := in(fsys, "new/*")
			if len(files) != 1 || get(t, fsys, files[0]) != stored || !strings.HasSuffix(files[0], fmt.Sprintf(",S=%d,W=%d", len(stored), len(wireOf(msg)))) {
				t.Errorf("CRLF %v: %q is on disk as %q, want %q", crlf, msg, files, stored)
			}
			other := on(fsys)
			other.CRLF = !crlf
			for _, reader := range []*maildir.Backend{b, other} {
				mb := openMailbox(t, reader, "INBOX")
				want(t, mb, "1 [] "+wireOf(msg))
				if wire := wireOf(msg); wire != "" {
					if err := iotest.TestReader(io.NewSectionReader(at(t, mb, 1), 0, int64(len(wire))), []byte(wire)); err != nil {
						t.Errorf("CRLF %v: %q in parts: %v", crlf, msg, err)
					}
				}
			}
		}
	}
}

// Parts of a large message, in any order and each from a Body of its own.
func TestParts(t *testing.T) {
	var text bytes.Buffer
	for text.Len() < 1<<20 {
		fmt.Fprintf(&text, "%*d\n", rand.IntN(200), text.Len())
	}
	wire := wireOf(text.String())
	for _, crlf := range []bool{false, true} {
		fsys := disktest.New()
		b := on(fsys)
		b.CRLF = crlf
		mb := openMailbox(t, b, "INBOX")
		for range 6 { // more than maps are kept of
			deliver(t, mb, text.String())
		}
		for range 300 {
			off := rand.IntN(len(wire) + 10)
			p := make([]byte, rand.IntN(5000))
			n, err := at(t, mb, mailparts.UID(1+rand.IntN(6))).ReadAt(p, int64(off))
			want := wire[min(off, len(wire)):min(off+len(p), len(wire))]
			if string(p[:n]) != want || (err == io.EOF) != (n < len(p) || off >= len(wire)) || err != nil && err != io.EOF {
				t.Fatalf("CRLF %v: %d octets at %d are %.40q, %v, want %.40q", crlf, len(p), off, p[:n], err, want)
			}
		}
		if _, err := at(t, mb, 1).ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
			t.Errorf("CRLF %v: at -1: %v", crlf, err)
		}
	}
}

// Who reads a part finds out that a size is wrong as who reads all, if not always.
func TestWrongSizesInParts(t *testing.T) {
	for name, tc := range map[string]struct {
		content  string
		off, len int
		want     string // "": the size is found to be wrong
	}{
		"both sizes and a bare LF":        {"10.x,S=6,W=6|ab\ncd\n", 0, 6, ""},
		"a bare LF at the beginning":      {"10.x,S=6,W=6|ab\ncd\n", 2, 1, ""},
		"a bare LF elsewhere":             {"10.x,S=6,W=6|ab\ncd\n", 3, 2, "cd"},
		"LF after CR, begun between them": {"10.x,S=6,W=6|ab\r\ncd", 3, 3, "\ncd"},
		"too short":                       {"10.x,S=6,W=9|ab\ncd\n", 0, 9, ""},
		"too short, seen before":          {"10.x,S=6,W=9|ab\ncd\n", 0, 8, "ab\r\ncd\r\n"},
		"too long":                        {"10.x,S=6,W=7|ab\ncd\n", 0, 7, ""},
		"too long, seen before":           {"10.x,S=6,W=7|ab\ncd\n", 0, 6, "ab\r\ncd"},
		"both too short":                  {"10.x,W=4|ab\n", 0, 4, "ab\r\n"},
	} {
		fsys := tree(t, "")
		file, content, _ := strings.Cut(tc.content, "|")
		put(t, fsys, root+"/user/new/"+file, content)
		mb := openMailbox(t, on(fsys), "INBOX")
		p := make([]byte, tc.len)
		n, err := at(t, mb, 1).ReadAt(p, int64(tc.off))
		if string(p[:n]) != tc.want || (tc.want == "") == (err == nil) || err == io.EOF {
			t.Errorf("%s: %q, %v, want %q", name, p[:n], err, tc.want)
		}
		_, err = mb.Body(t.Context(), 1)
		if (tc.want == "") != errors.Is(err, mailparts.ErrNoMessage) {
			t.Errorf("%s: Body after that: %v", name, err)
		}
		if tc.want == "" {
			want(t, mb, "2 [] "+wireOf(content))
		}
	}
}

// BenchmarkParts reads a message of 50 MB in parts of 128 KB, each from a Body of its
// own, as a client that fetches them.
func BenchmarkParts(b *testing.B) {
	for _, crlf := range []bool{false, true} {
		b.Run(map[bool]string{false: "LF", true: "CRLF"}[crlf], func(b *testing.B) {
			mb := openMailbox(b, &maildir.Backend{Root: b.TempDir(), CRLF: crlf}, "INBOX")
			text := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 50<<20/78)
			deliver(b, mb, text)
			p := make([]byte, 128<<10)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for off := 0; off < len(text); off += len(p) {
					r, err := mb.Body(b.Context(), 1)
					must(b, err)
					if _, err = r.(io.ReaderAt).ReadAt(p, int64(off)); err != io.EOF {
						must(b, err)
					}
					must(b, r.Close())
				}
			}
		})
	}
}
