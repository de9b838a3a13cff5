package mime_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

var pages = []struct{ in, want string }{
	{"<p>Hello <b>w</b>orld</p><p>two</p>", "Hello world two"},
	{"<html><head><title>t</title><style>p{}</style></head><body>x</body>", "x"},
	{"a &amp; b &lt;c&gt; &eacute;&#233;&#xe9; &nbsp; &bogus; &", "a & b <c> ééé &bogus; &"},
	{"a<!-- <b>no</b> -->b", "ab"},
	{"<script>if (a < b) {}</script>x<SCRIPT>y</script >z", "xz"},
	{"1 < 2 <3", "1 < 2 <3"},
	{`<a title="a > b">x</a>`, "x"},
	{"<p", ""},
	{"<style>never closed", ""},
}

func TestPreviewOfHTML(t *testing.T) {
	for _, h := range pages {
		if got, _ := scan(t, "Content-Type: text/html; charset=utf-8\r\n\r\n"+h.in).Preview(); got != h.want {
			t.Errorf("%q is %q, want %q", h.in, got, h.want)
		}
	}
}

func TestPreview(t *testing.T) {
	long := strings.Repeat("é", 300)
	for _, tt := range []struct {
		name, msg, want string
		ok              bool
	}{
		{"text", "\na\n\n  b\tc\n", "a b c", true},
		{"empty", "", "", true},
		{"no text", "Content-Type: image/png\n\nabc", "", true},
		{"long", "Content-Type: text/plain; charset=utf-8\n\n" + long, strings.Repeat("é", 200), true},
		{"quoted-printable", "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9 =\nx", "café x", true},
		{"base64", "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nw6k=\n", "é", true},
		{"unknown encoding", "Content-Transfer-Encoding: x-uue\n\nabc", "abc", true},
		{"mislabelled", "\ncaf\xe9", "café", true},
		{"plain before html", "Content-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/html\n\n<p>h\n--x\n\np\n--x--\n", "p", true},
		{"html alone", "Content-Type: multipart/mixed; boundary=x\n\npre\n--x\nContent-Type: text/html\n\n<p>h\n--x\nContent-Type: image/gif\n\np\n--x--\npost", "h", true},
		{"attachment", "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Disposition: attachment\n\nh\n--x\n\np\n--x--\n", "p", true},
		{"much before the text", "Content-Type: text/html\n\n<style>" + strings.Repeat("x", 20_000) + "</style>h", "", false},
	} {
		msg := crlf(tt.msg)
		p := scan(t, msg)
		if got, ok := p.Preview(); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %q %v, want %q %v", tt.name, got, ok, tt.want, tt.ok)
		}
		part := p.PreviewPart()
		if part == nil {
			continue
		}
		got, err := mime.ReadPreview(strings.NewReader(cut(msg, part.Body)), part)
		if want := orElse(tt.want, "h"); err != nil || got != want && tt.want+got != "" {
			t.Errorf("%s: ReadPreview returned %q, want %q; error %v", tt.name, got, want, err)
		}
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
