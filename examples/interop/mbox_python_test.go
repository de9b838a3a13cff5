package interop_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mbox"
)

// pythonMail is one message as Python's mailbox module has it.
type pythonMail struct {
	From  string `json:"from"` // the From_ line after "From ", of an mbox
	Flags string `json:"flags"`
	Text  string `json:"text"` // with LF, in Latin-1
}

// python runs a program with the names of the module's classes at hand. It returns
// what it prints.
func python(t *testing.T, program string, in any, args ...string) string {
	t.Helper()
	stdin, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	const prelude = "import json, mailbox, sys\n"
	return run(t, string(stdin), need(t, "python3")[0], append([]string{"-c", prelude + program}, args...)...)
}

// pythonReads lists a mailbox with the class of that name.
func pythonReads(t *testing.T, class, path string) (got []pythonMail) {
	t.Helper()
	out := python(t, `
box = getattr(mailbox, sys.argv[1])(sys.argv[2], create=False)
mbox = sys.argv[1] == "mbox"
print(json.dumps([{
	"from": box[k].get_from() if mbox else "",
	"flags": box[k].get_flags(),
	"text": box.get_bytes(k).decode("latin-1"),
} for k in box.keys()]))`, nil, class, path)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, out)
	}
	return got
}

// pythonWrites adds messages to a mailbox that it makes.
func pythonWrites(t *testing.T, class, path string, mails []pythonMail) {
	t.Helper()
	python(t, `
box = getattr(mailbox, sys.argv[1])(sys.argv[2])
box.lock()
for m in json.load(sys.stdin):
	msg = getattr(mailbox, sys.argv[1] + "Message")(m["text"].encode("latin-1"))
	if m["from"]:
		msg.set_from(m["from"])
	if m["flags"]:
		msg.set_flags(m["flags"])
	box.add(msg)
box.flush()
box.unlock()`, mails, class, path)
}

// trickyTexts are messages that are easily split, joined or changed.
func trickyTexts() []string {
	return []string{
		"Subject: plain\n\nbody\n",
		"Subject: no body\n\n",
		"Subject: blank lines\n\n\n\nbody\n\n\n",
		"Subject: quoted\n\n>From here\n>>From there\nFrom nowhere\n\nFrom nowhere\n From\n",
		"Subject: a forgery\n\nbody\n\nFrom mallory@example.com Mon Jan  1 00:00:00 2024\nSubject: not a message\n\nbody\n",
		"Subject: a forged length\nContent-Length: 3\n\nbody and more\n",
		"Subject: 8 bit\nX-Raw: \xf6\n\n\xfc\xff\n",
		"Subject: long\n\n" + strings.Repeat("x", 5000) + "\n",
	}
}

func TestMboxForPython(t *testing.T) {
	need(t, "python3")
	date := time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)
	for _, format := range []mbox.Format{mbox.RD, mbox.O, mbox.CL} {
		t.Run(format.String(), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mbox")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			w := mbox.NewWriter(f, format)
			w.Location = time.UTC
			for _, text := range trickyTexts() {
				if err := w.WriteMessage("alice@example.com", date, strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
					t.Fatal(err)
				}
			}
			f.Close()
			got := pythonReads(t, "mbox", path)
			if len(got) != len(trickyTexts()) {
				t.Fatalf("Python finds %d messages, want %d", len(got), len(trickyTexts()))
			}
			for i, text := range trickyTexts() {
				want := pythonMail{From: "alice@example.com Thu Feb 29 12:34:56 2024 +0000", Text: quotedFor(format, text)}
				if format == mbox.CL {
					got[i].Text = withoutLength(got[i].Text)
					want.Text = withoutLength(want.Text)
				}
				want.Text = latin1(want.Text)
				if got[i] != want {
					t.Errorf("Python reads %q, want %q", got[i], want)
				}
			}
		})
	}
}

// quotedFor is a message as it is on disk.
func quotedFor(format mbox.Format, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "From ") || format != mbox.O && strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
			b.WriteByte('>')
		}
		b.WriteString(line)
	}
	return b.String()
}

// withoutLength leaves out the field Content-Length.
func withoutLength(text string) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "Content-Length:") }), "")
}

func latin1(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

func TestMboxByPython(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mbox")
	var mails []pythonMail
	for _, text := range trickyTexts() {
		mails = append(mails, pythonMail{From: "alice@example.com Thu Feb 29 12:34:56 2024", Text: latin1(text)})
	}
	pythonWrites(t, "mbox", path, mails)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if format, err := mbox.Detect(f); format != mbox.RD || err != nil { // there is a ">>From "
		t.Errorf("detected as %v, %v", format, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	r := mbox.NewReader(f, mbox.O)
	r.Location = time.UTC
	for _, text := range trickyTexts() {
		m, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(m)
		want := strings.ReplaceAll(quotedFor(mbox.O, text), "\n", "\r\n")
		if string(got) != want || err != nil || m.From != "alice@example.com" || m.Date.Unix() != 1709210096 {
			t.Errorf("from %s, %v: %q, %v; want %q", m.From, m.Date, got, err, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// flagsByLetter are the flags that a name in a Maildir can have, in its order.
var flagsByLetter = map[string][]mailparts.Flag{
	"":      nil,
	"S":     {mailparts.FlagSeen},
	"DFRST": {mailparts.FlagDraft, mailparts.FlagFlagged, mailparts.FlagAnswered, mailparts.FlagSeen, mailparts.FlagDeleted},
}

func TestMaildirForPython(t *testing.T) {
	need(t, "python3")
	b := &maildir.Backend{Root: t.TempDir()}
	mb := pythonInbox(t, b)
	want := map[string]bool{}
	for letters, flags := range flagsByLetter {
		for _, text := range trickyTexts() {
			in := mailparts.Incoming{Body: strings.NewReader(strings.ReplaceAll(text, "\n", "\r\n")), Flags: flags}
			if _, err := mailparts.Append(t.Context(), mb, in); err != nil {
				t.Fatal(err)
			}
			want[fmt.Sprint(pythonMail{Flags: letters, Text: latin1(text)})] = true
		}
	}
	got := pythonReads(t, "Maildir", filepath.Join(b.Root, "alice"))
	for _, m := range got {
		if !want[fmt.Sprint(m)] {
			t.Errorf("Python reads %q", m)
		}
		delete(want, fmt.Sprint(m))
	}
	for m := range want {
		t.Errorf("Python does not read %q", m)
	}
}

func TestMaildirByPython(t *testing.T) {
	var mails []pythonMail
	want := map[string]bool{}
	for letters, flags := range flagsByLetter {
		for _, text := range trickyTexts() {
			mails = append(mails, pythonMail{Flags: letters, Text: latin1(text)})
			want[fmt.Sprintf("%q %s", flags, strings.ReplaceAll(text, "\n", "\r\n"))] = true
		}
	}
	b := &maildir.Backend{Root: t.TempDir()}
	pythonWrites(t, "Maildir", filepath.Join(b.Root, "alice"), mails)
	mb := pythonInbox(t, b)
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			t.Fatal(err)
		}
		body, err := mb.Body(t.Context(), m.UID)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		body.Close()
		flags := slices.Clone(m.Flags)
		slices.SortFunc(flags, func(a, b mailparts.Flag) int { return flagRank(a) - flagRank(b) })
		got := fmt.Sprintf("%q %s", flags, text)
		if !want[got] || err != nil || m.Size != int64(len(text)) {
			t.Errorf("UID %d of %d octets: %s, %v", m.UID, m.Size, got, err)
		}
		delete(want, got)
	}
	for m := range want {
		t.Errorf("missing: %s", m)
	}
}

// flagRank is the place of a flag in names of files.
func flagRank(f mailparts.Flag) int { return slices.Index(flagsByLetter["DFRST"], f) }

func pythonInbox(t *testing.T, b *maildir.Backend) mailparts.Mailbox {
	t.Helper()
	store, err := b.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mb, err := store.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return mb
}
