package smtp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// FuzzBDAT sends any octets in any chunks. What the Receiver gets is what was sent,
// or what a text of it must become; what comes after the chunks is commands, and
// nothing in them is.
func FuzzBDAT(f *testing.F) {
	f.Add([]byte("hello\r\nworld\r\n"), []byte{3, 0, 6}, uint8(0))
	f.Add([]byte("a\r\n.\r\nQUIT\r\n"), []byte{2}, uint8(1))
	f.Add([]byte("a\nb\rc\r\r\n"), []byte{1}, uint8(2))
	f.Add([]byte(" a\r"), []byte{}, uint8(3))
	f.Add([]byte("BDAT 5 LAST\r\nRSET\r\n"), []byte{13}, uint8(4))
	f.Fuzz(func(t *testing.T, text, sizes []byte, how uint8) {
		normalize, binary, lmtp := how&1 != 0, how&2 != 0, how&4 != 0
		b := new(inbox)
		s := &smtp.Server{Receiver: b, NormalizeLines: normalize, LMTP: lmtp, Extensions: []string{"BINARYMIME"}, MaxErrors: -1}
		c := dialServer(t, s)
		hello, param := "G: EHLO", ""
		if lmtp {
			hello = "G: LHLO"
		}
		if binary {
			param = " BODY=BINARYMIME"
		}
		c.play(t, hello+"\nC: MAIL FROM:<a@example.org>"+param+`\r\nRCPT TO:<b@example.com>`+"\nS: 250 2.1.0 OK\nS: 250 2.1.5 OK")
		input, chunks := inChunks(text, sizes)
		go io.WriteString(c, input+"VRFY after\r\nQUIT\r\n")
		want, good := asText(string(text), normalize)
		if binary {
			want, good = string(text), true
		}
		for i := range chunks {
			if l := c.line(t); good && l[0] != '2' || !good && i == chunks-1 && l[:3] != "550" {
				t.Fatalf("%q: reply %d of %d is %q", input, i+1, chunks, l)
			}
		}
		c.play(t, "S: 252 ...\nS: 221 ...\nS!")
		s.Shutdown(context.Background())
		if b.open != 0 || b.closed != 1 {
			t.Fatalf("%d transactions are open, %d closed", b.open, b.closed)
		}
		if !good {
			if b.count() != 0 {
				t.Fatalf("accepted %q", text)
			}
			return
		}
		if strings.HasPrefix(want, " ") || strings.HasPrefix(want, "\t") {
			want = "\r\n" + want
		}
		if got := b.only(t).content(t); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// inChunks cuts text in chunks as long as the octets of sizes say, the rest in one.
func inChunks(text, sizes []byte) (input string, chunks int) {
	var b bytes.Buffer
	for _, n := range sizes {
		k := min(int(n), len(text))
		fmt.Fprintf(&b, "BDAT %d\r\n%s", k, text[:k])
		text = text[k:]
	}
	fmt.Fprintf(&b, "BDAT %d LAST\r\n%s", len(text), text)
	return b.String(), len(sizes) + 1
}

// asText is what becomes of a text; good says that it is not refused.
func asText(text string, normalize bool) (want string, good bool) {
	want = strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
	good = normalize || want == text
	if want != "" && !strings.HasSuffix(want, "\r\n") {
		want += "\r\n"
	}
	return want, good
}
