package mime_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// mbox reads the messages of a script of imaptest, in CRLF.
func mbox(t *testing.T, name string) (msgs []string) {
	t.Helper()
	b, err := os.ReadFile(vectors(t, "imap/"+name+".mbox"))
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range regexp.MustCompile(`(?m)^From .*\n`).Split(string(b), -1) {
		if i > 0 {
			msgs = append(msgs, crlf(m))
		}
	}
	return msgs
}

func script(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(vectors(t, "imap/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestImaptestSections runs the sections of the scripts fetch-body*, whose results are
// those of Dovecot.
func TestImaptestSections(t *testing.T) {
	// * 1 fetch (body[1.header.fields (from)] {{{ … }}})
	reply := regexp.MustCompile(`(?m)^[*] (\d+) fetch \(.*?body\[([0-9.]*)([a-z.]*)(?: \(([^)]*)\))?\] \{\{\{\n((?s:.*?))\n\}\}\}\)`)
	for _, name := range []string{"fetch-body", "fetch-body-mime", "fetch-body-message-rfc822", "fetch-body-message-rfc822-x2", "fetch-body-message-rfc822-mime"} {
		msgs := mbox(t, name)
		done := 0
		for _, m := range reply.FindAllStringSubmatch(strings.ReplaceAll(script(t, name), ".MIME", ".mime"), -1) {
			n, _ := strconv.Atoi(m[1])
			text := strings.ToLower(strings.Trim(m[3], "."))
			got, ok := section(t, msgs[n-1], strings.Trim(m[2], "."), text, strings.Fields(m[4]))
			if want := crlf(m[5]); !ok || got != want {
				t.Errorf("%s: BODY[%s%s %s] is\n%q\nwant\n%q", name, m[2], text, m[4], got, want)
			}
			done++
		}
		if done < 5 {
			t.Errorf("%s: %d replies found", name, done)
		}
	}
}

func section(t *testing.T, msg, numbers, text string, fields []string) (string, bool) {
	t.Helper()
	var path []int
	for _, s := range strings.FieldsFunc(numbers, func(r rune) bool { return r == '.' }) {
		n, _ := strconv.Atoi(s)
		path = append(path, n)
	}
	kind := map[string]mime.Text{"": mime.All, "header": mime.Header, "text": mime.Body, "mime": mime.MIME,
		"header.fields": mime.Header, "header.fields.not": mime.Header}[text]
	r, ok := scanChecked(t, msg).Section(path, kind)
	if !ok {
		return "", false
	}
	got := cut(msg, r)
	if strings.HasPrefix(text, "header.fields") {
		f := mime.HeaderFilter{Names: fields, Not: text == "header.fields.not"}
		got = string(f.Append(nil, []byte(got)))
	}
	return got, true
}

func TestImaptestData(t *testing.T) {
	for name, render := range map[string]func(*mime.Part) []byte{
		"fetch-envelope":      func(p *mime.Part) []byte { return mime.AppendEnvelope(nil, p.Envelope, false) },
		"fetch-bodystructure": func(p *mime.Part) []byte { return mime.AppendBodyStructure(nil, p, false, false) },
	} {
		msgs := mbox(t, name)
		replies := regexp.MustCompile(`(?m)^[*] (\d+) FETCH \([A-Z]+ (.*)\)$`).FindAllStringSubmatch(script(t, name), -1)
		if len(replies) != len(msgs) {
			t.Errorf("%s: %d replies for %d messages", name, len(replies), len(msgs))
		}
		for i, m := range replies {
			if got := string(render(scanChecked(t, msgs[i]))); !strings.EqualFold(got, m[2]) {
				t.Errorf("%s: message %d is\n%s\nwant\n%s", name, i+1, got, m[2])
			}
		}
	}
}

// TestMessagesOfOthers scans the messages of mail-parser. Their trees are told by the
// offsets where parts begin; where that has no multipart, ours may have one.
func TestMessagesOfOthers(t *testing.T) {
	dir := vectors(t, "mime/rfc")
	for i := range 10 {
		b, err := os.ReadFile(fmt.Sprintf("%s/%03d.eml", dir, i))
		if err != nil {
			t.Fatal(err)
		}
		msg := crlf(strings.ReplaceAll(string(b), "\r\n", "\n"))
		p := scanChecked(t, msg)
		if err := checkData(mime.AppendBodyStructure(nil, p, true, false)); err != nil {
			t.Error(err)
		}
	}
}
