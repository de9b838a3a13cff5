package smtp_test

import (
	"context"
	"crypto/subtle"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// refusing is a Receiver that refuses recipients as a table says.
func refusing(b *inbox, errs map[mailparts.Address]*mailparts.Error) mailparts.Receiver {
	return mailparts.Chain(b, mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if err := errs[to.Addr]; err != nil {
			return err
		}
		return nil
	}))
}

// RFC 1870 section 8: what is too big for one, and for now too big for another.
func TestExampleOfSIZE(t *testing.T) {
	b := new(inbox)
	c := dialServer(t, &smtp.Server{Hostname: "sigurd.innosoft.com", MaxMessageBytes: 1000000, Receiver: refusing(b, map[mailparts.Address]*mailparts.Error{
		"ned@ymir.claremont.edu":   {Code: 552, Status: "5.3.4", Message: "Channel size limit exceeded: ned@YMIR.CLAREMONT.EDU"},
		"ned@hmcvax.claremont.edu": {Code: 452, Status: "4.3.1", Message: "Insufficient channel storage: ned@hmcvax.CLAREMONT.EDU"},
	})})
	c.play(t, "S: 220 sigurd.innosoft.com ...")
	if params := c.offered(t, "EHLO")["SIZE"]; params != "1000000" {
		t.Errorf("EHLO shows SIZE %q", params)
	}
	c.play(t, `
		C: MAIL FROM:<ned@thor.innosoft.com> SIZE=500000
		S: 250 2.1.0 OK
		C: RCPT TO:<ned@innosoft.com>
		S: 250 2.1.5 OK
		C: RCPT TO:<ned@ymir.claremont.edu>
		S: 552 5.3.4 Channel size limit exceeded: ned@YMIR.CLAREMONT.EDU
		C: RCPT TO:<ned@hmcvax.claremont.edu>
		S: 452 4.3.1 Insufficient channel storage: ned@hmcvax.CLAREMONT.EDU
		C: DATA
		S: 354 ...
		C: ...
		C: .
		S: 250 2.0.0 OK queued as ID
		C: QUIT
		S: 221 ...
		S!
	`)
	if env := b.only(t).env; env.Size != 500000 || len(env.To) != 1 || env.To[0].Addr != "ned@innosoft.com" {
		t.Errorf("envelope %+v", env)
	}
}

// RFC 2034 section 6: each reply but the greeting, EHLO's and 354 has a status, and
// of two lines each has it.
func TestExampleOfENHANCEDSTATUSCODES(t *testing.T) {
	c := dialServer(t, &smtp.Server{Hostname: "dbc.mtview.ca.us", Receiver: refusing(new(inbox), map[mailparts.Address]*mailparts.Error{
		"nosuchuser@dbc.mtview.ca.us": {Code: 550, Status: "5.1.1", Message: `Mailbox "nosuchuser" does not exist`},
		"remoteuser@isi.edu":          {Code: 551, Status: "5.7.1", Message: "Forwarding to remote hosts disabled\nSelect another host to act as your forwarder"},
	})})
	c.play(t, "S: 220 dbc.mtview.ca.us ESMTP")
	if _, ok := c.offered(t, "EHLO")["ENHANCEDSTATUSCODES"]; !ok {
		t.Error("not offered")
	}
	c.play(t, `
		C: MAIL FROM:<ned@ymir.claremont.edu>
		S: 250 2.1.0 ...
		C: RCPT TO:<mrose@dbc.mtview.ca.us>
		S: 250 2.1.5 ...
		C: RCPT TO:<nosuchuser@dbc.mtview.ca.us>
		S: 550 5.1.1 Mailbox "nosuchuser" does not exist
		C: RCPT TO:<remoteuser@isi.edu>
		S: 551-5.7.1 Forwarding to remote hosts disabled
		S: 551 5.7.1 Select another host to act as your forwarder
		C: DATA
		S: 354 End data ...
		C: ...
		C: .
		S: 250 2.0.0 ...
		C: QUIT
		S: 221 2.0.0 ...
	`)
}

// RFC 2920 section 4: without pipelining, with it, and with it where nobody is
// accepted.
func TestExamplesOfPIPELINING(t *testing.T) {
	b := new(inbox)
	relaying := &mailparts.Error{Code: 550, Status: "5.7.1", Message: "remote mail not allowed"}
	s := &smtp.Server{Hostname: "innosoft.com", Receiver: refusing(b, map[mailparts.Address]*mailparts.Error{
		"nsb@thumper.bellcore.com": relaying, "galvin@tis.com": relaying,
	})}
	l := startServer(t, s)
	connectTo(t, l).play(t, `
		S: 220 innosoft.com ...
		C: HELO dbc.mtview.ca.us
		S: 250 innosoft.com
		C: MAIL FROM:<mrose@dbc.mtview.ca.us>
		S: 250 ...
		C: RCPT TO:<ned@innosoft.com>
		S: 250 ...
		C: RCPT TO:<dan@innosoft.com>
		S: 250 ...
		C: RCPT TO:<kvc@innosoft.com>
		S: 250 ...
		C: DATA
		S: 354 ...
		C: ...
		C: .
		S: 250 ...
		C: QUIT
		S: 221 ...
		S!
	`)
	connectTo(t, l).play(t, `
		G: EHLO
		C: MAIL FROM:<mrose@dbc.mtview.ca.us>\r\nRCPT TO:<ned@innosoft.com>\r\nRCPT TO:<dan@innosoft.com>\r\nRCPT TO:<kvc@innosoft.com>\r\nDATA
		S: 250 ...
		S: 250 ...
		S: 250 ...
		S: 250 ...
		S: 354 ...
		C: ...\r\n.\r\nQUIT
		S: 250 ...
		S: 221 ...
		S!
	`)
	connectTo(t, l).play(t, `
		G: EHLO
		C: MAIL FROM:<mrose@dbc.mtview.ca.us>\r\nRCPT TO:<nsb@thumper.bellcore.com>\r\nRCPT TO:<galvin@tis.com>\r\nDATA
		S: 250 ...
		S: 550 5.7.1 remote mail not allowed
		S: 550 5.7.1 remote mail not allowed
		S: 554 5.5.1 No valid recipients
		C: QUIT
		S: 221 ...
		S!
	`)
	if n := b.count(); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// RFC 6152 section 4.
func TestExampleOf8BITMIME(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: EHLO
		C: MAIL FROM:<ned@ymir.claremont.edu> BODY=8BITMIME
		S: 250 ...
		C: RCPT TO:<mrose@dbc.mtview.ca.us>
		S: 250 ...
		C: DATA
		S: 354 ...
		C: caf\xff
		C: .
		S: 250 ...
		C: QUIT
		S: 221 ...
	`)
	if m := b.only(t); m.env.Body != "8BITMIME" || !strings.HasSuffix(m.text, "\r\ncaf\xff\r\n") {
		t.Errorf("%q of type %q", m.text, m.env.Body)
	}
}

// test is RFC 4954's user, whose password is 1234.
func test(_ context.Context, c *sasl.Credentials) (string, error) {
	if c.User != "test" || subtle.ConstantTimeCompare([]byte(c.Password), []byte("1234")) == 0 {
		return "", sasl.ErrDenied
	}
	return c.User, nil
}

// external is the mechanism of that name (RFC 4422 appendix A): who the peer is, it
// has proved to TLS.
type external struct{}

func (external) User() string { return "certified" }
func (external) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return nil, false, nil
	}
	return nil, true, nil
}

// challenge is a mechanism that begins with the server's word, as CRAM-MD5 does.
type challenge struct{ asked bool }

func (*challenge) User() string { return "answered" }
func (x *challenge) Next(response []byte) ([]byte, bool, error) {
	if !x.asked {
		x.asked = true
		return []byte("<41294234.12828472@sourcefour.andrew.cmu.edu>"), false, nil
	}
	if string(response) != "rjs3 ec3a59fed395aba1ec6367c4f4b41ac0" {
		return nil, false, sasl.ErrDenied
	}
	return nil, true, nil
}

// RFC 3207 section 5 and RFC 4954 section 4.1, which begins where that ends: what
// shows a password is offered under TLS only.
func TestExamplesOfSTARTTLSAndAUTH(t *testing.T) {
	mechanisms := append([]sasl.Mechanism{
		{Name: "EXTERNAL", New: func(context.Context, *sasl.Conn) sasl.Exchange { return external{} }},
		{Name: "X-CHALLENGE", New: func(context.Context, *sasl.Conn) sasl.Exchange { return new(challenge) }},
	}, sasl.Mechanisms(sasl.AuthenticatorFunc(test))...)
	l := startServer(t, &smtp.Server{Hostname: "mx.example.com", TLSConfig: testTLS(), Receiver: new(inbox), Mechanisms: mechanisms})
	for name, exchange := range map[string]string{
		"PLAIN": `
			C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
			S: 235 2.7.0 ...`,
		"PLAIN, without an initial response": `
			C: AUTH PLAIN
			# There is a single space following the 334.
			S: 334 
			C: dGVzdAB0ZXN0ADEyMzQ=
			S: 235 2.7.0 ...`,
		"the server begins": `
			C: AUTH X-CHALLENGE
			S: 334 PDQxMjk0MjM0LjEyODI4NDcyQHNvdXJjZWZvdXIuYW5kcmV3LmNtdS5lZHU+
			C: cmpzMyBlYzNhNTlmZWQzOTVhYmExZWM2MzY3YzRmNGI0MWFjMA==
			S: 235 2.7.0 ...`,
		"EXTERNAL, of a derived identity": `
			C: AUTH EXTERNAL =
			S: 235 2.7.0 ...`,
	} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, l)
			c.play(t, "S: 220 ...")
			if got := c.offered(t, "EHLO"); got["AUTH"] != "EXTERNAL X-CHALLENGE" {
				t.Errorf("in plaintext EHLO shows AUTH %s", got["AUTH"])
			} else if _, ok := got["STARTTLS"]; !ok {
				t.Error("no STARTTLS")
			}
			c.play(t, "C: STARTTLS\nS: 220 2.0.0 ...\nT:")
			got := c.offered(t, "EHLO")
			if got["AUTH"] != "EXTERNAL X-CHALLENGE PLAIN LOGIN" {
				t.Errorf("under TLS EHLO shows AUTH %s", got["AUTH"])
			}
			if _, ok := got["STARTTLS"]; ok {
				t.Error("STARTTLS under TLS")
			}
			c.play(t, exchange)
		})
	}
}

// RFC 4954 section 5.1.
func TestExamplesOfAuthParameter(t *testing.T) {
	b := new(inbox)
	s := &smtp.Server{Receiver: b, Auth: users{}, Trusted: prefixes("127.0.0.1/32")}
	play(t, s, `
		G: EHLO
		C: MAIL FROM:<e=mc2@example.com> AUTH=e+3Dmc2@example.com
		S: 250 ...
		C: RCPT TO:<b@example.com>\r\nDATA\r\n.
		S: 250 ...
		S: 354 ...
		S: 250 ...
		C: MAIL FROM:<john+@example.org> AUTH=<>
		S: 250 ...
	`)
	if sender := b.only(t).env.AuthSender; sender == nil || *sender != "e=mc2@example.com" {
		t.Errorf("AUTH= is %v", sender)
	}
}
