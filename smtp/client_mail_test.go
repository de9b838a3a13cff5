package smtp_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// TestMailParameters looks at the MAIL command of a Deliver.
func TestMailParameters(t *testing.T) {
	const short, eight = "hello\r\n", "h\xc3\xa9llo\r\n"
	seekable := func(s string) io.Reader { return strings.NewReader(s) }
	tests := []struct {
		name       string
		extensions []string
		env        func(*mailparts.Envelope)
		msg        io.Reader
		want       string // after MAIL FROM:<a@example.org>, or code and status
	}{
		{"nothing offered", nil, func(e *mailparts.Envelope) { e.Size = 7 }, seekable(short), ""},
		{"SIZE as announced", []string{"SIZE"}, func(e *mailparts.Envelope) { e.Size = 99 }, text(short), " SIZE=99"},
		{"SIZE as it is", []string{"SIZE"}, func(e *mailparts.Envelope) { e.Size = 99 }, seekable(short), " SIZE=7"},
		{"SIZE not known", []string{"SIZE"}, nil, text(short), ""},
		{"SIZE at the limit", []string{"SIZE 7"}, nil, seekable(short), " SIZE=7"},
		{"SIZE over the limit", []string{"SIZE 6"}, nil, seekable(short), "552 5.3.4"},
		{"SIZE 0 is no limit", []string{"SIZE 0"}, nil, seekable(short), " SIZE=7"},
		{"SIZE of nonsense is no limit", []string{"SIZE x"}, nil, seekable(short), " SIZE=7"},

		{"8BITMIME", []string{"8BITMIME"}, eightBit, text(eight), " BODY=8BITMIME"},
		{"8BITMIME not declared", []string{"8BITMIME"}, nil, text(eight), ""},
		{"8BITMIME not offered", nil, eightBit, seekable(eight), "554 5.6.3"},
		{"8BITMIME not offered, and the message has 7 bits", nil, eightBit, seekable(short), ""},
		{"8BITMIME not offered, and nobody knows", nil, eightBit, text(short), "554 5.6.3"},
		{"BINARYMIME", []string{"8BITMIME", "BINARYMIME", "CHUNKING"}, binary, text(short), " BODY=BINARYMIME"},
		{"BINARYMIME without CHUNKING", []string{"8BITMIME", "BINARYMIME"}, binary, text(short), "554 5.6.3"},
		{"CHUNKING without BINARYMIME", []string{"8BITMIME", "CHUNKING"}, binary, text(short), "554 5.6.3"},
		{"a hand-made body type", []string{"8BITMIME"}, func(e *mailparts.Envelope) { e.Body = "8BITMIME SIZE=1" }, text(short), "501 5.5.4"},
		{"7BIT", []string{"8BITMIME"}, func(e *mailparts.Envelope) { e.Body = "7BIT" }, text(short), ""},

		{"SMTPUTF8", []string{"SMTPUTF8"}, func(e *mailparts.Envelope) { e.UTF8 = true }, text(short), " SMTPUTF8"},
		{"SMTPUTF8 not offered", nil, func(e *mailparts.Envelope) { e.UTF8 = true }, text(short), "553 5.6.7"},
		{"SMTPUTF8 not offered, and the message has 7 bits", nil, func(e *mailparts.Envelope) { e.UTF8 = true }, seekable(short), ""},
		{"SMTPUTF8 not offered, and the message has 8 bits", nil, func(e *mailparts.Envelope) { e.UTF8 = true }, seekable(eight), "553 5.6.7"},
		{"SMTPUTF8 not offered, and the sender needs it", nil, func(e *mailparts.Envelope) { e.From = "jos\u00e9@example.org" }, seekable(short), "553 5.6.7"},
		{"SMTPUTF8 for a recipient", nil, func(e *mailparts.Envelope) { e.To[0].Addr = "jos\u00e9@example.com" }, text(short), "553 5.6.7"},
		{"all of them", []string{"SIZE", "8BITMIME", "SMTPUTF8"}, func(e *mailparts.Envelope) { eightBit(e); e.UTF8 = true }, seekable(short), " SIZE=7 BODY=8BITMIME SMTPUTF8"},

		{"a hand-made sender", nil, func(e *mailparts.Envelope) { e.From = "a@example.org> SIZE=1" }, text(short), "553 5.1.7"},
		{"and another", nil, func(e *mailparts.Envelope) { e.From = "a\r\nQUIT" }, text(short), "553 5.1.7"},
		{"and one with NUL", nil, func(e *mailparts.Envelope) { e.From = "a\x00@example.org" }, text(short), "553 5.1.7"},
		{"an open quote", nil, func(e *mailparts.Envelope) { e.From = `"a@example.org` }, text(short), "553 5.1.7"},
		{"an open quote behind a backslash", nil, func(e *mailparts.Envelope) { e.From = `"a\"@example.org` }, text(short), "553 5.1.7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			script := ready(test.extensions...)
			refused := test.want != "" && test.want[0] != ' '
			if !refused {
				script += "C: MAIL FROM:<a@example.org>" + test.want + "\nS: 550 stop\n"
			}
			f := newFake(t, script)
			env := letter("b@example.com")
			if test.env != nil {
				test.env(env)
			}
			c := f.connect(nil)
			err := c.Deliver(t.Context(), env, test.msg)
			if want := test.want; refused && codes(err, 1) != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if e := mailparts.AsError(err); refused && e.Host != "" {
				t.Errorf("our own words as those of %s", e.Host)
			}
			c.Close()
			f.wait()
		})
	}
}

func eightBit(env *mailparts.Envelope) { env.Body = "8BITMIME" }
func binary(env *mailparts.Envelope)   { env.Body = "BINARYMIME" }

// Deliver leaves a message that can seek where Deliver found it, and sends it from
// there.
func TestDeliverFromTheMiddle(t *testing.T) {
	f := newFake(t, ready("SIZE")+`
		C: MAIL FROM:<a@example.org> SIZE=5
		S: 250 ok
		C: RCPT TO:<b@example.com>
		S: 250 ok
		C: DATA
		S: 354 go
		C: two
		C: .
		S: 250 ok`)
	msg := strings.NewReader("one\r\ntwo\r\n")
	msg.Seek(5, io.SeekStart)
	env := letter("b@example.com")
	eightBit(env)
	if err := f.connect(nil).Deliver(t.Context(), env, msg); err != nil {
		t.Error(err)
	}
}

// The steps of a transaction, one by one.
func TestMailRcptData(t *testing.T) {
	f := newFake(t, ready("PIPELINING", "SIZE")+`
		C: MAIL FROM:<a@example.org> SIZE=7
		S: 250 ok
		C: RCPT TO:<b@example.com>
		S: 550 5.1.1 no
		C: RCPT TO:<c@example.com>
		S: 250 ok
		C: RSET
		S: 250 ok
		C: MAIL FROM:<a@example.org> SIZE=7
		S: 250 ok
		# a MAIL in a transaction aborts it
		C: RSET
		S: 250 ok
		C: MAIL FROM:<a@example.org> SIZE=7
		S: 250 ok
		C: RCPT TO:<b@example.com>
		S: 250 ok
		C: DATA
		S: 354 go
		C: hello
		C: .
		S: 250 2.0.0 queued as 17`)
	c, ctx := f.connect(nil), t.Context()
	env := letter()
	env.Size = 7
	b, bad := &mailparts.Rcpt{Addr: "b@example.com"}, &mailparts.Rcpt{Addr: "b@example.com>"}
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"DATA first", func() error { _, err := c.Data(ctx, text("x\r\n")); return err }, "554 5.5.1"},
		{"MAIL", func() error { return c.Mail(ctx, env) }, "ok"},
		{"RCPT refused", func() error { return c.Rcpt(ctx, b) }, "550 5.1.1"},
		{"DATA for nobody", func() error { _, err := c.Data(ctx, text("x\r\n")); return err }, "554 5.5.1"},
		{"RCPT", func() error { return c.Rcpt(ctx, &mailparts.Rcpt{Addr: "c@example.com"}) }, "ok"},
		{"RCPT hand-made", func() error { return c.Rcpt(ctx, bad) }, "553 5.1.3"},
		{"RCPT of 8 bits", func() error { return c.Rcpt(ctx, &mailparts.Rcpt{Addr: "\u00e9@example.com"}) }, "553 5.6.7"},
		{"RSET", func() error { return c.Reset(ctx) }, "ok"},
		{"DATA after RSET", func() error { _, err := c.Data(ctx, text("x\r\n")); return err }, "554 5.5.1"},
		{"MAIL", func() error { return c.Mail(ctx, env) }, "ok"},
		{"MAIL again", func() error { return c.Mail(ctx, env) }, "ok"},
		{"RCPT", func() error { return c.Rcpt(ctx, b) }, "ok"},
	}
	for _, s := range steps {
		if err := s.do(); codes(err, 1) != s.want {
			t.Fatalf("%s: got %v, want %s", s.name, err, s.want)
		}
	}
	reply, err := c.Data(ctx, text("hello\r\n"))
	if reply != "250 2.0.0 queued as 17" || err != nil {
		t.Errorf("got %q, %v", reply, err)
	}
}

func TestDataLMTP(t *testing.T) {
	f := newFake(t, `
		S: 220 mx
		C: LHLO client.example
		S: 250 mx
		C: MAIL FROM:<a@example.org>
		S: 250 ok
		C: RCPT TO:<b@example.com>
		S: 250 ok
		C: RCPT TO:<c@example.com>
		S: 250 ok
		C: DATA
		S: 354 go
		C: hello
		C: .
		S: 452 4.2.2 full
		S: 250 2.0.0 saved`)
	d := f.dialer()
	d.LMTP = true
	c, ctx := f.connect(d), t.Context()
	err := errors.Join(c.Mail(ctx, letter()), c.Rcpt(ctx, &mailparts.Rcpt{Addr: "b@example.com"}), c.Rcpt(ctx, &mailparts.Rcpt{Addr: "c@example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Data(ctx, text("hello\r\n"))
	if got := codes(err, 2); reply != "250 2.0.0 saved" || got != "452 4.2.2, ok" {
		t.Errorf("got %q, %s", reply, got)
	}
}

// After Close, and after Quit, a Client is of no use and says so.
func TestClosedClient(t *testing.T) {
	for name, end := range map[string]func(*smtp.Client) error{
		"Close": (*smtp.Client).Close,
		"Quit":  func(c *smtp.Client) error { return c.Quit(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			script := ready()
			if name == "Quit" {
				script += "C: QUIT\nS: 221 bye\n"
			}
			f := newFake(t, script+"C!")
			c := f.connect(nil)
			if err := end(c); err != nil {
				t.Error(err)
			}
			if err := c.Noop(t.Context()); err == nil {
				t.Error("NOOP went through")
			}
			if err := c.Quit(t.Context()); name == "Quit" && err != nil {
				t.Errorf("a second Quit: %v", err)
			}
			f.wait()
		})
	}
}

// FuzzAddress: whatever an Address is, the client says nothing but its commands.
func FuzzAddress(f *testing.F) {
	for _, a := range []string{"b@example.com", "", "postmaster", `"a>b c\"d"@example.com`, "b@example.com> SIZE=1", "b\r\nQUIT", `"b\`, `b"<"c@example.com`, "\u00e9@example.com", "b@[IPv6:::1]", "b@[v6:::<]"} {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := mailparts.Address(s)
		c, nc := cannedClient(t, "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n", "PIPELINING")
		env := letter(a)
		env.From = a
		err := c.Deliver(t.Context(), env, text("hello\r\n"))
		got := nc.written.String()
		if err == nil && got != "MAIL FROM:<"+s+">\r\nRCPT TO:<"+s+">\r\nDATA\r\nhello\r\n.\r\n" || err != nil && got != "" {
			t.Fatalf("sent %q, and %v", got, err)
		}
		if err == nil && pathEnd("<"+s+"> ") != len(s)+2 {
			t.Errorf("%q ends elsewhere than its path", s)
		}
		valid, perr := mailparts.ParseAddress(s)
		if perr == nil && valid.IsASCII() && !strings.HasSuffix(s, "]") && err != nil {
			t.Errorf("%q is valid, and refused: %v", s, err)
		}
	})
}

// pathEnd is where a server sees the path end that s begins with, or -1 (RFC 5321
// section 4.1.2).
func pathEnd(s string) int {
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f || !quoted && (c == ' ' || c == '<'):
			return -1
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return i + 1
		}
	}
	return -1
}
