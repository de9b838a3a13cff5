package mime_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// crlf writes LF as CRLF, so that messages in tests can be read.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func scan(t testing.TB, msg string) *mime.Part {
	t.Helper()
	p, err := mime.Scan(strings.NewReader(msg))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func cut(msg string, r mime.Range) string { return msg[r.Offset:r.End()] }

// check wants the sizes of a tree to be right: within the message, within each other,
// in order, with as many lines as there are.
func check(msg string, p *mime.Part) error {
	if p.Header.Offset != 0 || p.Body.End() != int64(len(msg)) {
		return fmt.Errorf("the message is %v and %v of %d octets", p.Header, p.Body, len(msg))
	}
	return checkPart(msg, p)
}

func checkPart(msg string, p *mime.Part) error {
	if p.Header.Size < 0 || p.Body.Size < 0 || p.Header.End() != p.Body.Offset || p.Body.End() > int64(len(msg)) {
		return fmt.Errorf("header %v, body %v", p.Header, p.Body)
	}
	if got, want := p.Lines, int64(strings.Count(cut(msg, p.Body), "\n")); got != want {
		return fmt.Errorf("body %v has %d lines, want %d", p.Body, got, want)
	}
	if got, want := p.HeaderLines, int64(strings.Count(cut(msg, p.Header), "\n")); got != want {
		return fmt.Errorf("header %v has %d lines, want %d", p.Header, got, want)
	}
	switch n := len(p.Children); {
	case p.IsMessage():
		c := p.Children[0]
		if n != 1 || c.Envelope == nil || c.Header.Offset != p.Body.Offset || c.Body.End() != p.Body.End() {
			return fmt.Errorf("message/rfc822 %v has %d children, the first %v and %v", p.Body, n, c.Header, c.Body)
		}
	case p.IsMultipart() == (n == 0):
		return fmt.Errorf("%s/%s with %d children", p.Type, p.Subtype, n)
	}
	at := p.Body.Offset
	for _, c := range p.Children {
		if c.Header.Offset < at || c.Body.End() > p.Body.End() {
			return fmt.Errorf("part at %d to %d, want it from %d and in %v", c.Header.Offset, c.Body.End(), at, p.Body)
		}
		at = c.Body.End()
		if err := checkPart(msg, c); err != nil {
			return err
		}
	}
	return nil
}

// scanChecked scans a message in several ways, and wants the same of all.
func scanChecked(t testing.TB, msg string) *mime.Part {
	t.Helper()
	p := scan(t, msg)
	if err := check(msg, p); err != nil {
		t.Fatalf("%v\n%q", err, msg[:min(len(msg), 2000)])
	}
	want := mime.AppendBodyStructure(nil, p, true, false)
	q, err := mime.Scan(iotest.OneByteReader(strings.NewReader(msg)))
	if err != nil {
		t.Fatal(err)
	}
	if got := mime.AppendBodyStructure(nil, q, true, false); !bytes.Equal(got, want) {
		t.Fatalf("octet by octet it is\n%s\nand at once\n%s", got, want)
	}
	return p
}

// vectors finds the third-party data beside the module.
func vectors(t testing.TB, name string) string {
	t.Helper()
	name = filepath.Join("../../../../shared/vectors", name)
	if _, err := os.Stat(name); err != nil {
		t.Skip("the third-party vectors are not here: ../shared/vectors")
	}
	return name
}
