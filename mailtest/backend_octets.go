package mailtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/mailparts/mailparts"
)

func octetPromises() []promise {
	return []promise{
		{"are kept but for a bare LF, which becomes CRLF", octetsTable},
		{"are right in any mixture", octetsRandom},
		{"are as many as Size says", octetsSize},
		{"of a large message are all there", octetsLarge},
	}
}

// crlf is the contract of Incoming.Body, spelled out line by line.
func crlf(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines[:len(lines)-1] {
		if !strings.HasSuffix(line, "\r") {
			lines[i] += "\r"
		}
	}
	return strings.Join(lines, "\n")
}

func octetsTable(x *trial) {
	for _, c := range []struct{ what, in, want string }{
		{"CRLF", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"bare LF", "a\nb\n", "a\r\nb\r\n"},
		{"LF first", "\na", "\r\na"},
		{"LF only", "\n", "\r\n"},
		{"LF LF", "a\n\nb", "a\r\n\r\nb"},
		{"bare CR", "a\rb\r", "a\rb\r"},
		{"CR only", "\r", "\r"},
		{"CR CR LF", "a\r\r\nb", "a\r\r\nb"},
		{"LF CR", "a\n\rb", "a\r\n\rb"},
		{"LF CR LF", "a\n\r\nb", "a\r\n\r\nb"},
		{"CRLF LF", "a\r\n\nb", "a\r\n\r\nb"},
		{"CR LF CR", "\r\n\r", "\r\n\r"},
		{"no final newline", "a\r\nb", "a\r\nb"},
		{"empty", "", ""},
		{"NUL", "a\x00b\x00", "a\x00b\x00"},
		{"8-bit", "\x80\xfe\xff\r\n", "\x80\xfe\xff\r\n"},
		{"UTF-8 with a BOM", "\ufeffé\r\n", "\ufeffé\r\n"},
		{"every octet but LF", everyOctetBut('\n'), everyOctetBut('\n')},
		{"dots", ".\r\n..\r\n.a\r\n", ".\r\n..\r\n.a\r\n"},
		{"mbox quoting", "From me\r\n>From you\r\n", "From me\r\n>From you\r\n"},
		{"space at the ends of lines", " a \t\r\n\t\r\n", " a \t\r\n\t\r\n"},
		{"a long line", strings.Repeat("x", 70_000) + "\n", strings.Repeat("x", 70_000) + "\r\n"},
	} {
		uid := x.addTexts(x.inbox, c.in)[0]
		if got := x.body(x.inbox, uid); got != c.want {
			x.Errorf("%s: appended %.80q, Body is %.80q, want %.80q", c.what, c.in, got, c.want)
		}
		if m := x.message(x.inbox, uid); m.Size != int64(len(c.want)) {
			x.Errorf("%s: Size of %.80q is %d, want %d", c.what, c.want, m.Size, len(c.want))
		}
	}
}

// everyOctetBut is 255 octets.
func everyOctetBut(not byte) string {
	var b []byte
	for c := range 256 {
		if byte(c) != not {
			b = append(b, byte(c))
		}
	}
	return string(b)
}

func octetsRandom(x *trial) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var msgs []mailparts.Incoming
	var raw []string
	for range 200 {
		b := make([]byte, rnd.IntN(12))
		for i := range b {
			b[i] = "\r\n\r\n.a\x00\xff"[rnd.IntN(8)]
		}
		raw = append(raw, string(b))
		msgs = append(msgs, mailparts.Incoming{Body: &lazyReader{r: bytes.NewReader(b)}})
	}
	for i, uid := range x.add(x.inbox, msgs...) {
		if got, want := x.body(x.inbox, uid), crlf(raw[i]); got != want {
			x.Errorf("appended %q, Body is %q, want %q", raw[i], got, want)
		}
	}
}

func octetsSize(x *trial) {
	x.addTexts(x.inbox, "a\nb\n", "a\r\nb\r\n", "\r\r\n\n", "", "plain")
	for _, m := range x.all(x.inbox) {
		body := x.body(x.inbox, m.UID)
		if int64(len(body)) != m.Size {
			x.Errorf("UID %d: Size is %d, Body has %d octets: %q", m.UID, m.Size, len(body), body)
		}
		if bare := strings.Count(body, "\n") - strings.Count(body, "\r\n"); bare > 0 {
			x.Errorf("UID %d: Body has %d bare LF: %q", m.UID, bare, body)
		}
	}
}

func octetsLarge(x *trial) {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "line %d ends \x80 in LF\nline %d in CRLF\r\n", i, i)
	}
	want := crlf(b.String())
	uid := x.add(x.inbox, mailparts.Incoming{Body: onlyReader{&b}, Size: int64(b.Len())})[0]
	got := x.body(x.inbox, uid)
	if got != want {
		x.Errorf("a message of 1 MB: Body has %d octets, want %d; they differ first at %d", len(got), len(want), firstDifference(got, want))
	}
	if m := x.message(x.inbox, uid); m.Size != int64(len(want)) {
		x.Errorf("a message of 1 MB: Size is %d, want %d", m.Size, len(want))
	}
}

// onlyReader hides what else its Reader can do.
type onlyReader struct{ io.Reader }

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
