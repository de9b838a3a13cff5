package mime_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func FuzzScan(f *testing.F) {
	for _, m := range messages {
		f.Add(crlf(m.text))
	}
	f.Fuzz(func(t *testing.T, msg string) {
		p := scanChecked(t, msg)
		for _, utf8 := range []bool{false, true} {
			if err := checkData(mime.AppendBodyStructure(nil, p, true, utf8)); err != nil {
				t.Fatal(err)
			}
			if err := checkData(mime.AppendEnvelope(nil, p.Envelope, utf8)); err != nil {
				t.Fatal(err)
			}
		}
		small, err := mime.Scanner{MaxDepth: 2, MaxParts: 3, MaxValue: 10}.Scan(strings.NewReader(msg))
		if err != nil {
			t.Fatal(err)
		}
		if err := check(msg, small); err != nil {
			t.Fatal(err)
		}
		filters(t, cut(msg, p.Header))
		d, ok := mime.View(mime.Encode(p))
		if !ok {
			t.Fatal("Encode wrote what View does not read")
		}
		sameFields(t, &d, cut(msg, p.Header))
		tree, ok := d.Tree()
		if !ok {
			t.Fatal("Encode wrote a tree that Tree does not read")
		}
		if err := check(msg, tree); err != nil {
			t.Fatal(err)
		}
	})
}

// filters wants the fields of a header and those of its two halves to be the same.
func filters(t *testing.T, header string) {
	t.Helper()
	f := mime.HeaderFilter{Names: []string{"subject"}}
	with := f.Append(nil, []byte(header))
	f.Not = true
	without := f.Append(nil, []byte(header))
	if n := len(with) + len(without); n < len(header) || n > len(header)+6 {
		t.Fatalf("%q with and %q without are not %q", with, without, header)
	}
	var b bytes.Buffer
	if _, err := f.Copy(&b, &slowReader{header, 7}); err != nil || b.String() != string(without) {
		t.Fatalf("Copy wrote %q, want %q; error %v", b.String(), without, err)
	}
	for name, value := range mime.Fields([]byte(header)) {
		if name == "" || strings.ContainsAny(name+value, "\n") {
			t.Fatalf("field %q has value %q", name, value)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, a := range addresses {
		f.Add(a.list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		depth := 0
		mime.Addresses(list, func(a *mime.Address) bool {
			switch a.Kind {
			case mime.GroupStart:
				depth++
			case mime.GroupEnd:
				depth--
			}
			if depth < 0 || depth > 1 {
				t.Fatalf("groups in groups")
			}
			return true
		})
		if depth != 0 {
			t.Fatal("a group has no end")
		}
		// A letter that is in no comment and no quoting is in the result.
		if strings.ContainsAny(list, "()\"\\[]") {
			return
		}
		var all strings.Builder
		mime.Addresses(list, func(a *mime.Address) bool {
			all.WriteString(a.Name + a.Route + a.Mailbox + a.Host)
			return true
		})
		for _, r := range list {
			if 'a' <= r && r <= 'z' && strings.Count(list, string(r)) != strings.Count(all.String(), string(r)) {
				t.Fatalf("%q has %q another time than %q", all.String(), r, list)
			}
		}
	})
}

func FuzzView(f *testing.F) {
	for _, m := range messages {
		f.Add(mime.Encode(scan(f, crlf(m.text))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok := mime.View(b)
		if !ok {
			return
		}
		for _, utf8 := range []bool{false, true} {
			_, _, _ = d.Envelope(utf8), d.Body(utf8), d.BodyStructure(utf8)
		}
		_, _, _, _, _ = d.Subject(), d.From(), d.To(), d.Cc(), d.MessageID()
		_, _ = d.DisplayFrom(), d.DisplayTo()
		d.Date()
		d.Preview()
		for range d.References() {
		}
		if p, ok := d.Tree(); ok {
			p.Section([]int{1, 1}, mime.Header)
			p.Preview()
		}
	})
}

func FuzzDecodeHeader(f *testing.F) {
	for _, w := range words {
		f.Add(w.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := mime.DecodeHeader(s)
		if !validUTF8(got) {
			t.Fatalf("%q is no UTF-8", got)
		}
		if !strings.Contains(s, "=?") && validUTF8(s) && got != s {
			t.Fatalf("%q became %q", s, got)
		}
		// What goes out as encoded words is read as what it was.
		if validUTF8(s) && !strings.Contains(s, "=?") && !strings.ContainsAny(s, "\r\n\x00") {
			sent := envelopeOf(t, "Subject: "+s+"\r\n\r\n")
			if back := mime.DecodeHeader(sent); back != strings.Trim(s, " \t\r") && len(s) < 1000 && printable(s) {
				t.Fatalf("%q went out as %q and came back as %q", s, sent, back)
			}
		}
	})
}

func FuzzHTML(f *testing.F) {
	for _, h := range pages {
		f.Add(h.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := scan(t, "Content-Type: text/html; charset=utf-8\r\n\r\n"+s)
		text, _ := p.Preview()
		if n := len([]rune(text)); n > 200 || !validUTF8(text) || strings.ContainsAny(text, "\r\n\x00") {
			t.Fatalf("the preview has %d characters: %q", n, text)
		}
	})
}

func FuzzBinary(f *testing.F) {
	f.Add("=C3=A9=\r\n \t \r\n= x=4", 3)
	f.Add("YWJjZA==YWI=", 2)
	f.Fuzz(func(t *testing.T, s string, n int) {
		for _, enc := range []string{"base64", "quoted-printable"} {
			whole := decoded(t, strings.NewReader(s), enc)
			pieces := decoded(t, &slowReader{s, n&15 + 1}, enc)
			if !bytes.Equal(whole, pieces) {
				t.Fatalf("%s: %q at once, %q in pieces", enc, whole, pieces)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("k", "20 \u212a")
	f.Add("é\u017f", "ÉS")
	f.Fuzz(func(t *testing.T, needle, text string) {
		if !validUTF8(needle) || len(needle) > 100 {
			return
		}
		m := mime.NewMatcher(needle)
		at := len(text) / 2
		if !m.MatchString(text[:at] + needle + text[at:]) {
			t.Fatalf("%q is not found in %q", needle, text[:at]+needle+text[at:])
		}
		found, err := m.Match(&slowReader{text, 3})
		if err != nil || found != m.MatchString(text) {
			t.Fatalf("found %v in a stream, %v in the same string", found, !found)
		}
	})
}

func FuzzParseDate(f *testing.F) {
	f.Add("Thu, 13 Feb 1969 23:32:54 -0330 (Newfoundland Time)")
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := mime.ParseDate(s); ok && (d.Year() < 1899 || d.Year() > 10_000) {
			t.Fatalf("%q is in %d", s, d.Year())
		}
	})
}
