package mime_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func view(t *testing.T, msg string) (mime.Derived, *mime.Part) {
	t.Helper()
	p := scanChecked(t, msg)
	d, ok := mime.View(mime.Encode(p))
	if !ok {
		t.Fatal("View does not read what Encode wrote")
	}
	return d, p
}

// TestDerived wants all that was derived to be what the message itself gives.
func TestDerived(t *testing.T) {
	for _, m := range messages {
		msg := crlf(m.text)
		d, p := view(t, msg)
		for _, utf8 := range []bool{false, true} {
			for what, pair := range map[string][2][]byte{
				"ENVELOPE":      {d.Envelope(utf8), mime.AppendEnvelope(nil, p.Envelope, utf8)},
				"BODY":          {d.Body(utf8), mime.AppendBodyStructure(nil, p, false, utf8)},
				"BODYSTRUCTURE": {d.BodyStructure(utf8), mime.AppendBodyStructure(nil, p, true, utf8)},
			} {
				if !bytes.Equal(pair[0], pair[1]) {
					t.Errorf("%s: %s is\n%s\nwant\n%s", m.name, what, pair[0], pair[1])
				}
			}
		}
		tree, ok := d.Tree()
		if !ok {
			t.Errorf("%s: no tree", m.name)
			continue
		}
		sameTree(t, m.name, tree, p)
		sameFields(t, &d, cut(msg, p.Header))
		text, ok := d.Preview()
		if want, wantOK := p.Preview(); text != want || ok != wantOK {
			t.Errorf("%s: the preview is %q %v, want %q", m.name, text, ok, want)
		}
	}
}

// sameFields wants what was kept of a header to answer as the header does.
func sameFields(t *testing.T, d *mime.Derived, header string) {
	t.Helper()
	for _, f := range []mime.HeaderFilter{
		{Names: []string{"subject", "FROM", "Date"}}, {Names: []string{"Content-Type"}}, {Names: []string{"X-Priority", "list-id", "To", "Cc", "Message-id"}},
	} {
		if !f.IsCommon() {
			t.Errorf("%v are not common", f.Names)
		}
		got, ok := d.AppendFields([]byte("x"), f)
		if want := f.Append([]byte("x"), []byte(header)); ok && !bytes.Equal(got, want) {
			t.Errorf("%v of %q are %q, want %q", f.Names, header, got, want)
		}
	}
}

// TestCommonFields: more than is kept, and what is not kept, must be taken of the header.
func TestCommonFields(t *testing.T) {
	subject := mime.HeaderFilter{Names: []string{"Subject"}}
	for _, tt := range []struct {
		name, msg string
		f         mime.HeaderFilter
		want      string // "": it is not kept
	}{
		{"folded", "subject : a\r\n\tb\r\nX-Other: c\r\nSUBJECT: d\r\n\r\nSubject: e\r\n", subject, "subject : a\r\n\tb\r\nSUBJECT: d\r\n\r\n"},
		{"none", "X: y\r\n\r\n", subject, "\r\n"},
		{"no header", "\r\nSubject: e\r\n", subject, "\r\n"},
		{"no end", "Subject: a", subject, "Subject: a\r\n\r\n"},
		{"not common", "X: y\r\n\r\n", mime.HeaderFilter{Names: []string{"Subject", "X"}}, ""},
		{"all others", "X: y\r\n\r\n", mime.HeaderFilter{Names: []string{"Subject"}, Not: true}, ""},
		{"many", strings.Repeat("To: somebody@example.org\r\n", 200) + "Subject: a\r\n\r\n", subject, ""},
		{"of another part", "Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\n", subject, "\r\n"},
	} {
		d, _ := view(t, tt.msg)
		if got, ok := d.AppendFields(nil, tt.f); ok != (tt.want != "") || ok && string(got) != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, ok, tt.want)
		}
	}
}

func sameTree(t *testing.T, name string, got, want *mime.Part) {
	t.Helper()
	if got.Header != want.Header || got.Body != want.Body || got.Lines != want.Lines || got.HeaderLines != want.HeaderLines ||
		got.Encoding != want.Encoding || got.IsMultipart() != want.IsMultipart() || got.IsMessage() != want.IsMessage() ||
		got.IsText() != want.IsText() || got.IsText() && got.Charset() != want.Charset() || len(got.Children) != len(want.Children) {
		t.Errorf("%s: the tree has %+v, want %+v", name, got, want)
		return
	}
	for i, c := range got.Children {
		sameTree(t, name, c, want.Children[i])
	}
}

func TestDerivedFields(t *testing.T) {
	d, _ := view(t, crlf(`Date: Thu, 15 Feb 2007 01:02:03 +0200
Subject: =?utf-8?q?=C3=A9?= x
From: =?utf-8?q?=C3=89va?= <eva@example.org>, b@c
To: team: x@y;
Cc: carl@example.org
Message-ID: <1@example.org>
In-Reply-To: <0@example.org>
References: <a@b>
 <c@d>

text
`))
	date, ok := d.Date()
	if want := "2007-02-15T01:02:03+02:00"; !ok || date.Format(time.RFC3339) != want {
		t.Errorf("Date is %v %v, want %s", date, ok, want)
	}
	if unix, ok := d.Sent(); !ok || unix != date.Unix() {
		t.Errorf("Sent is %d %v, want %d", unix, ok, date.Unix())
	}
	got := []string{d.Subject(), d.From(), d.To(), d.Cc(), d.DisplayFrom(), d.DisplayTo(), d.MessageID()}
	if want := []string{"=?utf-8?q?=C3=A9?= x", "eva", "team", "carl", "Éva", "team", "1@example.org"}; !slices.Equal(got, want) {
		t.Errorf("fields are %q, want %q", got, want)
	}
	if refs, want := slices.Collect(d.References()), []string{"a@b", "c@d"}; !slices.Equal(refs, want) {
		t.Errorf("References are %q, want %q", refs, want)
	}
}

func TestDerivedReferences(t *testing.T) {
	for _, tt := range []struct {
		header string
		want   []string
	}{
		{"", nil},
		{"In-Reply-To: <a@b> <c@d>\n", []string{"a@b"}}, // RFC 5256 section 3
		{"In-Reply-To: your mail\n", nil},
		{"References: none\nIn-Reply-To: <a@b>\n", []string{"a@b"}},
	} {
		d, _ := view(t, crlf(tt.header+"\n"))
		if got := slices.Collect(d.References()); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.header, got, tt.want)
		}
	}
	d, _ := view(t, "References: <first@x> "+strings.Repeat("<m@x> ", 5000)+"<last@x>\r\n\r\n")
	refs := slices.Collect(d.References())
	if n := len(refs); n > 2000 || refs[0] != "first@x" || refs[n-1] != "last@x" {
		t.Errorf("%d of many references are kept, from %q to %q", n, refs[0], refs[n-1])
	}
}

func TestDerivedDamaged(t *testing.T) {
	good := mime.Encode(scan(t, ordinary()))
	for i := range good {
		if _, ok := mime.View(good[:i]); ok {
			t.Fatalf("cut to %d octets it is read", i)
		}
	}
	if _, ok := mime.View(append(slices.Clone(good), 0)); ok {
		t.Error("with an octet more it is read")
	}
	other := slices.Clone(good)
	other[0]++
	if _, ok := mime.View(other); ok {
		t.Error("another version is read")
	}
}

func TestDerivedSize(t *testing.T) {
	if n := len(mime.Encode(scan(t, ordinary()))); n > 2000 {
		t.Errorf("an ordinary message takes %d octets", n)
	}
}

func TestDerivedWithoutAllocation(t *testing.T) {
	b := mime.Encode(scan(t, ordinary()))
	n := testing.AllocsPerRun(100, func() {
		if d, ok := mime.View(b); !ok || len(d.Envelope(true)) == 0 || len(d.Subject()) == 0 {
			t.Fatal("no ENVELOPE")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
