package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// toBDAT is a script up to the first chunk.
const toBDAT = `
	G: EHLO
	C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>
	S: 250 2.1.0 OK
	S: 250 2.1.5 OK
`

// RFC 3030 section 4.1, on our replies.
func TestBDATSimpleChunking(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b, Hostname: "cnri.reston.va.us"}, `
		S: 220 cnri.reston.va.us ESMTP
		C: EHLO ymir.claremont.edu
		S: 250-cnri.reston.va.us
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: MAIL FROM:<Sam@Random.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<Susan@Random.com>
		S: 250 2.1.5 OK
		C: BDAT 86 LAST
		C: To: Susan@random.com
		C: From: Sam@random.com
		C: Subject: This is a bodyless test message
		S: 250 2.0.0 OK queued as ID
		C: QUIT
		S: 221 2.0.0 cnri.reston.va.us closing the connection
		S!
	`)
	m := b.only(t)
	want := "To: Susan@random.com\r\nFrom: Sam@random.com\r\nSubject: This is a bodyless test message\r\n"
	if m.content(t) != want || m.env.Body != "" {
		t.Errorf("got %q with body %q", m.text, m.env.Body)
	}
}

// RFC 3030 section 4.2: all chunks are there before the first reply.
func TestBDATPipeliningBINARYMIME(t *testing.T) {
	b := new(inbox)
	c := dialServer(t, &smtp.Server{Receiver: b, Extensions: []string{"BINARYMIME"}})
	c.play(t, `
		S: 220 ...
		C: EHLO ymir.claremont.edu
		S: 250-mx.example.com
		S: 250-PIPELINING
		S: 250-SIZE 52428800
		S: 250-8BITMIME
		S: 250-CHUNKING
		S: 250-BINARYMIME
		S: 250-SMTPUTF8
		S: 250-ENHANCEDSTATUSCODES
		S: 250-LIMITS RCPTMAX=1000
		S: 250 HELP
		C: MAIL FROM:<ned@ymir.claremont.edu> BODY=BINARYMIME
		C: RCPT TO:<gvaudre@cnri.reston.va.us>
		C: RCPT TO:<jstewart@cnri.reston.va.us>
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
	`)
	var octets strings.Builder
	octets.WriteString("Content-Transfer-Encoding: binary\r\n\r\n")
	for octets.Len() < 100324 {
		octets.WriteByte(byte(octets.Len() * 7))
	}
	text := octets.String()
	c.send(t, "BDAT 100000\r\n"+text[:100000]+"BDAT 324\r\n"+text[100000:]+"BDAT 0 LAST\r\n")
	c.play(t, `
		S: 250 2.0.0 OK, 100000 octets received
		S: 250 2.0.0 OK, 324 octets received
		S: 250 2.0.0 OK queued as ID
		C: QUIT
		S: 221 ...
	`)
	if m := b.only(t); m.content(t) != text || m.env.Body != "BINARYMIME" {
		t.Errorf("%d octets with body %q", len(m.text), m.env.Body)
	}
}

// Wherever its chunks end, a message is the same, and none of its octets is taken
// for a command or for an end of DATA.
func TestBDATInAnyChunks(t *testing.T) {
	const text = "Subject: x\r\n\r\n.\r\n..\r\nRSET\r\n\r\nBDAT 0 LAST\r\n.\r\n"
	for split := range len(text) + 1 {
		b := new(inbox)
		play(t, &smtp.Server{Receiver: b}, toBDAT+fmt.Sprintf(`
			C> BDAT %d\r\n%sBDAT 0\r\nBDAT %d LAST\r\n%sNOOP\r\n
			S: 250 2.0.0 OK, %[1]d octets received
			S: 250 2.0.0 OK, 0 octets received
			S: 250 2.0.0 OK queued as ID
			S: 250 2.0.0 OK
		`, split, escape(text[:split]), len(text)-split, escape(text[split:])))
		if got := b.only(t).content(t); got != text {
			t.Fatalf("split at %d: got %q", split, got)
		}
	}
}

// escape is for scripts.
func escape(s string) string {
	return strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(s)
}

func TestBDATContent(t *testing.T) {
	const bare = "550 5.6.0 CR or LF alone in the message: lines end with CRLF (RFC 5321 section 2.3.8)"
	const ok = "250 2.0.0 OK queued as ID"
	for _, test := range []struct {
		name, chunk, reply, want string
		normalize, binary        bool
	}{
		{name: "empty", chunk: ``, reply: ok, want: ""},
		// Deliverers get lines (RFC 5321 section 2.3.8).
		{name: "a last line without CRLF", chunk: `a\r\nb`, reply: ok, want: "a\r\nb\r\n"},
		{name: "a dot for a last line", chunk: `a\r\n.`, reply: ok, want: "a\r\n.\r\n"},
		{name: "LF alone", chunk: `a\nb\r\n`, reply: bare},
		{name: "CR alone", chunk: `a\rb\r\n`, reply: bare},
		{name: "CR at the end", chunk: `a\r`, reply: bare},
		{name: "LF at the start", chunk: `\na\r\n`, reply: bare},
		{name: "LF alone, normalized", chunk: `a\nb\r\n`, reply: ok, want: "a\r\nb\r\n", normalize: true},
		{name: "LF at the end, normalized", chunk: `a\n`, reply: ok, want: "a\r\n", normalize: true},
		{name: "CR at the end, normalized", chunk: `a\r`, reply: ok, want: "a\r\n", normalize: true},
		{name: "CR CR LF, normalized", chunk: `a\r\r\n`, reply: ok, want: "a\r\n\r\n", normalize: true},
		{name: "no CRLF at the end, normalized", chunk: `a\nb`, reply: ok, want: "a\r\nb\r\n", normalize: true},
		{name: "binary", chunk: `a\nb\rc\0\xff`, reply: ok, want: "a\nb\rc\x00\xff", binary: true},
		{name: "binary is not normalized", chunk: `a\nb\r`, reply: ok, want: "a\nb\r", binary: true, normalize: true},
		// It would continue the Received field.
		{name: "white space first", chunk: ` a\r\n`, reply: ok, want: "\r\n a\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, NormalizeLines: test.normalize, Extensions: []string{"BINARYMIME"}}
			param := ""
			if test.binary {
				param = " BODY=BINARYMIME"
			}
			play(t, s, fmt.Sprintf(`
				G: EHLO
				C: MAIL FROM:<a@example.org>%s\r\nRCPT TO:<b@example.com>
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				C> BDAT %d LAST\r\n%sNOOP\r\n
				S: %s
				S: 250 2.0.0 OK
			`, param, len(unescape(test.chunk)), test.chunk, test.reply))
			if test.reply != ok {
				if b.count() != 0 || b.closed != 1 {
					t.Errorf("%d messages from %d transactions", b.count(), b.closed)
				}
			} else if got := b.only(t).content(t); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// RFC 3030 section 3: what is not offered is not taken, and never goes by DATA.
func TestBINARYMIMENeedsAPromiseAndBDAT(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		G: EHLO
		C: MAIL FROM:<a@example.org> BODY=BINARYMIME
		S: 501 5.5.4 Malformed parameter
	`)
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Extensions: []string{"BINARYMIME"}}
	play(t, s, `
		G: EHLO
		C: MAIL FROM:<a@example.org> body=binarymime\r\nRCPT TO:<b@example.com>\r\nDATA
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 503 5.5.1 A BINARYMIME message needs BDAT
		C: RSET
		S: 250 2.0.0 OK
		C: MAIL FROM:<a@example.org> BODY=BINARYMIME\r\nRCPT TO:<b@example.com>\r\nDATA\r\nevil
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 503 5.5.1 A BINARYMIME message needs BDAT
		S: 421 4.5.0 Data before its 354, closing the connection
		S!
	`)
	if b.count() != 0 || b.closed != 2 {
		t.Errorf("%d messages from %d transactions", b.count(), b.closed)
	}
}

// BDAT and DATA may both be used in a session, and BDAT takes a message as DATA does.
func TestBDATAndDATAInOneSession(t *testing.T) {
	b := new(inbox)
	const mail = `C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
	`
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		`+mail+`
		C: bdat 7 last\r\nhello
		S: 250 2.0.0 OK queued as ID
		`+mail+`
		C: DATA
		S: 354 ...
		C: hello\r\n.
		S: 250 2.0.0 OK queued as ID
		`+mail+`
		C: BDAT 7 LAST\r\nhello
		S: 250 2.0.0 OK queued as ID
	`)
	if len(b.messages) != 3 || b.closed != 3 {
		t.Fatalf("%d messages", len(b.messages))
	}
	for _, m := range b.messages {
		if m.content(t) != "hello\r\n" {
			t.Errorf("got %q", m.text)
		}
	}
}

// What changes nothing is answered between two chunks; what cannot be there is
// refused, and the message goes on.
func TestBDATCommandsBetweenChunks(t *testing.T) {
	const no = "503 5.5.1 Not between two chunks of a message: need BDAT or RSET"
	b := new(inbox)
	s := &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}}
	s.Verify = func(_ context.Context, _ *mailparts.Peer, name string) (string, error) {
		return "<" + name + "@example.com>", nil
	}
	play(t, s, toBDAT+`
		C: BDAT 7\r\nhello
		S: 250 2.0.0 OK, 7 octets received
		C: NOOP
		S: 250 2.0.0 OK
		C: VRFY user
		S: 250 2.1.5 <user@example.com>
		C: HELP
		S: 214-2.0.0 Commands:
		S: 214 2.0.0 ...
		C: MAIL FROM:<evil@example.org>
		S: `+no+`
		C: RCPT TO:<evil@example.org>
		S: `+no+`
		C: DATA
		S: `+no+`
		C: STARTTLS
		S: `+no+`
		C: AUTH PLAIN
		S: `+no+`
		C: FOO
		S: 500 5.5.2 Unknown command
		C: RSET now
		S: 501 5.5.4 This command takes no argument
		C: NO\nOP
		S: 500 5.5.2 Lines end with CRLF: CR or LF alone
		C: `+strings.Repeat("x", 3000)+`
		S: 500 5.5.2 Line too long
		C: BDAT 7 LAST\r\nworld
		S: 250 2.0.0 OK queued as ID
		C: BDAT 7 LAST\r\nworld
		S: 503 5.5.1 Need MAIL first
	`)
	if m := b.only(t); m.content(t) != "hello\r\nworld\r\n" || len(m.env.To) != 1 {
		t.Errorf("got %q to %v", m.text, m.env.To)
	}
}

// What ends a message between two chunks is run, once, after Data is over.
func TestBDATIsAbandoned(t *testing.T) {
	for _, test := range []struct{ command, replies string }{
		{`RSET`, "S: 250 2.0.0 OK\nC: BDAT 1 LAST\\r\\nx\nS: 503 ..."},
		{`EHLO again.example.org\r\nMAIL FROM:<a@example.org>`, `S: 250-mx.example.com
			S: 250-PIPELINING
			S: 250-SIZE 52428800
			S: 250-8BITMIME
			S: 250-CHUNKING
			S: 250-SMTPUTF8
			S: 250-ENHANCEDSTATUSCODES
			S: 250-LIMITS RCPTMAX=1000
			S: 250 HELP
			S: 250 2.1.0 OK`},
		{`HELO again.example.org\r\nNOOP`, "S: 250 mx.example.com\nS: 250 2.0.0 OK"},
		{`QUIT\r\nNOOP`, "S: 221 ...\nS!"},
	} {
		for _, early := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/early=%v", test.command, early), func(t *testing.T) {
				b := new(inbox)
				filter := mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
					return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
						if early { // takes a message that will not arrive
							return nil
						}
						return next.Deliver(ctx, env, msg)
					})
				})
				play(t, &smtp.Server{Receiver: mailparts.Chain(b, filter)}, toBDAT+`
					C: BDAT 7\r\nhello
					S: 250 2.0.0 OK, 7 octets received
					C: `+test.command+`
					`+test.replies+`
				`)
				b.mu.Lock()
				defer b.mu.Unlock()
				if len(b.messages) != 0 || b.closed == 0 {
					t.Errorf("%d messages, %d transactions closed", len(b.messages), b.closed)
				}
				if !early && (len(b.failed) != 1 || errors.Is(b.failed[0], io.EOF)) {
					t.Errorf("Read said %v", b.failed)
				}
			})
		}
	}
}

// RFC 2920 section 3.2 holds for chunks, too.
func TestBDATRepliesAreHeldBack(t *testing.T) {
	b := new(inbox)
	c, writes := dialCounted(t, &smtp.Server{Receiver: b})
	c.play(t, "G: EHLO")
	writes.Store(0)
	c.send(t, "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\n"+strings.Repeat("BDAT 7\r\nhello\r\n", 20)+"BDAT 0 LAST\r\n")
	c.play(t, "S: 250 2.1.0 OK\nS: 250 2.1.5 OK\n"+strings.Repeat("S: 250 2.0.0 OK, 7 octets received\n", 20)+"S: 250 2.0.0 OK queued as ID")
	if n := writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
	if got := b.only(t).content(t); got != strings.Repeat("hello\r\n", 20) {
		t.Errorf("got %q", got)
	}
}
