package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// dialGoSMTP connects go-smtp's client with STARTTLS.
func dialGoSMTP(t *testing.T, s *smtp.Server) *gosmtp.Client {
	t.Helper()
	nc, err := startServer(t, s).Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := gosmtp.NewClientStartTLS(nc, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestGoSMTPClient(t *testing.T) {
	b := new(inbox)
	c := dialGoSMTP(t, &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}, RequireAuth: true, RequireTLS: true})
	if err := c.Auth(gosasl.NewPlainClient("", "user", "wrong")); err == nil {
		t.Error("a wrong password is accepted")
	} else if e, ok := errors.AsType[*gosmtp.SMTPError](err); !ok || e.Code != 535 || e.EnhancedCode != (gosmtp.EnhancedCode{5, 7, 8}) {
		t.Errorf("a wrong password: %v", err)
	}
	if err := c.Auth(gosasl.NewPlainClient("", "user", "secret")); err != nil {
		t.Fatal(err)
	}
	text := "Subject: hello\r\n\r\n.\r\n..\r\n.hello\r\n"
	if err := c.SendMail("a@example.org", []string{"b@example.com", "c@example.com"}, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	m := b.only(t)
	if m.content(t) != text || len(m.env.To) != 2 || m.env.Peer.User != "user@example.com" {
		t.Errorf("%q to %v from %+v", m.text, m.env.To, m.env.Peer)
	}
}

func TestGoSMTPClientOverLMTP(t *testing.T) {
	b := new(inbox)
	nc, err := startServer(t, &smtp.Server{Receiver: b, LMTP: true}).Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := gosmtp.NewClientLMTP(nc)
	defer c.Close()
	if err := errors.Join(c.Mail("a@example.org", nil), c.Rcpt("b@example.com", nil), c.Rcpt("c@example.com", nil)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("hello\r\n"))
	replies, err := w.CloseWithLMTPResponse()
	if err != nil {
		t.Fatal(err)
	}
	if len(replies) != 2 || b.only(t).content(t) != "hello\r\n" {
		t.Errorf("replies %v, message %q", replies, b.messages[0].text)
	}
}

// The defects of go-smtp's server that dependencies.md lists, each with the test
// that shows that this server does not have it. Those without a test of their own
// elsewhere follow below.
//
//	no say at connect, no context                TestContexts (ConnContext; a Peer at each command)
//	a wrapped error leaks to the client          TestRepliesOfDeliver/wrapped, /unknown
//	a timeout in DATA runs the body as commands  TestTimeoutInsideData
//	BDAT LAST cut short is accepted              TestBDATDisconnect
//	Data of BDAT runs while RSET calls Reset     TestBDATIsAbandoned (Close comes after Data)
//	BDAT of more than 32 bits run as commands    TestBDATThatNeverEnds, TestBDATWithoutASize
//	nested MAIL                                  TestCommandsOutOfOrder
//	RCPT TO:<postmaster> refused                 TestPostmasterWithoutDomain
//	quoted local parts are unquoted              TestQuotedLocalPartStaysQuoted
//	DELIVERBY, MT-PRIORITY on RCPT               TestRcptArguments
//	REQUIRETLS in plaintext                      TestGoSMTPRequireTLSInPlaintext
//	non-ASCII addresses without SMTPUTF8         TestMailArguments, TestRcptArguments
//	bare CR and LF pass into a message           TestFalseEndOfDataIsRefused
//	CRCRLF.CRLF is not an end                    TestTrueEndOfDataAfterBareCR
//	CR and NUL in addresses                      TestMalformedCommands
//	a message of the exact limit is refused      TestMessageSize
//	too big a body is read without bound         TestMessageThatNeverEnds
//	failed RCPT and AUTH are unlimited           TestTooManyErrors, TestAuthFailuresCount
//	Shutdown sends no 421                        TestShutdownSaysGoodbye
//	a failed handshake goes on in plaintext      TestFailedHandshakeEndsTheConnection
//	one flush per reply line                     TestPipelinedCommandsAreOneWrite
//	a refused chunk is parsed as commands        TestSmuggling/Confusion
//	about 100 MB/s of DATA                       BenchmarkBigMessage
func TestGoSMTPRequireTLSInPlaintext(t *testing.T) {
	play(t, &smtp.Server{Receiver: new(inbox)}, `
		G: EHLO
		C: MAIL FROM:<a@example.org> REQUIRETLS
		S: 555 5.5.4 Unknown parameter
	`)
}

// go-smtp's session begins at EHLO. Here ConnContext has its say at connect, and
// the Receiver knows the Peer and its context at each command.
func TestGoSMTPHasNoContext(t *testing.T) {
	var addr string
	s := &smtp.Server{Receiver: mailparts.Chain(new(inbox), mailparts.OnMail(func(ctx context.Context, env *mailparts.Envelope) error {
		if ctx.Value(addrKey{}) != env.Peer.Addr.String() {
			t.Errorf("context has %v, peer is %v", ctx.Value(addrKey{}), env.Peer.Addr)
		}
		return nil
	}))}
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		addr = c.RemoteAddr().String()
		return context.WithValue(ctx, addrKey{}, addr)
	}
	play(t, s, `
		S: 220 ...
		G: EHLO
		C: MAIL FROM:<a@example.org>
		S: 250 2.1.0 OK
	`)
	if addr == "" {
		t.Error("ConnContext was not called")
	}
}

type addrKey struct{}
