package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := wire.NewWriter(&out)
	w.Print("* ")
	w.Uint(7)
	w.Print(" ")
	for _, s := range []string{"atom]", "", "NIL", "a b", `"\`, "a\r\nb", "ö", "a\x00b", strings.Repeat("x", 1000)[:3] + strings.Repeat(" ", 1000)} {
		w.AString(s)
		w.Print(" ")
	}
	w.UTF8 = true
	w.String("ö")
	w.String("\xff")
	w.NString(nil)
	w.Literal(3, true)
	if out.Len() > 0 {
		t.Error("written before Flush")
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `* 7 atom] "" "NIL" "a b" "\"\\" {4}` + "\r\na\r\nb {2}\r\nö {3}\r\na\x80b {1003}\r\nxxx" + strings.Repeat(" ", 1000) + " \"ö\"{1}\r\n\xffNIL~{3}\r\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}

// What is large goes out at once, in order, and what fails stays failed.
func TestLargeWrites(t *testing.T) {
	var out bytes.Buffer
	w := wire.NewWriter(&out)
	var want strings.Builder
	for i, n := range []int{10, 40000, 1, 32768, 32767, 100000, 5} {
		s := strings.Repeat(string(rune('a'+i)), n)
		want.WriteString(s)
		w.Write([]byte(s))
	}
	if err := w.Flush(); err != nil || out.String() != want.String() {
		t.Errorf("%v, %d octets, want %d", err, out.Len(), want.Len())
	}
}

// FuzzString: what is written as a string is read back as it was, but for NULs.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "a", `\"`, "\r\n", "ö", "\x00", "\xff"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		p := wire.NewParser(wire.AppendString(nil, s, utf8))
		got := p.String()
		if want := strings.ReplaceAll(s, "\x00", "\x80"); string(got) != want || p.End() != nil {
			t.Errorf("%q is read as %q, %v", s, got, p.Err())
		}
	})
}
