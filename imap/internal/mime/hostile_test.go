package mime_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// TestHostileValues has values that take long if anything is done twice with each
// octet: the test ends only if nothing is.
func TestHostileValues(t *testing.T) {
	for _, piece := range []string{"<", ">", "@", ":", ";", ",", "(", ")", "\"", "\\", "[", "a", " ", ".", "a ", "a,", "a@", "<@", "\"a\"", "a(b)", "<a@b>",
		"a:", "é ", "é=?", "=?", "=?utf-8?q?a?= ", "=?x?q?a?=", "=?gb18030?b?a?=", "=", "%", ";a=b", ";a*0=b", "a/", "<a", "x@y<"} {
		value := strings.Repeat(piece, 20_000/len(piece))
		msg := fmt.Sprintf("To: %[1]s\r\nSubject: %[1]s\r\nDate: %[1]s\r\nReferences: %[1]s\r\nContent-Type: text/plain; name=%[1]s\r\n"+
			"Content-Disposition: %[1]s\r\nContent-Language: %[1]s\r\nContent-Description: %[1]s\r\n\r\n", value)
		p := scan(t, msg)
		if err := check(msg, p); err != nil {
			t.Errorf("%q: %v", piece, err)
		}
		if _, ok := mime.View(mime.Encode(p)); !ok {
			t.Errorf("%q cannot be encoded", piece)
		}
		for _, utf8 := range []bool{false, true} {
			if err := checkData(mime.AppendBodyStructure(mime.AppendEnvelope([]byte("("), p.Envelope, utf8), p, true, utf8)[1:]); err == nil {
				t.Errorf("%q: two lists are one", piece) // keeps checkData honest
			}
			if err := checkData(mime.AppendEnvelope(nil, p.Envelope, utf8)); err != nil {
				t.Errorf("%q: %v", piece, err)
			}
			if err := checkData(mime.AppendBodyStructure(nil, p, true, utf8)); err != nil {
				t.Errorf("%q: %v", piece, err)
			}
		}
		subject, _ := p.Envelope.Get(mime.Subject)
		if !validUTF8(mime.DecodeHeader(subject)) {
			t.Errorf("%q is decoded to what is no UTF-8", piece)
		}
	}
}

func TestFieldsWithoutEnd(t *testing.T) {
	msg := strings.Repeat("To: a@b\r\n", 1_000_000) + "Subject: x\r\n\r\n"
	p := scanned(t, msg)
	to, _ := p.Envelope.Get(mime.To)
	if n := strings.Count(to, "@"); n != 1001 {
		t.Errorf("%d addresses are kept", n)
	}
	if s, _ := p.Envelope.Get(mime.Subject); s != "x" {
		t.Errorf("the subject is %q", s)
	}
}

func TestManyTypedParts(t *testing.T) {
	part := "--x\r\nContent-Type: application/pdf; name=\"a document with a name.pdf\"\r\nContent-Disposition: attachment; filename=\"a document with a name.pdf\"\r\n" +
		"Content-Transfer-Encoding: base64\r\nContent-ID: <0123456789@example.org>\r\n\r\nabcd\r\n"
	p := scanned(t, "Content-Type: multipart/mixed; boundary=x\r\n\r\n"+strings.Repeat(part, 9_000)+"--x--\r\n")
	if last := p.Children[len(p.Children)-1]; len(p.Children) != 9_000 || !last.Is("application", "pdf") || last.ID == "" {
		t.Errorf("%d parts, the last is %s/%s", len(p.Children), last.Type, last.Subtype)
	}
}

func TestDashesWithoutEnd(t *testing.T) {
	var head strings.Builder
	for i := range 98 {
		fmt.Fprintf(&head, "Content-Type: multipart/mixed; boundary=a%02d\r\n\r\n--a%02d\r\n", i, i)
	}
	for _, line := range []string{"--\r\n", "-", "--a", "-\r\n", "\r\n", "\n--a\r"} {
		scanned(t, head.String()+"\r\n"+strings.Repeat(line, 1<<18/len(line)))
	}
}
