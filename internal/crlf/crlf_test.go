package crlf_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/internal/crlf"
)

// toDisk returns a message as it is on disk, and the size on the wire that is noted
// for it. Each Write has n octets.
func toDisk(msg string, n int) (string, int64) {
	var b bytes.Buffer
	var w crlf.Writer
	w.Reset(&b)
	for p := []byte(msg); len(p) > 0; p = p[min(n, len(p)):] {
		w.Write(p[:min(n, len(p))])
	}
	w.Finish()
	if w.Disk() != int64(b.Len()) {
		panic("Writer counts wrong")
	}
	return b.String(), w.Wire()
}

// fromDisk reads a message as it is on the wire.
func fromDisk(r io.Reader) io.Reader {
	text := new(crlf.Reader)
	text.Reset(r)
	return text
}

func TestOctets(t *testing.T) {
	for _, tc := range []struct{ in, disk, wire string }{
		{"", "", ""},
		{"a\r\nb\r\n", "a\nb\n", "a\r\nb\r\n"},
		{"a\nb\n", "a\nb\n", "a\r\nb\r\n"},
		{"\r\n", "\n", "\r\n"},
		{"\n", "\n", "\r\n"},
		{"\n\n", "\n\n", "\r\n\r\n"},
		{"\r\n\n", "\n\n", "\r\n\r\n"},
		{"\r", "\r", "\r"},
		{"a\r", "a\r", "a\r"},
		{"a\rb", "a\rb", "a\rb"},
		{"\r\r", "\r\r", "\r\r"},
		{"\r\r\n", "\r\r\n", "\r\r\n"},
		{"\r\r\r\n", "\r\r\r\n", "\r\r\r\n"},
		{"\r\r\n\n", "\r\r\n\n", "\r\r\n\r\n"},
		{"\r\n\r\n", "\n\n", "\r\n\r\n"},
		{"\n\r", "\n\r", "\r\n\r"},
		{"\r\ra\r\n", "\r\ra\n", "\r\ra\r\n"},
		{"\ra\r\n", "\ra\n", "\ra\r\n"},
	} {
		for n := 1; n <= 4; n++ {
			disk, size := toDisk(tc.in, n)
			if disk != tc.disk || size != int64(len(tc.wire)) {
				t.Errorf("%q in writes of %d is %q on disk and %d octets on the wire, want %q and %d", tc.in, n, disk, size, tc.disk, len(tc.wire))
			}
		}
		if wire, err := io.ReadAll(fromDisk(strings.NewReader(tc.disk))); string(wire) != tc.wire || err != nil {
			t.Errorf("%q on disk is %q on the wire, %v, want %q", tc.disk, wire, err, tc.wire)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("broken")
	got, err := io.ReadAll(fromDisk(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(broken))))
	if string(got) != "a\r\n" || err != broken {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := crlf.Len(iotest.ErrReader(broken)); err != broken {
		t.Errorf("measured: %v", err)
	}
}

// What comes from the disk is what came to it, with CRLF for each bare LF, however
// it is cut.
func FuzzOctets(f *testing.F) {
	f.Add("a\r\nb\nc\r\r\nd\r", 1)
	f.Add("\r\n\r\n\n\r", 2)
	f.Add(strings.Repeat("0123456789abcdef\r\n", 2000), 4096)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(1, min(n, 1<<16))
		disk, size := toDisk(in, n)
		want := slowCRLF(in)
		for _, r := range []io.Reader{strings.NewReader(disk), iotest.OneByteReader(strings.NewReader(disk)), iotest.DataErrReader(strings.NewReader(disk))} {
			wire, err := io.ReadAll(fromDisk(r))
			if string(wire) != want || err != nil {
				t.Fatalf("%q is %q on disk and %q on the wire, %v, want %q", in, disk, wire, err, want)
			}
		}
		measured, err := crlf.Len(iotest.HalfReader(strings.NewReader(disk)))
		if size != int64(len(want)) || measured != size || err != nil {
			t.Errorf("%q: the size on the wire is noted as %d and measured as %d, %v, want %d", in, size, measured, err, len(want))
		}
		if len(want) > 1<<10 {
			return
		}
		if err := iotest.TestReader(fromDisk(strings.NewReader(disk)), []byte(want)); err != nil {
			t.Error(err)
		}
	})
}

// slowCRLF is the contract of Incoming.Body, octet by octet.
func slowCRLF(s string) string {
	var b bytes.Buffer
	for i := range len(s) {
		if s[i] == '\n' && (i == 0 || s[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func Example() {
	var disk bytes.Buffer
	var w crlf.Writer
	w.Reset(&disk)
	err := w.Copy(context.Background(), strings.NewReader("Subject: hi\r\n\r\na bare\nLF\r\n"))
	fmt.Printf("%q %v: %d octets on the wire\n", disk.String(), err, w.Wire())

	var r crlf.Reader
	r.Reset(&disk)
	wire, err := io.ReadAll(&r)
	fmt.Printf("%q %v\n", wire, err)
	// Output:
	// "Subject: hi\n\na bare\nLF\n" <nil>: 27 octets on the wire
	// "Subject: hi\r\n\r\na bare\r\nLF\r\n" <nil>
}
