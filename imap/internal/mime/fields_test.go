package mime_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func TestFields(t *testing.T) {
	const header = " fir:st\r\nFrom: a\r\nno colon\r\n folded: x\r\nX : 1\r\n\t2 \r\n: y\r\nEmpty:\r\n\r\nBody: x\r\n"
	var got []string
	for name, value := range mime.Fields([]byte(header)) {
		got = append(got, name+"="+value)
	}
	if want := []string{"From=a", "X=1\t2", "Empty="}; !slices.Equal(got, want) {
		t.Errorf("fields are %q, want %q", got, want)
	}
	for range mime.Fields([]byte("\r\n")) {
		t.Error("an empty header has a field")
	}
}

func TestAddressText(t *testing.T) {
	for _, tt := range []struct{ list, want string }{
		{"a@b", "a@b"},
		{"=?utf-8?q?=C3=89va?= <eva@b>, <@r:c@d>", "Éva <eva@b>, c@d"},
		{"g: a@b, C <c@d>;, e@f", "g: a@b, C <c@d>;, e@f"},
		{"g:;", "g: ;"},
		{"\"q w\" (c) < x . y @ z >", "q w <x.y@z>"},
		{"foo", "foo"},
		{"", ""},
	} {
		if got := mime.AddressText(tt.list); got != tt.want {
			t.Errorf("%q is %q, want %q", tt.list, got, tt.want)
		}
	}
}

// TestImaptestAddresses runs the searches of imaptest's search-addresses.
func TestImaptestAddresses(t *testing.T) {
	msgs := mbox(t, "search-addresses")
	searches := regexp.MustCompile(`(?m)^ok search (from|to|cc|bcc) (\S+)\n[*] search(.*)$`).FindAllStringSubmatch(script(t, "search-addresses"), -1)
	if len(searches) < 20 {
		t.Fatalf("%d searches found", len(searches))
	}
	for _, s := range searches {
		m := mime.NewMatcher(s[2])
		found := ""
		for i, msg := range msgs {
			for name, value := range mime.Fields([]byte(msg)) {
				if strings.EqualFold(name, s[1]) && m.MatchString(mime.AddressText(value)) {
					found += " " + strconv.Itoa(i+1)
				}
			}
		}
		if found != s[3] {
			t.Errorf("%s %s finds%s, want%s", s[1], s[2], found, s[3])
		}
	}
}

func TestParts(t *testing.T) {
	p := scan(t, crlf("Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\nA: b\n\n--x\nContent-Type: image/gif\n\n--x--\n"))
	var got []string
	for part := range p.Parts() {
		got = append(got, part.Subtype)
	}
	if want := []string{"mixed", "rfc822", "plain", "gif"}; !slices.Equal(got, want) {
		t.Errorf("parts are %q, want %q", got, want)
	}
	for range p.Parts() {
		break
	}
}
