package mime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

const plainText = `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" %d %d NIL NIL NIL NIL)`

func text(octets, lines int) string { return fmt.Sprintf(plainText, octets, lines) }

// messages are the shapes of real mail, good and broken, with LF for CRLF. What they
// want is Dovecot 2.3's BODYSTRUCTURE but where a comment says otherwise.
var messages = []struct{ name, text, want string }{
	{"text", "From: a@b\nSubject: x\n\nbody\n", text(6, 1)},
	{"no octet", "", text(0, 0)},
	{"no header", "\nfoo", text(3, 0)},
	{"no body", "From: a@b", text(0, 0)},
	{"no empty line", "Subject: x\n", text(0, 0)},
	{"no colon", "nocolon\nFrom: a@b\n\nhi", text(2, 0)},
	{"bare CR and NUL", "Subject: a\rb\x00c\n\none\rline\x00\n", text(11, 1)},
	{"no boundary", "Content-Type: multipart/mixed\n\nno boundary\n",
		`(` + text(0, 0) + ` "mixed" NIL NIL NIL NIL)`},
	{"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\nfoo\n",
		`(` + text(0, 0) + ` "mixed" ("boundary" "") NIL NIL NIL)`},
	{"preamble only", "Content-Type: multipart/mixed; boundary=x\n\npreamble only\n",
		`(` + text(0, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"close delimiter only", "Content-Type: multipart/mixed; boundary=x\n\n--x--\n",
		`(` + text(0, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"part without a line", "Content-Type: multipart/mixed; boundary=x\n\n--x\n--x--\n",
		`(` + text(0, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"part of an empty line", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\n--x--\n",
		`(` + text(0, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"part of a header", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: image/png\n--x--\n",
		`(("image" "png" NIL NIL NIL "7bit" 0 NIL NIL NIL NIL) "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"no close delimiter", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nhello\n",
		`(` + text(7, 1) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	// Dovecot has "foo" "" here. RFC 2045 section 5.2 has the default.
	{"no subtype", "Content-Type: foo\n\nhello\n", text(7, 1)},
	{"all fields", "Content-Type: text/html; name*0*=utf-8''a%20b; name*1=\"c d\"; charset=\"utf-8\"\n" +
		"Content-Disposition: attachment; filename*=utf-8'en'%e2%82%ac.txt; size=3\nContent-Language: en, de\n" +
		"Content-ID: <a@b>\nContent-Description: =?utf-8?q?=c3=a9?= foo\nContent-Transfer-Encoding: Quoted-Printable\n" +
		"Content-MD5: abc\nContent-Location: http://x/y\n\nhello\n",
		// In Dovecot what was encoded comes last.
		`("text" "html" ("name*" "utf-8''a%20bc d" "charset" "utf-8") "<a@b>" "=?utf-8?q?=c3=a9?= foo" "Quoted-Printable" 7 1 "abc"` +
			` ("attachment" ("filename*" "utf-8'en'%e2%82%ac.txt" "size" "3")) ("en" "de") "http://x/y")`},
	{"empty message", "Content-Type: message/rfc822\n\n",
		`("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ` + text(0, 0) + ` 0 NIL NIL NIL NIL)`},
	{"encoded message", "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nRnJvbTogeAo=\n",
		`("message" "rfc822" NIL NIL NIL "base64" 14 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ` + text(0, 0) + ` 1 NIL NIL NIL NIL)`},
	// Dovecot 2.3 does not know RFC 6532's.
	{"message/global", "Content-Type: message/global\n\nSubject: é\n\nfoo\n",
		`("message" "global" NIL NIL NIL "7bit" 20 (NIL "=?utf-8?b?w6k=?=" NIL NIL NIL NIL NIL NIL NIL NIL) ` + text(5, 1) + ` 3 NIL NIL NIL NIL)`},
	{"digest", "Content-Type: multipart/digest; boundary=x\n\n--x\nContent-Type: text/plain\n\nSubject: a\n\nhi\n--x\n\nSubject: b\n\nho\n--x--\n",
		`(` + text(16, 2) + `("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL "b" NIL NIL NIL NIL NIL NIL NIL NIL) ` + text(2, 0) +
			` 2 NIL NIL NIL NIL) "digest" ("boundary" "x") NIL NIL NIL)`},
	{"Content-Type twice", "Content-Type: text/plain; charset=a; charset=b; x; ; y=; \"q\"=r\nContent-Type: text/html\n\nhello\n",
		`("text" "plain" ("charset" "a" "charset" "b" "y" "" "\"q\"" "r") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)`},
	{"odd parameters", "Content-Type: text/plain; name=\"a\n b\"; foo=bar baz; z=(c)q(d); e=\"a\\\"b\"\n\nhello\n",
		`("text" "plain" ("name" "a b" "foo" "bar" "z" "q" "e" "a\"b" "charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)`},
	{"unclosed within", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\nfoo\n--x\n\nbar\n--y--\n--x--\n",
		`((` + text(3, 0) + ` "mixed" ("boundary" "y") NIL NIL NIL)` + text(10, 1) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	// In Dovecot the message has the CRLF before "--x", 95 octets.
	{"boundary longer than the outer", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\nSubject: q\n" +
		"Content-Type: multipart/alternative; boundary=xy\n\n--xy\n\n1\n--xyz\n\n2\n--xy--\n--x \t\n\n3\n--x-- foo\n",
		`(("message" "rfc822" NIL NIL NIL "7bit" 93 (NIL "q" NIL NIL NIL NIL NIL NIL NIL NIL) (` + text(1, 0) + text(1, 0) +
			` "alternative" ("boundary" "xy") NIL NIL NIL) 9 NIL NIL NIL NIL)` + text(1, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"boundary shorter than the outer", "Content-Type: multipart/mixed; boundary=xy\n\n--xy\nContent-Type: multipart/alternative; boundary=x\n\n" +
		"--x\n\n1\n--x--\n--xy\n\n2\n--xy--\n",
		`((` + text(1, 0) + ` "alternative" ("boundary" "x") NIL NIL NIL)` + text(1, 0) + ` "mixed" ("boundary" "xy") NIL NIL NIL)`},
	// In Dovecot the second "--xy--" is a delimiter of "x".
	{"closed twice", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=xy\n\n" +
		"--xy\n\n1\n--xy--\n--xy--\n--x\n\n2\n--x--\n",
		`((` + text(1, 0) + ` "alternative" ("boundary" "xy") NIL NIL NIL)` + text(1, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"beginning of a line only", "Content-Type: multipart/mixed; boundary=abc\n\n--abcd\n\nfoo\n--abc\n\nx\n--abc--def\n\nmore\n--abc\n\nz\n",
		`(` + text(3, 0) + text(1, 0) + ` "mixed" ("boundary" "abc") NIL NIL NIL)`},
	{"same boundary within", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n1\n--x--\n--x--\n",
		`((` + text(1, 0) + ` "mixed" ("boundary" "x") NIL NIL NIL) "mixed" ("boundary" "x") NIL NIL NIL)`},
	{"8 bit", "Content-Type: text/plain; charset=utf-8; name=\"é\"\n\nfoo\n",
		"(\"text\" \"plain\" (\"charset\" \"utf-8\" \"name\" {2}\r\né) NIL NIL \"7bit\" 5 1 NIL NIL NIL NIL)"},
	{"boundary in pieces", "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\n1\n--ab--\n",
		`(` + text(1, 0) + ` "mixed" ("boundary" "ab") NIL NIL NIL)`},
}

func TestScan(t *testing.T) {
	for _, m := range messages {
		t.Run(m.name, func(t *testing.T) {
			p := scanChecked(t, crlf(m.text))
			if got := string(mime.AppendBodyStructure(nil, p, true, false)); got != m.want {
				t.Errorf("BODYSTRUCTURE is\n%s\nwant\n%s", got, m.want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	p := scan(t, crlf("Content-Type: multipart/mixed; boundary=x\n\n--x\n\n1\n--x--\n"))
	got := string(mime.AppendBodyStructure(nil, p, false, false))
	if want := `(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0) "mixed")`; got != want {
		t.Errorf("BODY is\n%s\nwant\n%s", got, want)
	}
}

func TestTooDeep(t *testing.T) {
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d.\r\n\r\n--b%d.\r\n", i, i)
	}
	p := scanned(t, b.String())
	depth := 1
	for ; len(p.Children) > 0; p = p.Children[0] {
		depth++
	}
	if depth != 100 || !p.Is("application", "octet-stream") {
		t.Errorf("%d parts deep, the last of type %s/%s", depth, p.Type, p.Subtype)
	}
	p = scanned(t, strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 10_000))
	for depth = 1; len(p.Children) > 0; p = p.Children[0] {
		depth++
	}
	if depth != 100 {
		t.Errorf("%d messages deep", depth)
	}
}

// scanned is scanChecked for what is too large to be read octet by octet.
func scanned(t *testing.T, msg string) *mime.Part {
	t.Helper()
	p := scan(t, msg)
	if err := check(msg, p); err != nil {
		t.Fatal(err)
	}
	if err := checkData(mime.AppendBodyStructure(nil, p, true, false)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestManyParts(t *testing.T) {
	msg := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\nhello\r\n", 100_000) + "--x--\r\n"
	p := scanned(t, msg)
	if n := len(p.Children); n != 9_999 {
		t.Fatalf("%d parts", n)
	}
	if last := p.Children[9_998]; last.Body.End() != int64(len(msg)) {
		t.Errorf("the last one ends at %d of %d", last.Body.End(), len(msg))
	}
}

func TestLongHeader(t *testing.T) {
	long := strings.Repeat("<0123456789@example.org>\r\n ", 400_000)
	msg := "Subject: x\r\nReferences: " + long + "\r\nX-Long: " + strings.Repeat("x", 1<<20) + "\r\nTo: " + strings.Repeat("y", 1<<20) + "\r\nFrom: a@b\r\n\r\nbody"
	p := scanned(t, msg)
	if got := cut(msg, p.Body); got != "body" {
		t.Errorf("the body is %.20q", got)
	}
	if from, _ := p.Envelope.Get(mime.From); from != "a@b" {
		t.Errorf("From is %q", from)
	}
	if refs, _ := p.Envelope.Get(mime.References); len(refs) > 128<<10 || len(refs) < 100<<10 {
		t.Errorf("%d octets of References are kept", len(refs))
	}
}

func TestDelimitersAcrossReads(t *testing.T) {
	// Windows of 64 KB end anywhere in a delimiter.
	for pad := 65400; pad < 65560; pad++ {
		msg := "Content-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\n\r\n" + strings.Repeat("a", pad) + "\r\n--xyz\r\nX: " + strings.Repeat("a", pad) + "\r\n--xyz--\r\n"
		p := scanned(t, msg)
		if len(p.Children) != 2 || p.Children[0].Body.Size != int64(pad) {
			t.Fatalf("%d octets: %d parts, the first of %d octets", pad, len(p.Children), p.Children[0].Body.Size)
		}
	}
}

func TestReadError(t *testing.T) {
	bad := errors.New("bad")
	p, err := mime.Scan(io.MultiReader(strings.NewReader("Subject: x\r\n\r\nbo"), iotest.ErrReader(bad)))
	if !errors.Is(err, bad) || p == nil || p.Body.Size != 2 {
		t.Errorf("Scan returned %v and error %v", p, err)
	}
}

// zeros is a large body.
type zeros struct{ line []byte }

func (z zeros) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], z.line)
	}
	return n, nil
}

func TestConstantMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 1 GB")
	}
	const size = 1 << 30
	head := "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n"
	allocs := testing.AllocsPerRun(1, func() {
		p, err := mime.Scan(io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{bytes.Repeat([]byte("a"), 4096)}, size)))
		if err != nil || p.Body.End() != int64(len(head)+size) {
			t.Fatalf("the body ends at %d; error %v", p.Body.End(), err)
		}
	})
	if allocs > 100 {
		t.Errorf("%v allocations", allocs)
	}
}
