package smtp_test

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// everything is a server that has all extensions, is logged in to, and then says
// words. It ends the transaction before any content.
const everything = "220 mx\r\n" +
	"250-mx\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-DSN\r\n" +
	"250-DELIVERBY\r\n250-MT-PRIORITY\r\n250-RRVS\r\n250-FUTURERELEASE 999999999 2050-01-01T00:00:00Z\r\n250 AUTH PLAIN\r\n" +
	"235 welcome\r\n"

func loggedIn(t testing.TB, words string) (*smtp.Client, *canned) {
	t.Helper()
	nc := &canned{Reader: strings.NewReader(everything + words)}
	d := smtp.Dialer{
		Hostname: "client.example",
		Auth:     smtp.PasswordAuth("tim", "secret"),
		NetDial:  func(context.Context, string, string) (net.Conn, error) { return nc, nil },
	}
	c, err := d.Dial(context.Background(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	nc.written.Reset()
	return c, nc
}

// FuzzParameters: whatever an Envelope holds, the client says one MAIL and one
// RCPT, whose parameters a server understands as they are in the Envelope.
func FuzzParameters(f *testing.F) {
	f.Add("a@example.org", "FULL", "QQ314159", "", "a@example.org", "rfc822;b@example.com", uint8(2), 3, int64(98), int64(1e9))
	f.Add("", "HDRS", "a+b=c d", "8BITMIME", "", `utf-8;jos\x{E9}@example.com`, uint8(1), -9, int64(-5), int64(0))
	f.Add("a@example.org", "FULL SIZE=1", "x\r\nQUIT", "8BITMIME\r\nRSET", "a b\r\n", "x NOTIFY=NEVER;y", uint8(255), 1<<40, int64(1)<<62, int64(-1)<<62)
	f.Add("a@example.org", "", "\x00", "BINARYMIME", "<>", "utf-8;\u00e9 \\+=\x7f", uint8(14), 0, int64(0), int64(1)<<33)
	f.Add("jos\u00e9@example.org", "", "", "7BIT", "e=mc2@example.com", "rfc822;\xff", uint8(8), 0, int64(0), int64(1)<<33)
	f.Fuzz(func(t *testing.T, from, ret, envID, body, sender, orcpt string, notify uint8, priority int, by, since int64) {
		c, nc := loggedIn(t, "250 ok\r\n550 stop\r\n")
		author := mailparts.Address(sender)
		env := letter("b@example.com")
		env.From, env.Ret, env.EnvID, env.Body, env.AuthSender, env.Priority = mailparts.Address(from), ret, envID, body, &author, priority
		env.To[0].ORcpt, env.To[0].Notify = orcpt, mailparts.Notify(notify)
		env.By.Time, env.To[0].Since = time.Now().Add(time.Duration(by)), time.Unix(since, 0)
		env.To[0].SinceOptional = since%2 == 0
		err := c.Deliver(t.Context(), env, text("hello\r\n"))
		got := nc.written.String()
		if got == "" {
			if codes(err, 1) == "550" {
				t.Fatalf("%v, and nothing was said", err)
			}
			return
		}
		mail, rest, _ := strings.Cut(got, "\r\n")
		rcpt, rest, _ := strings.Cut(rest, "\r\n")
		if rest != "" || codes(err, 1) != "550" {
			t.Fatalf("sent %q, and %v", got, err)
		}
		path, said := parameters(t, mail, "MAIL FROM:")
		if path != from || said["RET"] != ret || xtext(t, said["ENVID"]) != envID || said["BODY"] != body && body != "7BIT" {
			t.Errorf("%q for %+v", mail, env)
		}
		if s := xtext(t, said["AUTH"]); s != sender && (s != "<>" || sender != "") {
			t.Errorf("%q for %q", mail, sender)
		}
		path, said = parameters(t, rcpt, "RCPT TO:")
		if path != "b@example.com" {
			t.Errorf("sent %q", rcpt)
		}
		if _, addr, _ := strings.Cut(orcpt, ";"); !strings.HasPrefix(said["ORCPT"], "utf-8;") {
			if _, v, _ := strings.Cut(said["ORCPT"], ";"); xtext(t, v) != addr {
				t.Errorf("%q for %q", rcpt, orcpt)
			}
		}
	})
}

// parameters are those of a command, as a server reads them.
func parameters(t *testing.T, cmd, verb string) (path string, said map[string]string) {
	t.Helper()
	name, rest, _ := strings.Cut(verb, " ")
	path, params, ok := smtp.CutPath(strings.TrimPrefix(cmd, name+" "), rest)
	if !ok || !strings.HasPrefix(cmd, verb) {
		t.Fatalf("sent %q", cmd)
	}
	said = map[string]string{}
	err := smtp.EachParam(params, func(keyword, value string) error {
		said[keyword] = value
		return nil
	})
	if err != nil {
		t.Fatalf("sent %q: %v", cmd, err)
	}
	return path, said
}

func xtext(t *testing.T, s string) string {
	t.Helper()
	text, ok := smtp.DecodeXtext(s)
	if !ok {
		t.Errorf("%q is no xtext", s)
	}
	return text
}

// FuzzContent: a server has the same message by BDAT as by DATA, or none.
func FuzzContent(f *testing.F) {
	for _, s := range []string{"", "hello\r\n", ".\r\n", "\n.\n", "\r\n.\r\nMAIL", "a\r", "\r", "\n", "..\r\n.", "a\r\n\r\r\n"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, msg string, long bool) {
		if long { // into the next chunk
			msg = strings.Repeat("x", clientChunk-len(msg)/2) + msg
		}
		const envelope = "250 ok\r\n250 ok\r\n"
		chunks, by := cannedClient(t, envelope+"250 ok\r\n250 ok\r\n", "PIPELINING", "CHUNKING")
		data, old := cannedClient(t, envelope+"354 go\r\n250 ok\r\n", "PIPELINING")
		err := chunks.Deliver(t.Context(), letter("b@example.com"), text(msg))
		if derr := data.Deliver(t.Context(), letter("b@example.com"), text(msg)); codes(err, 1) != codes(derr, 1) {
			t.Fatalf("by BDAT %v, by DATA %v", err, derr)
		}
		if err != nil {
			if strings.Contains(by.written.String(), "LAST") {
				t.Errorf("%v, and the last chunk was sent", err)
			}
			return
		}
		if got, want := joinChunks(t, by.written.String()), undot(old.written.String()); got != want {
			t.Errorf("by BDAT %.200q, by DATA %.200q", got, want)
		}
	})
}

// FuzzChunkReplies lets a server say anything at all of a message in chunks. It is
// delivered only if all of it was sent, and none of it is sent unless it was asked
// for; what comes next on the connection is a command.
func FuzzChunkReplies(f *testing.F) {
	f.Add("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n", true, false)
	f.Add("250 ok\r\n250 ok\r\n250 ok\r\n552 no\r\n503 no\r\n250 ok\r\n", true, false)
	f.Add("250 ok\r\n250 ok\r\n552 no\r\n250 ok\r\n250 ok\r\n", false, false)
	f.Add("250 ok\r\n550 no\r\n250 ok\r\n", true, true)
	f.Add("550 no\r\n250 ok\r\n250 ok\r\n", true, true)
	f.Add("250 ok\r\n250 ok\r\n421 bye\r\n", false, true)
	msg := lines(2*clientChunk + 2)
	f.Fuzz(func(t *testing.T, words string, pipelining, broken bool) {
		extensions := []string{"CHUNKING", "SIZE"}
		if pipelining {
			extensions[1] = "PIPELINING"
		}
		c, nc := cannedClient(t, words, extensions...)
		end := io.EOF
		if broken {
			end = io.ErrUnexpectedEOF
		}
		err := c.Deliver(t.Context(), letter("b@example.com"), io.MultiReader(text(msg), iotest.ErrReader(end)))
		sent := nc.written.String()
		if err == nil && (broken || !strings.HasSuffix(sent, msg[2*clientChunk:])) {
			t.Errorf("delivered, and what was sent ends with %q", sent[max(0, len(sent)-80):])
		}
		if strings.Contains(sent, "BDAT") && !strings.HasPrefix(words, "2") {
			t.Error("a message that nobody asked for")
		}
		if strings.Contains(sent, "LAST") && broken {
			t.Error("the last chunk of no message")
		}
		nc.written.Reset()
		c.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n"))
		next, _, _ := strings.Cut(nc.written.String(), "\r\n")
		want := "MAIL FROM:<a@example.org>"
		if strings.Contains(sent, "BDAT") && !strings.Contains(sent, "LAST") {
			want = "RSET"
		}
		if next != want && next != "" && (next != "RSET" || err == nil) {
			t.Errorf("then %q, want %s", next, want)
		}
	})
}

// joinChunks is the message that a server has from BDAT commands.
func joinChunks(t *testing.T, sent string) string {
	t.Helper()
	_, sent, _ = strings.Cut(sent, "RCPT TO:<b@example.com>\r\n")
	var b strings.Builder
	for last := false; !last; {
		cmd, rest, _ := strings.Cut(sent, "\r\n")
		size, ok := strings.CutPrefix(cmd, "BDAT ")
		size, last = strings.CutSuffix(size, " LAST")
		n := 0
		for _, c := range size {
			n = n*10 + int(c-'0')
		}
		if !ok || n > len(rest) || last && n != len(rest) {
			t.Fatalf("%q with %d octets left", cmd, len(rest))
		}
		b.WriteString(rest[:n])
		sent = rest[n:]
	}
	return b.String()
}

// undot is the message that a server has from DATA.
func undot(sent string) string {
	_, sent, _ = strings.Cut(sent, "DATA\r\n")
	sent = strings.TrimSuffix("\r\n"+sent, ".\r\n")
	return strings.TrimPrefix(strings.ReplaceAll(sent, "\r\n.", "\r\n"), "\r\n")
}
