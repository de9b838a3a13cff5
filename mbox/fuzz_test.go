package mbox_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts/mbox"
)

const fromLine = "From a@example.com Mon Jan  1 00:00:00 2024\n"

// oddities are texts that have been trouble for readers of mbox files.
var oddities = []string{
	"",
	"\n",
	"\n\n" + fromLine,
	fromLine,
	fromLine + fromLine,
	fromLine + "\n" + fromLine + "\n\n" + fromLine,
	fromLine + "Subject: a\n\nbody\n\n" + fromLine + "Subject: b\n\nbody",
	fromLine + "Subject: no blank line\n\nbody\n" + fromLine + "Subject: b\n",
	fromLine + "Subject: no body\n" + fromLine + "\nno header\n",
	fromLine + "Subject: CRLF\r\n\r\nbody\r\n\r\nFrom a Mon Jan  1 00:00:00 2024\r\n\r\nbody\r\n\r\n",
	fromLine + "Content-Length: 5\n\nbody\n\n" + fromLine + "\nx",
	fromLine + "Content-Length: 4\n\nbody\n" + fromLine + "\nx",
	fromLine + "Content-Length: 4\n\nbody\n\n" + fromLine + "\nx",
	fromLine + "Content-Length: 5\n\nbody\n" + fromLine + "\nx",
	fromLine + "Content-Length: 0\n\n" + fromLine + "Content-Length: 0\n\n\n" + fromLine,
	fromLine + "Content-Length: 49\n\nbody\n" + fromLine + "\n" + fromLine + "\nx",
	fromLine + "Content-Length: 999999999999999999\nContent-Length: 5\n\nbody\n\n" + fromLine,
	fromLine + "Content-Length: 3\n 4\n\nbody\n\n",
	fromLine + "Content-Length: -1\n\nbody\n\n",
	fromLine + "X-UID: 7\nStatus: RO\nX-Status: \nX-IMAPbase: 1 2 a\n b\nX-Keywords: a\nstatus: again\nMessage-ID:\n <a@b>\n\nbody\n",
	fromLine + " begins folded\nSubject:\x00 NUL\x00\n\n\x00\n\n",
	fromLine + "Subject: x\n\nFrom \nFrom here\n>From there\n>>From " + fromLine,
	fromLine + "Subject: " + strings.Repeat("long", 2000) + "\n\n" + strings.Repeat("line", 3000) + "\n\n" + fromLine,
	fromLine + "X-Keywords: " + strings.Repeat("word ", 1000) + "\n " + strings.Repeat("more ", 1000) + "\n\n",
	"junk\n" + fromLine,
	"From here on\n\n" + fromLine,
	strings.TrimSuffix(fromLine, "\n"),
}

// slowSpans finds messages as the comment of scanner says, with all lines before it.
// Of the spans it has the places only.
func slowSpans(text string, lengths bool) (spans []mbox.Span, ok bool) {
	isFrom := func(line string) bool { _, _, ok := mbox.ParseFrom(line); return ok }
	lineAt := func(at int) string {
		if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
			return text[at : at+i+1]
		}
		return text[at:]
	}
	isBlank := func(line string) bool { return line == "\n" || line == "\r\n" }
	at := 0
	for isBlank(lineAt(at)) {
		at += len(lineAt(at))
	}
	for at < len(text) {
		if !isFrom(lineAt(at)) {
			return spans, false
		}
		s := mbox.Span{Start: int64(at)}
		at += len(lineAt(at))
		s.Header = int64(at)
		for at < len(text) && !isBlank(lineAt(at)) && !isFrom(lineAt(at)) {
			at += len(lineAt(at))
		}
		header := text[s.Header:at]
		end, next := at, at
		if at < len(text) && isBlank(lineAt(at)) {
			blank := at
			at += len(lineAt(at))
			body := at
			for at < len(text) && !isFrom(lineAt(at)) {
				at += len(lineAt(at))
			}
			end, next = at, at
			if before := text[:at]; strings.HasSuffix(before, "\n\n") {
				end--
			} else if strings.HasSuffix(before, "\n\r\n") {
				end -= 2
			}
			at = body
			if end < body {
				at, end = blank, blank
			}
			if e, n, ok := slowLength(text, header, body, isFrom, lineAt); ok && lengths {
				at, end, next = body, e, n
			}
		}
		s.Body, s.End, s.Next = int64(at), int64(end), int64(next)
		spans = append(spans, s)
		at = next
	}
	return spans, true
}

var contentLength = regexp.MustCompile(`(?i)(?:^|\n)content-length:((?:.|\n[ \t])*)`)

// slowLength returns where the Content-Length leads, if it leads to another message.
func slowLength(text, header string, body int, isFrom func(string) bool, lineAt func(int) string) (end, next int, ok bool) {
	m := contentLength.FindStringSubmatch(header)
	if m == nil {
		return 0, 0, false
	}
	value := strings.TrimSpace(m[1])
	n, err := strconv.Atoi(value)
	if err != nil || value[0] < '0' || value[0] > '9' || len(value) > 18 || body+n > len(text) {
		return 0, 0, false
	}
	end = body + n
	gaps := []string{"", "\n", "\r\n"}
	if text[end-1] != '\n' {
		gaps = []string{"\n", "\r\n", "\n\n", "\r\n\n", "\n\r\n", "\r\n\r\n"}
		if end == len(text) {
			return end, end, true
		}
	}
	for _, gap := range gaps {
		if strings.HasPrefix(text[end:], gap) {
			if next = end + len(gap); next == len(text) || isFrom(lineAt(next)) {
				return end, next, true
			}
		}
	}
	return 0, 0, false
}

// FuzzScan compares with slowSpans, and a Reader with both.
func FuzzScan(f *testing.F) {
	for _, text := range oddities {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, lengths := range []bool{false, true} {
			want, ok := slowSpans(text, lengths)
			format := mbox.O
			if lengths {
				format = mbox.CL2
			}
			for _, room := range []int{2500, 0} {
				got, err := mbox.Scan(strings.NewReader(text), 0, lengths, room)
				if errors.Is(err, mbox.ErrFormat) == ok || !reflect.DeepEqual(places(got), want) {
					t.Fatalf("%q, lengths %v, room %d:\n%v, %v, want\n%v, %v", text, lengths, room, places(got), err, want, ok)
				}
				for i, s := range got {
					for name, field := range s.Fields {
						if raw := text[field.Start:field.End]; !strings.HasPrefix(strings.ToLower(raw), strings.ToLower(name)+":") {
							t.Errorf("%s is at %q", name, raw)
						}
					}
					rest, err := mbox.Scan(strings.NewReader(text), s.Start, lengths, room)
					if !reflect.DeepEqual(places(rest), want[i:]) || (err == nil) != ok {
						t.Fatalf("%q from octet %d: %v, %v, want %v", text, s.Start, places(rest), err, want[i:])
					}
				}
			}
			for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
				readsAs(t, mbox.NewReader(r, format), text, want, ok)
			}
		}
	})
}

// places leaves out what slowSpans does not tell.
func places(spans []mbox.Span) (out []mbox.Span) {
	for _, s := range spans {
		out = append(out, mbox.Span{Start: s.Start, Header: s.Header, Body: s.Body, End: s.End, Next: s.Next})
	}
	return out
}

// readsAs checks that a Reader gives what is in spans of text.
func readsAs(t *testing.T, r *mbox.Reader, text string, spans []mbox.Span, ok bool) {
	t.Helper()
	for _, s := range spans {
		m, err := r.Next()
		if err != nil {
			t.Fatalf("%q at octet %d: %v", text, s.Start, err)
		}
		got, err := io.ReadAll(m)
		want := onWire(text[s.Header:s.End])
		if lengths := contentLength.FindAllStringIndex(text[s.Header:s.Body], -1); len(lengths) == 0 && (string(got) != want || err != nil) {
			t.Fatalf("%q at octet %d: %q, %v, want %q", text, s.Start, got, err, want)
		}
	}
	if _, err := r.Next(); err != io.EOF && ok || !ok && !errors.Is(err, mbox.ErrFormat) {
		t.Fatalf("%q: %v at the end", text, err)
	}
}

// onWire makes each LF that is not after a CR CRLF.
func onWire(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if text[i] == '\n' && (i == 0 || text[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// FuzzWriter writes two messages in each format and reads them again.
func FuzzWriter(f *testing.F) {
	for i, text := range oddities {
		f.Add(text, oddities[len(oddities)-1-i], "a@example.com", int64(i)*1e8)
	}
	f.Fuzz(func(t *testing.T, a, b, from string, seconds int64) {
		date := time.Unix(seconds, 0)
		if y := date.UTC().Year(); y < 1000 || y > 9998 {
			t.Skip("asctime has four digits for the year")
		}
		for _, format := range []mbox.Format{mbox.RD, mbox.O, mbox.CL, mbox.CL2} {
			var file bytes.Buffer
			w := mbox.NewWriter(&file, format)
			for _, msg := range []string{a, b} {
				if err := w.WriteMessage(from, date, iotest.HalfReader(strings.NewReader(msg))); err != nil {
					t.Fatal(err)
				}
			}
			for _, in := range []io.Reader{bytes.NewReader(file.Bytes()), iotest.HalfReader(bytes.NewReader(file.Bytes()))} {
				r := mbox.NewReader(in, format)
				for _, msg := range []string{a, b} {
					m, err := r.Next()
					if err != nil {
						t.Fatalf("%v: %q: %v", format, file.String(), err)
					}
					got, err := io.ReadAll(m)
					if want := kept(format, msg); string(got) != want || err != nil {
						t.Fatalf("%v: %q was written as %q and is read as %q, %v, want %q", format, msg, file.String(), got, err, want)
					}
					if !m.Date.Equal(date) {
						t.Errorf("%v: received %v, want %v", format, m.Date, date)
					}
				}
				if m, err := r.Next(); err != io.EOF {
					t.Fatalf("%v: %q: more messages: %v, %v", format, file.String(), m, err)
				}
			}
			if spans, err := mbox.Scan(bytes.NewReader(file.Bytes()), 0, false, 0); format != mbox.CL2 && (len(spans) != 2 || err != nil) {
				t.Errorf("%v: %q has %d messages for who knows no Content-Length, %v", format, file.String(), len(spans), err)
			}
		}
	})
}

var fromAtStart = regexp.MustCompile(`(?m)^From `)

// kept is what a Reader gives of what a Writer was given, as it says.
func kept(format mbox.Format, msg string) string {
	msg = onDisk(msg)
	if msg != "" && !strings.HasSuffix(msg, "\n") {
		msg += "\n"
	}
	header, body := cutHeader(msg)
	if format == mbox.CL || format == mbox.CL2 {
		header = withoutFields(header, "Content-Length")
	}
	switch format {
	case mbox.O:
		header, body = fromAtStart.ReplaceAllString(header, ">From "), fromAtStart.ReplaceAllString(body, ">From ")
	case mbox.CL2:
		header = fromAtStart.ReplaceAllString(header, ">From ")
	}
	return onWire(header + body)
}

// onDisk makes CRLF LF where the octet before it is not CR.
func onDisk(msg string) string {
	var b strings.Builder
	for i := range len(msg) {
		if msg[i] == '\r' && i+1 < len(msg) && msg[i+1] == '\n' && (i == 0 || msg[i-1] != '\r') {
			continue
		}
		b.WriteByte(msg[i])
	}
	return b.String()
}

// cutHeader cuts after the first blank line.
func cutHeader(text string) (header, body string) {
	for at := 0; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		at = min(at+len(line)+1, len(text))
		if line == "" || line == "\r" {
			return text[:at], text[at:]
		}
	}
	return text, ""
}

// withoutFields leaves out fields with all their lines.
func withoutFields(header string, names ...string) string {
	var b strings.Builder
	out := false
	for line := range strings.Lines(header) {
		if line[0] != ' ' && line[0] != '\t' {
			out = false
			for _, name := range names {
				out = out || len(line) > len(name) && strings.EqualFold(line[:len(name)+1], name+":")
			}
		}
		if !out {
			b.WriteString(line)
		}
	}
	return b.String()
}

// FuzzStore writes a message as the store does, with what another program adds and
// another message behind it, and reads it again.
func FuzzStore(f *testing.F) {
	for _, text := range oddities {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Add("Subject: x\r\n\r\na\nb\r\nc\r\r\nd\r\x00\xff", true)
	f.Fuzz(func(t *testing.T, msg string, lengths bool) {
		text, added, wire, err := mbox.StoreText(iotest.HalfReader(strings.NewReader(msg)), "X-UID: 7\nStatus: RO\n")
		if err != nil {
			t.Fatal(err)
		}
		if want := int64(len(onWire(msg))); wire != want {
			t.Errorf("%q: %d octets on the wire, want %d", msg, wire, want)
		}
		header, body := cutHeader(onDisk(msg))
		want := onWire(withoutFields(header, "Status", "X-Status", "X-Keywords", "X-UID", "X-IMAPbase", "X-IMAP", "Content-Length", "X-Mbox-Added") + body)
		other, _, _, _ := mbox.StoreText(strings.NewReader("Subject: other\r\n\r\n"), "")
		// Dovecot adds its fields at the end of the header.
		i := strings.Index(text, "\n\n") + 1
		if j := strings.Index(text, "\n\r\n"); j >= 0 && j+1 < i {
			i = j + 1
		}
		for _, file := range []string{text + other, text[:i] + "X-Keywords: a b    \n" + text[i:] + other} {
			r := strings.NewReader(file)
			spans, err := mbox.Scan(r, 0, lengths, 0)
			if len(spans) != 2 || err != nil || spans[1].End != int64(len(file)-1) {
				t.Fatalf("%q was written as %q, of %d messages, %v", msg, file, len(spans), err)
			}
			got, err := io.ReadAll(mbox.StoreBody(r, spans[0]))
			if string(got) != want || err != nil {
				t.Fatalf("%q was written as %q (%s) and is read as %q, %v, want %q", msg, file, added, got, err, want)
			}
			if uid := spans[0].Fields["X-UID"].Value; uid != "7" {
				t.Errorf("%q: X-UID is %q", file, uid)
			}
		}
		if len(want) < 1<<12 {
			if err := iotest.TestReader(mbox.StoreBody(strings.NewReader(text), mustScan(t, text)[0]), []byte(want)); err != nil {
				t.Error(err)
			}
		}
	})
}

func mustScan(t *testing.T, text string) []mbox.Span {
	t.Helper()
	spans, err := mbox.Scan(strings.NewReader(text), 0, true, 0)
	if err != nil || len(spans) == 0 {
		t.Fatalf("%q: %v, %v", text, spans, err)
	}
	return spans
}
