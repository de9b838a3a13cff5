package mime_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func TestSection(t *testing.T) {
	msg := crlf("Subject: s\nContent-Type: multipart/mixed; boundary=x\n\n--x\nX: 1\n\none\n--x\nContent-Type: message/rfc822\n\nSubject: in\n\ntwo\n--x--\n")
	p := scanChecked(t, msg)
	for _, tt := range []struct {
		path []int
		text mime.Text
		want string
		ok   bool
	}{
		{nil, mime.All, msg, true},
		{nil, mime.Header, msg[:strings.Index(msg, "--x")], true},
		{nil, mime.Body, msg[strings.Index(msg, "--x"):], true},
		{nil, mime.MIME, "", false},
		{[]int{1}, mime.All, "one", true},
		{[]int{1}, mime.MIME, "X: 1\r\n\r\n", true},
		{[]int{1}, mime.Header, "", false}, // no message/rfc822
		{[]int{1}, mime.Body, "", false},
		{[]int{1, 1}, mime.All, "", false},
		{[]int{2}, mime.All, "Subject: in\r\n\r\ntwo", true},
		{[]int{2}, mime.MIME, "Content-Type: message/rfc822\r\n\r\n", true},
		{[]int{2}, mime.Header, "Subject: in\r\n\r\n", true},
		{[]int{2}, mime.Body, "two", true},
		{[]int{2, 1}, mime.All, "two", true},
		{[]int{2, 2}, mime.All, "", false},
		{[]int{3}, mime.All, "", false},
		{[]int{0}, mime.All, "", false},
		{[]int{-1}, mime.All, "", false},
	} {
		r, ok := p.Section(tt.path, tt.text)
		if got := cut(msg, r); got != tt.want || ok != tt.ok {
			t.Errorf("%v %d: %q %v, want %q %v", tt.path, tt.text, got, ok, tt.want, tt.ok)
		}
	}
	if r, ok := scan(t, "\r\nx").Section([]int{1}, mime.All); !ok || r != (mime.Range{Offset: 2, Size: 1}) {
		t.Errorf("part 1 of a text is %v %v", r, ok)
	}
}

func TestHeaderFilter(t *testing.T) {
	const header = "From: a\r\nno colon\r\nX: 1\r\n 2\r\nfrom : b\r\n\r\n"
	for _, tt := range []struct {
		header string
		names  []string
		not    bool
		want   string
	}{
		{header, []string{"FROM"}, false, "From: a\r\nfrom : b\r\n\r\n"},
		{header, []string{"x", "y"}, false, "X: 1\r\n 2\r\n\r\n"},
		{header, []string{"from"}, true, "no colon\r\nX: 1\r\n 2\r\n\r\n"},
		{header, []string{"no colon"}, false, "\r\n"},
		{header, nil, true, header},
		{header, nil, false, "\r\n"},
		{"", []string{"x"}, true, "\r\n"},
		{"From: a", []string{"from"}, false, "From: a\r\n\r\n"}, // no end
		{"From: a\r\n", []string{"from"}, false, "From: a\r\n\r\n"},
		{"From: a\r\nX: b", []string{"from"}, false, "From: a\r\n\r\n"},
		{" folded\r\nX: y\r\n\r\n", []string{"x"}, false, "X: y\r\n\r\n"},
		{" folded\r\nX: y\r\n\r\n", []string{"x"}, true, " folded\r\n\r\n"},
		{"X: y\r\n\r\nX: body", []string{"x"}, false, "X: y\r\n\r\n"},
	} {
		f := mime.HeaderFilter{Names: tt.names, Not: tt.not}
		if got := string(f.Append([]byte("*"), []byte(tt.header))); got != "*"+tt.want {
			t.Errorf("%v of %q: %q, want %q", f, tt.header, got, tt.want)
		}
		var b bytes.Buffer
		n, err := f.Copy(&b, iotest.OneByteReader(strings.NewReader(tt.header)))
		if err != nil || b.String() != tt.want || n != int64(len(tt.want)) {
			t.Errorf("%v of %q: Copy wrote %q, says %d, error %v", f, tt.header, b.String(), n, err)
		}
	}
}

func TestHeaderFilterLarge(t *testing.T) {
	const lines = 100_000
	header := strings.Repeat("X-Long: "+strings.Repeat("x", 100)+"\r\nY: "+strings.Repeat("y", 10)+"\r\n", lines) +
		"Z: " + strings.Repeat("z", 1<<20) + "\r\n\r\n"
	f := mime.HeaderFilter{Names: []string{"y", "z"}}
	n, err := f.Copy(io.Discard, strings.NewReader(header))
	if want := int64(lines*15 + 1<<20 + 7); err != nil || n != want || len(f.Append(nil, []byte(header))) != int(want) {
		t.Errorf("Copy wrote %d octets, want %d; error %v", n, want, err)
	}
}
