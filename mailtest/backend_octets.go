package mailtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

func octetPromises() []promise {
	return []promise{
		{"are kept but for a bare LF, which becomes CRLF", octetsTable},
		{"are right in any mixture", octetsRandom},
		{"are as many as Size says", octetsSize},
		{"of a large message are all there", octetsLarge},
		{"of a huge message are all there", octetsHuge},
		{"that look like a mailbox's own are the message's", octetsMailbox},
		{"of header fields are kept but for the store's own", octetsFields},
	}
}

// crlf is the contract of Incoming.Body, spelled out line by line.
func crlf(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines[:len(lines)-1] {
		if !strings.HasSuffix(line, "\r") {
			lines[i] += "\r"
		}
	}
	return strings.Join(lines, "\n")
}

func octetsTable(x *trial) {
	for _, c := range []struct{ what, in, want string }{
		{"CRLF", "a\r\nb\r\n", "a\r\nb\r\n"},
		{"bare LF", "a\nb\n", "a\r\nb\r\n"},
		{"LF first", "\na", "\r\na"},
		{"LF only", "\n", "\r\n"},
		{"LF LF", "a\n\nb", "a\r\n\r\nb"},
		{"bare CR", "a\rb\r", "a\rb\r"},
		{"CR only", "\r", "\r"},
		{"CR CR LF", "a\r\r\nb", "a\r\r\nb"},
		{"LF CR", "a\n\rb", "a\r\n\rb"},
		{"LF CR LF", "a\n\r\nb", "a\r\n\r\nb"},
		{"CRLF LF", "a\r\n\nb", "a\r\n\r\nb"},
		{"CR LF CR", "\r\n\r", "\r\n\r"},
		{"no final newline", "a\r\nb", "a\r\nb"},
		{"empty", "", ""},
		{"NUL", "a\x00b\x00", "a\x00b\x00"},
		{"8-bit", "\x80\xfe\xff\r\n", "\x80\xfe\xff\r\n"},
		{"UTF-8 with a BOM", "\ufeffé\r\n", "\ufeffé\r\n"},
		{"every octet but LF", everyOctetBut('\n'), everyOctetBut('\n')},
		{"dots", ".\r\n..\r\n.a\r\n", ".\r\n..\r\n.a\r\n"},
		{"mbox quoting", "From me\r\n>From you\r\n", "From me\r\n>From you\r\n"},
		{"space at the ends of lines", " a \t\r\n\t\r\n", " a \t\r\n\t\r\n"},
		{"a long line", strings.Repeat("x", 70_000) + "\n", strings.Repeat("x", 70_000) + "\r\n"},
	} {
		uid := x.addTexts(x.inbox, c.in)[0]
		if got := x.body(x.inbox, uid); got != c.want {
			x.Errorf("%s: appended %.80q, Body is %.80q, want %.80q", c.what, c.in, got, c.want)
		}
		if m := x.message(x.inbox, uid); m.Size != int64(len(c.want)) {
			x.Errorf("%s: Size of %.80q is %d, want %d", c.what, c.want, m.Size, len(c.want))
		}
	}
}

// everyOctetBut is 255 octets.
func everyOctetBut(not byte) string {
	var b []byte
	for c := range 256 {
		if byte(c) != not {
			b = append(b, byte(c))
		}
	}
	return string(b)
}

func octetsRandom(x *trial) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var msgs []mailparts.Incoming
	var raw []string
	for range 200 {
		b := make([]byte, rnd.IntN(12))
		for i := range b {
			b[i] = "\r\n\r\n.a\x00\xff"[rnd.IntN(8)]
		}
		raw = append(raw, string(b))
		msgs = append(msgs, mailparts.Incoming{Body: &lazyReader{r: bytes.NewReader(b)}})
	}
	for i, uid := range x.add(x.inbox, msgs...) {
		if got, want := x.body(x.inbox, uid), crlf(raw[i]); got != want {
			x.Errorf("appended %q, Body is %q, want %q", raw[i], got, want)
		}
	}
}

func octetsSize(x *trial) {
	x.addTexts(x.inbox, "a\nb\n", "a\r\nb\r\n", "\r\r\n\n", "", "plain")
	for _, m := range x.all(x.inbox) {
		body := x.body(x.inbox, m.UID)
		if int64(len(body)) != m.Size {
			x.Errorf("UID %d: Size is %d, Body has %d octets: %q", m.UID, m.Size, len(body), body)
		}
		if bare := strings.Count(body, "\n") - strings.Count(body, "\r\n"); bare > 0 {
			x.Errorf("UID %d: Body has %d bare LF: %q", m.UID, bare, body)
		}
	}
}

func octetsLarge(x *trial) {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "line %d ends \x80 in LF\nline %d in CRLF\r\n", i, i)
	}
	want := crlf(b.String())
	uid := x.add(x.inbox, mailparts.Incoming{Body: onlyReader{&b}, Size: int64(b.Len())})[0]
	got := x.body(x.inbox, uid)
	if got != want {
		x.Errorf("a message of 1 MB: Body has %d octets, want %d; they differ first at %d", len(got), len(want), firstDifference(got, want))
	}
	if m := x.message(x.inbox, uid); m.Size != int64(len(want)) {
		x.Errorf("a message of 1 MB: Size is %d, want %d", m.Size, len(want))
	}
}

// octetsHuge streams a message that nobody should hold in memory.
func octetsHuge(x *trial) {
	if testing.Short() {
		x.Skip("a message of 40 MB")
	}
	const times = 40
	block := strings.Repeat(octets(1023)+"\n", 1<<10)
	want := strings.Repeat(block, times) // crlf below, block by block
	in := mailparts.Incoming{Body: onlyReader{strings.NewReader(want)}, Size: int64(len(want))}
	placed, err := mailparts.Append(x.Context(), x.inbox, in)
	if err != nil {
		x.wantError("Append of 40 MB", err, mailparts.ErrLimit, mailparts.ErrQuota)
		x.wantUIDs("after that", x.inbox)
		return
	}
	block = crlf(block)
	uid := each(placed.UIDs)[0]
	if m := x.message(x.inbox, uid); m.Size != int64(times*len(block)) {
		x.Errorf("a message of 40 MB: Size is %d, want %d", m.Size, times*len(block))
	}
	r, err := x.inbox.Body(x.Context(), uid)
	x.must("Body", err)
	defer r.Close()
	got := make([]byte, len(block))
	for i := range times {
		if _, err := io.ReadFull(r, got); err != nil || string(got) != block {
			x.Fatalf("a message of 40 MB: block %d of %d differs, %v", i, times, err)
		}
	}
	if n, err := io.ReadFull(r, got[:1]); n > 0 || err != io.EOF {
		x.Errorf("a message of 40 MB: %d more octets at its end, %v", n, err)
	}
}

// octetsMailbox appends messages with lines at which a reader of mailbox files
// might cut, or from which it might take something.
func octetsMailbox(x *trial) {
	const from = "From alice@example.org Thu Jan  1 00:00:00 1970"
	want := []string{
		from + "\r\n",
		from + "\r\nSubject: a\r\n\r\nb\r\n",
		"Subject: a\r\n\r\n" + from + "\r\nSubject: b\r\n\r\nc\r\n",
		"Subject: a\r\n\r\nb\r\n\r\n" + from + "\r\nSubject: c\r\n\r\nd\r\n",
		"Subject: a\r\n\r\n\r\nFrom me\r\n>From you\r\n>>From them\r\n >From\r\nFrom\r\nFrom \r\n",
		"Subject: a\r\n\r\nb\r\n\r\n" + from,
		"Subject: a\r\n\r\nb\r\n\r\n\r\n\r\n",
		"Subject: a\r\n\r\n\r\n",
		"Subject: a\r\n\r\n",
		"Subject: a\r\n",
		"Subject: a",
		"\r\n" + from + "\r\n\r\n" + from + "\r\n",
		"Subject: a\r\n\r\n\x01\x01\x01\x01\r\nb\r\n\x01\x01\x01\x01\r\n",
		"Subject: a\r\n\r\n\x1f\r\n*** EOOH ***\r\n\f\r\n",
		"Subject: a\r\n\r\n.\r\nQUIT\r\n",
	}
	uids := x.addTexts(x.inbox, want...)
	check := func(when string) {
		x.Helper()
		for i, u := range uids {
			if got := x.body(x.inbox, u); got != want[i] {
				x.Errorf("%s: appended %q, Body is %q", when, want[i], got)
			}
		}
	}
	check("as appended")
	x.setFlags(x.inbox, set(uids[1:]...), mailparts.AddFlags, mailparts.FlagSeen)
	check("after a flag was set")
	x.expunge(x.inbox, set(uids[0], uids[4]), "")
	uids, want = slices.Concat(uids[1:4], uids[5:]), slices.Concat(want[1:4], want[5:])
	check("after others were expunged")
	x.wantUIDs("after others were expunged", x.inbox, uids...)
}

// octetsFields appends messages with fields that some store takes for its own.
func octetsFields(x *trial) {
	for _, msg := range []string{
		"Status: RO\r\nX-Status: AF\r\nSubject: a\r\nX-UID: 7\r\n\r\nb\r\n",
		"X-IMAPbase: 1234567890 0000000099 Junk Work\r\nSubject: a\r\n\r\nb\r\n",
		"X-IMAP: 1234567890 0000000099\r\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\nb\r\n",
		"Content-Length: 3\r\nLines: 1\r\nSubject: a\r\n\r\nmore than three octets\r\n\r\nFrom x\r\n",
		"Content-Length: 999999\r\nSubject: a\r\n\r\nb\r\n",
		"Content-Length: -1\r\nContent-Length: x\r\n\r\nb\r\n",
		"Subject: a\r\nX-Keywords: Work\r\n Junk\r\n\tmore\r\nTo: b\r\n\r\nc\r\n",
		"Subject: a\r\nstatus: ro\r\nX-UID:\r\nStatus : R\r\nStatusX: R\r\nX-Status-Y: D\r\n\r\nStatus: RO\r\nX-UID: 1\r\n",
		"Subject: a\r\n\r\nStatus: RO\r\n\r\nX-UID: 7\r\n",
		"Return-Path: <a@example.org>\r\nReceived: x\r\nX-Mozilla-Status: 0001\r\n\r\nb\r\n",
	} {
		uid := x.addTexts(x.inbox, msg)[0]
		got := x.body(x.inbox, uid)
		if got != msg && x.withoutOwn(got) != x.withoutOwn(msg) {
			x.Errorf("appended %q, Body is %q, which differs in more than %q", msg, got, x.kit.OwnFields)
		}
		if m := x.message(x.inbox, uid); m.Size != int64(len(got)) {
			x.Errorf("%q: Size is %d, Body has %d octets", got, m.Size, len(got))
		}
		x.wantFlags("appended without any", x.inbox, uid)
		x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagSeen)
		if again := x.body(x.inbox, uid); again != got {
			x.Errorf("after a flag was set Body is %q, was %q", again, got)
		}
	}
}

// withoutOwn is a message without the header fields that the store may keep for
// itself.
func (x *trial) withoutOwn(msg string) string {
	header, body, _ := strings.Cut("\r\n"+msg, "\r\n\r\n")
	own := false
	var out strings.Builder
	for line := range strings.SplitAfterSeq(header, "\r\n") {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			name, _, _ := strings.Cut(line, ":")
			own = slices.ContainsFunc(x.kit.OwnFields, func(f string) bool { return strings.EqualFold(f, strings.TrimRight(name, " \t")) })
		}
		if !own {
			out.WriteString(strings.TrimSuffix(line, "\r\n") + "\r\n")
		}
	}
	return out.String() + "\r\n" + body
}

// onlyReader hides what else its Reader can do.
type onlyReader struct{ io.Reader }

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
