package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// FuzzSession sends anything to a server. Whatever it is, each reply is one, every
// transaction is closed, and what is accepted has no CR or LF alone.
func FuzzSession(f *testing.F) {
	const begin = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
	f.Add([]byte(begin + "hello\r\n..\r\n.\r\nQUIT\r\n"))
	f.Add([]byte(begin + "a\n.\r\nRSET\r\n\r\n.\r\n"))
	f.Add([]byte(begin + "a\r\r\n.\r\nNOOP\r\n"))
	f.Add([]byte("EHLO x\r\nAUTH PLAIN\r\nAHVzZXIAc2VjcmV0\r\nAUTH LOGIN =\r\n*\r\n"))
	const chunks = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\nhi\r"
	f.Add([]byte(chunks + "NOOP\r\nBDAT 6\r\n\n.\r\n\r\nBDAT 3 LAST\r\nyo\nQUIT\r\n"))
	f.Add([]byte(chunks + "BDAT 18446744073709551616\r\nRSET\r\n"))
	f.Add([]byte(chunks + "VRFY a\r\nDATA\r\nRSET\r\nBDAT 6 LAST\r\nRSET\r\nMAIL FROM:<a@b>\r\n"))
	f.Add([]byte(chunks + "BDAT 9 LAST\r\nhello\r\n"))
	f.Add([]byte("LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 999\r\nhi\nMAIL FROM:<e@f>\r\nBDAT 0 LAST\r\n"))
	f.Add([]byte("HELO x\r\nVRFY a\r\nHELP\r\nBDAT 3\r\nabc"))
	f.Add([]byte("EHLO x\r\nEXPN a SMTPUTF8\r\nVRFY b\r\nETRN @a.b\r\nHELP expn\r\nMAIL FROM:<> RET=FULL ENVID=a MT-PRIORITY=3 BY=60;R\r\nRCPT TO:<a> NOTIFY=NEVER\r\n"))
	f.Add([]byte("LHLO x\r\nSTARTTLS\r\nMAIL FROM: <> SIZE=1 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, lmtp := range []bool{false, true} {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, LMTP: lmtp, Mechanisms: plaintextMechanisms(), MaxMessageBytes: 1000, Domain: "example.com",
				Extensions: []string{"DSN", "DELIVERBY", "MT-PRIORITY MIXER", "FUTURERELEASE 600", "RRVS"},
				Verify: func(_ context.Context, _ *mailparts.Peer, name string) (string, error) {
					return "<a@example.com>\n" + name, nil
				},
				Expand: func(_ context.Context, _ *mailparts.Peer, list string) ([]string, error) {
					return []string{list, "<a@example.com>"}, nil
				},
				Flush: func(context.Context, *mailparts.Peer, string) error { return nil }}
			c := connectTo(t, startServer(t, s))
			go func() {
				c.Write(input)
				c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			}()
			replies, err := io.ReadAll(c.r)
			if err != nil {
				t.Fatal(err)
			}
			checkReplies(t, string(replies))
			s.Shutdown(context.Background())
			if b.open != 0 {
				t.Fatalf("%d transactions are open", b.open)
			}
			for _, m := range b.messages {
				if strings.ContainsAny(strings.ReplaceAll(m.text, "\r\n", ""), "\r\n") {
					t.Fatalf("accepted %q", m.text)
				}
			}
		}
	})
}

func checkReplies(t *testing.T, replies string) {
	t.Helper()
	more := false
	for l := range strings.SplitAfterSeq(replies, "\n") {
		if l == "" {
			break
		}
		text, ok := strings.CutSuffix(l, "\r\n")
		if !ok || len(text) < 4 || len(l) > 512 || text[0] < '2' || text[0] > '5' || text[3] != ' ' && text[3] != '-' {
			t.Fatalf("no reply: %q", l)
		}
		for i := range len(text) {
			if text[i] < ' ' || text[i] > '~' {
				t.Fatalf("octet %x in %q", text[i], l)
			}
		}
		more = text[3] == '-'
	}
	if more {
		t.Fatalf("the last reply goes on: %q", replies)
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add([]byte("MAIL FROM:<a@b> SIZE=1"))
	f.Add([]byte("noop \x00"))
	f.Add([]byte("AUTH PLAIN " + strings.Repeat("A", 3000)))
	f.Add([]byte("rcpt to:<\u00fc@b> NOTIFY=NEVER ORCPT=utf-8;\\x{FC}"))
	f.Add([]byte("ETRN @example.com"))
	f.Add([]byte("expn \u00fc SMTPUTF8 "))
	f.Fuzz(func(t *testing.T, l []byte) {
		verb, arg, err := smtp.ParseCommand(l)
		if err != nil {
			return
		}
		if verb == "" || verb != strings.ToUpper(verb) || !utf8.ValidString(arg) || strings.ContainsAny(arg, "\x00\r\n\t\x7f") {
			t.Fatalf("%q: verb %q, argument %q", l, verb, arg)
		}
		if len(l) > 2046 && verb != "AUTH" {
			t.Fatalf("%q of %d octets", verb, len(l))
		}
	})
}

// FuzzPath checks that an address that was accepted can be written to the next
// server and is the same there, whatever it is made of.
func FuzzPath(f *testing.F) {
	for _, arg := range []string{
		"FROM:<a@b>", "FROM: <> SIZE=1", `FROM:<"a> b"@c> X=y`, "FROM:<@a,@b:c@d>", "FROM:<@a:@b:c@d>", `FROM:<"\>"@a>`,
		"FROM:<a@[IPv6:::1]>", "FROM:<ü@ü>", "from:<\"", "FROM:<@a,@b>",
	} {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		path, params, ok := smtp.CutPath(arg, "FROM:")
		if !ok {
			return
		}
		if !strings.HasSuffix(arg, "<"+path+">"+params) || params != "" && params[0] != ' ' {
			t.Fatalf("%q: path %q, parameters %q", arg, path, params)
		}
		a, err := smtp.ParsePath(path)
		if err != nil {
			return
		}
		if again, err := mailparts.ParseAddress(string(a)); again != a || err != nil {
			t.Fatalf("%q becomes %q, which becomes %q, %v", path, a, again, err)
		}
		written, rest, ok := smtp.CutPath("FROM:<"+string(a)+"> SIZE=1", "FROM:")
		if !ok || written != string(a) || rest != " SIZE=1" {
			t.Fatalf("%q is read back as %q with parameters %q", a, written, rest)
		}
	})
}

func FuzzParams(f *testing.F) {
	f.Add(" SIZE=1 BODY=8BITMIME SMTPUTF8")
	f.Add(" a=b=c d-e=<> -f=")
	f.Add(" AUTH=a+2Bb AUTH=+")
	f.Add(" RET=HDRS ENVID=QQ314159+20 BY=120;RT MT-PRIORITY=-3 HOLDFOR=60 REQUIRETLS BODY=BINARYMIME AUTH=e+3Dmc2@example.com")
	f.Add(" SMTPUTF8 HOLDUNTIL=2030-01-01T00:00:00.5Z BY=-999999999;n mt-priority=9")
	f.Add(" NOTIFY=SUCCESS,failure,DELAY ORCPT=rfc822;Dana+2B@Ivory.EDU RRVS=2014-04-03T23:01:00Z;C")
	f.Add(" NOTIFY=NEVER ORCPT=utf-8;j\\x{F6}rg\u00fc@example.com RRVS=2014-04-03t23:01:00+02:00")
	mail, rcpt := smtp.Parsers(&smtp.Server{Auth: users{}, MaxMessageBytes: 1000,
		Extensions: []string{"DSN", "REQUIRETLS", "BINARYMIME", "DELIVERBY 60", "MT-PRIORITY", "FUTURERELEASE 999999999", "RRVS"}})
	f.Fuzz(func(t *testing.T, params string) {
		seen := map[string]bool{}
		smtp.EachParam(params, func(keyword, value string) error {
			if keyword == "" || seen[keyword] || keyword != strings.ToUpper(keyword) || strings.ContainsAny(keyword+value, " =") {
				t.Fatalf("%q: %q is %q", params, keyword, value)
			}
			seen[keyword] = true
			if text, ok := smtp.DecodeXtext(value); ok && len(text) > len(value) {
				t.Fatalf("xtext %q is %q", value, text)
			}
			return nil
		})
		// As a session has them: it is parseCommand that sees to the octets.
		if _, _, err := smtp.ParseCommand([]byte("MAIL FROM:<a@example.org>" + params)); err != nil {
			return
		}
		if env, err := mail("FROM:<a@example.org>" + params); err == nil {
			checkEnvelope(t, env)
		}
		for _, utf8 := range []bool{false, true} {
			if to, err := rcpt(&mailparts.Envelope{UTF8: utf8}, "TO:<b@example.com>"+params); err == nil {
				checkRcpt(t, to, utf8)
			}
		}
	})
}

// checkEnvelope wants what the root's Envelope says of its fields.
func checkEnvelope(t *testing.T, env *mailparts.Envelope) {
	t.Helper()
	deadline := env.By.Time.IsZero() && env.By == mailparts.Deadline{} || !env.By.Return || time.Until(env.By.Time) > time.Second
	switch {
	case env.From != "a@example.org" || env.To != nil,
		env.Size < 0 || env.Size > 1000,
		env.Body != "" && env.Body != "8BITMIME" && env.Body != "BINARYMIME",
		env.Ret != "" && env.Ret != "FULL" && env.Ret != "HDRS",
		len(env.EnvID) > 100 || hasControlOr8Bit(env.EnvID),
		env.Priority < -9 || env.Priority > 9,
		!env.Hold.IsZero() && time.Until(env.Hold) > 999999999*time.Second,
		!deadline,
		!env.By.Time.IsZero() && env.Hold.After(env.By.Time):
		t.Fatalf("envelope %+v", env)
	}
	if a := env.AuthSender; a != nil && *a != "" {
		if again, err := mailparts.ParseAddress(string(*a)); again != *a || err != nil || !env.UTF8 && !a.IsASCII() {
			t.Fatalf("AUTH=%q", *a)
		}
	}
}

// checkRcpt wants what the root's Rcpt says of its fields.
func checkRcpt(t *testing.T, to *mailparts.Rcpt, utf8 bool) {
	t.Helper()
	kind, address, typed := strings.Cut(to.ORcpt, ";")
	switch {
	case to.Addr != "b@example.com",
		to.Notify&mailparts.NotifyNever != 0 && to.Notify != mailparts.NotifyNever,
		to.ORcpt != "" && (!typed || kind == "" || len(to.ORcpt) > 500),
		!utf8 && hasControlOr8Bit(to.ORcpt),
		strings.EqualFold(kind, "utf-8") && strings.ContainsAny(address, " +="),
		!strings.EqualFold(kind, "utf-8") && hasControlOr8Bit(address),
		to.SinceOptional && to.Since.IsZero():
		t.Fatalf("recipient %+v", to)
	}
	if to.ORcpt != "" { // our Client can send it on
		if value, ok := smtp.ORcptValue(to.ORcpt, utf8); !ok || len(value) > 500 {
			t.Fatalf("ORcpt %q is sent as %q, %v", to.ORcpt, value, ok)
		}
	}
}

func hasControlOr8Bit(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < ' ' || r > '~') && r != '\t' }) >= 0
}
