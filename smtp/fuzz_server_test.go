package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"
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
	f.Add([]byte("LHLO x\r\nSTARTTLS\r\nMAIL FROM: <> SIZE=1 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, lmtp := range []bool{false, true} {
			b := new(inbox)
			s := &smtp.Server{Receiver: b, LMTP: lmtp, Mechanisms: plaintextMechanisms(), MaxMessageBytes: 1000}
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
	})
}
