package smtp_test

import (
	"context"
	"errors"
	"io"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// fixUp is msg as FixUp passes it on.
func fixUp(t testing.TB, from mailparts.Address, msg io.Reader) (string, error) {
	t.Helper()
	var got []byte
	err := smtp.FixUp(mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) (err error) {
		got, err = io.ReadAll(msg)
		return err
	})).Deliver(t.Context(), &mailparts.Envelope{From: from}, msg)
	return string(got), err
}

var (
	newDate = regexp.MustCompile(`(?m)^Date: ([^\r]+)\r\n`)
	newID   = regexp.MustCompile(`(?m)^Message-ID: <([0-9A-Z]{26})@([^>\r]+)>\r\n`)
)

func TestFixUp(t *testing.T) {
	const (
		date = "Date: Mon, 17 Aug 2026 12:00:00 +0000\r\n"
		id   = "Message-ID: <1@example.org>\r\n"
		both = "Date: +\r\nMessage-ID: <+>\r\n"

		trace = "Received: from a\r\n\tby b;\r\n\tMon, 17 Aug 2026 12:00:00 +0000\r\n"
	)
	long := strings.Repeat("a very long line ", 1000)
	tests := []struct{ name, msg, want string }{
		{"nothing to do", date + id + "Subject: hi\r\n\r\nDate?\r\n", date + id + "Subject: hi\r\n\r\nDate?\r\n"},
		{"both missing", "Subject: hi\r\n\r\nhello\r\n", "Subject: hi\r\n" + both + "\r\nhello\r\n"},
		{"Date missing", id + "\r\nhello\r\n", id + "Date: +\r\n\r\nhello\r\n"},
		{"Message-ID missing", date + "\r\nhello\r\n", date + "Message-ID: <+>\r\n\r\nhello\r\n"},
		{"any case", "dATE: x\r\nMESSAGE-id: y\r\n\r\n", "dATE: x\r\nMESSAGE-id: y\r\n\r\n"},
		{"a space before the colon", "Date : x\r\nMessage-ID\t: y\r\n\r\n", "Date : x\r\nMessage-ID\t: y\r\n\r\n"},
		{"in the body only", "A: b\r\n\r\n" + date + id, "A: b\r\n" + both + "\r\n" + date + id},
		{"in a folded line only", "A: b\r\n Date: x\r\n\r\n", "A: b\r\n Date: x\r\n" + both + "\r\n"},
		{"a name that begins alike", date + id + "Bcc-Note: x\r\nDate-X: y\r\n\r\n", date + id + "Bcc-Note: x\r\nDate-X: y\r\n\r\n"},

		{"Bcc", date + "Bcc: x@example.com\r\n" + id + "\r\nBcc: y\r\n", date + id + "\r\nBcc: y\r\n"},
		{"Bcc of many lines", date + "BCC : x,\r\n\ty,\r\n z\r\n" + id + "bcc:\r\n\r\n", date + id + "\r\n"},
		{"Resent-Bcc", date + id + "Resent-Bcc: x\r\n\r\n", date + id + "\r\n"},
		{"Bcc first", "Bcc: x\r\n " + long + "\r\n" + date + id + "\r\n", date + id + "\r\n"},
		{"Bcc alone", "Bcc: x\r\n\r\nhello\r\n", both + "\r\nhello\r\n"},
		{"Bcc longer than any buffer", date + "Bcc: " + long + long + "\r\n" + id + "\r\n", date + id + "\r\n"},
		{"a field longer than any buffer", date + id + "X: " + long + "\r\n\r\n", date + id + "X: " + long + "\r\n\r\n"},
		{"a fold longer than any buffer", date + id + "X:\r\n " + long + "\r\n\r\n", date + id + "X:\r\n " + long + "\r\n\r\n"},

		{"no header", "\r\nhello\r\n", both + "\r\nhello\r\n"},
		{"no header and no separator", "hello\r\nworld\r\n", both + "\r\nhello\r\nworld\r\n"},
		{"no separator", "Subject: hi\r\nhello\r\nworld\r\n", "Subject: hi\r\nhello\r\nworld\r\n" + both},
		{"no field among fields", date + "S\u00fcb: x\r\n" + id + "Bcc: x\r\n\r\nBcc: y\r\n", date + "S\u00fcb: x\r\n" + id + "\r\nBcc: y\r\n"},
		{"no field and no end", "Subject: hi\r\nhello", "Subject: hi\r\nhello\r\n" + both},
		{"no field after Bcc", date + id + "Bcc: x\r\nhello\r\n world\r\n\r\n", date + id + "hello\r\n world\r\n\r\n"},
		{"no field, and Bcc after it", date + "hello\r\n\tworld\r\nBcc: x\r\n y\r\n" + id + "\r\n", date + "hello\r\n\tworld\r\n" + id + "\r\n"},
		{"no field, longer than any buffer", date + "Bcc: x\r\n" + long + "\r\n" + id + "\r\n", date + long + "\r\n" + id + "\r\n"},
		{"a line of mbox among fields", date + ">From a@example.org\r\n" + id + "Bcc: x\r\n\r\n", date + ">From a@example.org\r\n" + id + "\r\n"},
		{"a space first", " hello: x\r\n", both + "\r\n hello: x\r\n"},
		{"a colon first", ": x\r\n", both + "\r\n: x\r\n"},
		{"8 bits in a name", "X\xff: x\r\n", both + "\r\nX\xff: x\r\n"},
		{"a line of mbox", "From a@example.org Mon Aug 17 12:00:00 2026\r\n" + date + "Bcc: x\r\n" + id + "\r\nhello\r\n", date + id + "\r\nhello\r\n"},
		{"a quoted line of mbox", ">From a@example.org\r\n" + date + "Bcc: x\r\n" + id + "\r\n", date + id + "\r\n"},
		{"a line of mbox with a colon", "From a@example.org Mon Aug 17 12:00\r\n" + date + id + "\r\n", date + id + "\r\n"},
		{"a line of mbox longer than any buffer", "From " + long + "Date: x\r\n" + date + id + "\r\n", date + id + "\r\n"},
		{"a line of mbox before no header", "From a@example.org\r\nhello\r\n", both + "\r\nhello\r\n"},
		{"a line of mbox before a space", "From a@example.org\r\n hello\r\n", both + "\r\n hello\r\n"},
		{"two lines of mbox", "From a\r\nFrom b\r\n", both + "\r\nFrom b\r\n"},
		{"a line of mbox alone", "From a@example.org", both},
		{"From is no line of mbox", "From: a@example.org\r\n" + date + id + "\r\n", "From: a@example.org\r\n" + date + id + "\r\n"},
		{"nor is From and a space", "From : a@example.org\r\n" + date + id + "\r\n", "From : a@example.org\r\n" + date + id + "\r\n"},
		{"no body", "Subject: hi\r\n", "Subject: hi\r\n" + both},
		{"no end", "Subject: hi", "Subject: hi\r\n" + both},
		{"no end of Bcc", "Subject: hi\r\nBcc: x", "Subject: hi\r\n" + both},
		{"nothing", "", both},
		{"an empty line", "\r\n", both + "\r\n"},
		{"8 bits and NUL in a body", date + id + "\r\n\x00\xff\r\n", date + id + "\r\n\x00\xff\r\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			whole := test.msg
			if !strings.HasPrefix(whole, " ") { // as a Server has it
				whole = trace + whole
			}
			for _, msg := range []io.Reader{
				strings.NewReader(test.msg), iotest.OneByteReader(strings.NewReader(test.msg)), iotest.DataErrReader(strings.NewReader(test.msg)),
				strings.NewReader(whole),
			} {
				got, err := fixUp(t, "a@example.org", msg)
				if err != nil {
					t.Fatal(err)
				}
				got = strings.TrimPrefix(got, trace)
				if strings.Contains(test.want, "Date: +") {
					got = newDate.ReplaceAllString(got, "Date: +\r\n")
				}
				if strings.Contains(test.want, "<+>") {
					got = newID.ReplaceAllString(got, "Message-ID: <+>\r\n")
				}
				want := test.want
				if strings.Contains(want, date) && strings.Contains(want, "Date: +") {
					want = strings.ReplaceAll(want, date, "Date: +\r\n")
				}
				if got != want {
					t.Errorf("got  %.300q\nwant %.300q", got, want)
				}
			}
		})
	}
}

func TestFixUpValues(t *testing.T) {
	for from, domain := range map[mailparts.Address]string{
		"a@Example.ORG":      "example.org",
		"a@[192.0.2.1]":      "[192.0.2.1]",
		"":                   "", // this host's
		"a@b\u00fccher.test": "",
	} {
		got, err := fixUp(t, from, strings.NewReader("Subject: hi\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if d, err := m.Header.Date(); err != nil || time.Since(d) > time.Minute {
			t.Errorf("Date %v, %v", d, err)
		}
		id := newID.FindStringSubmatch(got)
		if id == nil || domain != "" && id[2] != domain || strings.ContainsAny(id[2], "\u00fc ") {
			t.Errorf("%s: %q", from, got)
		}
	}
	one, _ := fixUp(t, "", strings.NewReader(""))
	two, _ := fixUp(t, "", strings.NewReader(""))
	if newID.FindString(one) == newID.FindString(two) {
		t.Error("a Message-ID for two messages")
	}
}

// FixUp leaves it to the next one when the client is asked for the message.
func TestFixUpReadsNothingBefore(t *testing.T) {
	refused := errors.New("refused")
	next := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return refused })
	err := smtp.FixUp(next).Deliver(t.Context(), &mailparts.Envelope{}, readerFunc(func([]byte) (int, error) {
		t.Error("read")
		return 0, io.EOF
	}))
	if err != refused {
		t.Errorf("got %v", err)
	}
}

// A message that is none does not become one.
func TestFixUpReadError(t *testing.T) {
	broken := errors.New("broken")
	for _, begun := range []string{"", "Subj", "Subject: hi\r\n", "Subject: hi\r\n\r\n", "Subject: hi\r\n\r\nhello\r\n"} {
		got, err := fixUp(t, "", io.MultiReader(strings.NewReader(begun), iotest.ErrReader(broken)))
		if err != broken {
			t.Errorf("%q: got %q, %v", begun, got, err)
		}
	}
}

// FuzzFixUp compares with how one would do it without a thought for memory.
func FuzzFixUp(f *testing.F) {
	f.Add("Subject: hi\r\n\r\nhello\r\n")
	f.Add("Bcc: x\r\n y\r\nDate: z\r\nhello\r\n\r\nBcc: w\r\n")
	f.Add(">From x\r\nDate: z\r\nhello\r\n y\r\nBcc: w\r\n\r\n")
	f.Add("Received: x\r\n y\r\nFrom x\r\n z\r\nhello")
	f.Add(" x\r\nMessage-ID : y")
	f.Add("\r\nDate: x\r\n")
	f.Add("A:" + strings.Repeat("x", 5000) + "\r\n\ty\r\nBcc:" + strings.Repeat("x", 5000))
	f.Fuzz(func(t *testing.T, msg string) {
		got, err := fixUp(t, "a@example.org", strings.NewReader(msg))
		if err != nil {
			t.Fatal(err)
		}
		want, date, id := fixUpAtOnce(msg)
		if date {
			got = replaceFirst(newDate, got, "Date: +\r\n")
		}
		if id {
			got = replaceFirst(newID, got, "Message-ID: <+>\r\n")
		}
		if got != want {
			t.Errorf("%q\ngot  %q\nwant %q", msg, got, want)
		}
	})
}

var fieldName = regexp.MustCompile(`^([!-9;-~]+)[ \t]*:`)

func fixUpAtOnce(msg string) (fixed string, date, id bool) {
	date, id = true, true
	lines := strings.SplitAfter(msg, "\n")
	kept, drop := "", false
	foldable := false // the line before is of the header
	named := false    // there is a field other than Received
	mbox := false     // a line of mbox is left out
header:
	for lines[0] != "" {
		l := lines[0]
		folded := foldable && (l[0] == ' ' || l[0] == '\t')
		name := fieldName.FindStringSubmatch(l[:min(len(l), 4096)])
		switch {
		case folded:
		case l == "\n" || l == "\r\n":
			break header
		case name == nil && !named && !mbox && (strings.HasPrefix(l, "From ") || strings.HasPrefix(l, ">From ")):
			foldable, mbox, drop = false, true, true
		case name == nil && !named:
			break header
		case name == nil:
			drop = false
		default:
			lower := strings.ToLower(name[1])
			drop = lower == "bcc" || lower == "resent-bcc"
			date, id = date && lower != "date", id && lower != "message-id"
			foldable, named = true, named || lower != "received"
		}
		if !drop {
			kept += l
		}
		if lines = lines[1:]; len(lines) == 0 {
			lines = []string{""}
		}
	}
	if kept != "" && !strings.HasSuffix(kept, "\n") {
		kept += "\r\n"
	}
	if date {
		kept += "Date: +\r\n"
	}
	if id {
		kept += "Message-ID: <+>\r\n"
	}
	rest := strings.Join(lines, "")
	if rest != "" && lines[0] != "\n" && lines[0] != "\r\n" {
		kept += "\r\n"
	}
	return kept + rest, date, id
}

// replaceFirst replaces the first match: where FixUp added a field there is none
// before it.
func replaceFirst(re *regexp.Regexp, s, with string) string {
	at := re.FindStringIndex(s)
	if at == nil {
		return s
	}
	return s[:at[0]] + with + s[at[1]:]
}
