package imap

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

// FuzzFetch: the items that are parsed are few, and each section is answered under a name
// that asks for the same.
func FuzzFetch(f *testing.F) {
	for _, s := range []string{
		"FULL", "(FLAGS UID body)", "BODY.PEEK[]<0.1>", "BODY[1.2.MIME]", "(RFC822.TEXT PREVIEW (LAZY) BINARY.SIZE[3])",
		"BODY[3.HEADER.FIELDS (Subject \"a b\" {2+}\r\nx))]<5.4294967295>", "BODY[4.2.HEADER.FIELDS.NOT (\"\")]", "BINARY[1.1]<1.9>", "BODY[1.]", "BINARY[01]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := wire.NewParser([]byte(text))
		items := parseItems(p)
		if p.End() != nil {
			return
		}
		if len(items) == 0 || len(items) > maxItems {
			t.Fatalf("%d items", len(items))
		}
		for _, it := range items {
			sec := it.section
			if sec == nil {
				continue
			}
			asked := strings.ReplaceAll(strings.ToUpper(text), ".PEEK[", "[")
			if sec.filter == nil && !strings.Contains(asked, sec.label) {
				t.Errorf("%q is answered by %q", text, sec.label)
			}
			p := wire.NewParser([]byte(sec.label))
			again := parseItems(p)
			if err := p.End(); err != nil || len(again) != 1 || again[0].section == nil || again[0].section.label != sec.label {
				t.Errorf("%q is answered by %q, which is read as %v, %v", text, sec.label, again, err)
			}
			if from, n := sec.cut(10); from < 0 || n < 0 || from+n > 10 {
				t.Errorf("%q takes %d from %d of 10", text, n, from)
			}
		}
	})
}
