package imap_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// RFC 7162 section 3.1.2.2.
func TestNoModSeq(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.Backend = plainBackend{s.Backend} })
	r.fill("1\r\n")
	c := r.login()
	c.do("ENABLE QRESYNC")
	if got := strings.Join(c.do("SELECT INBOX (QRESYNC (1 1))"), "\n"); !strings.Contains(got, "* OK [NOMODSEQ] ") {
		t.Error(got)
	}
	c.play(`
		C: a1 FETCH 1 MODSEQ
		S: a1 BAD There are no mod-sequences in this mailbox
		C: a2 FETCH 1 FLAGS (CHANGEDSINCE 1)
		S: a2 BAD There are no mod-sequences in this mailbox
		C: a3 SEARCH MODSEQ 1
		S: a3 BAD There are no mod-sequences in this mailbox
		C: a4 STORE 1 (UNCHANGEDSINCE 1) FLAGS \Seen
		S: a4 BAD There are no mod-sequences in this mailbox
		C: a5 STORE 1 FLAGS \Deleted
		S: * 1 FETCH (UID 1 FLAGS (\Deleted))
		S: a5 OK STORE completed
		C: a6 EXPUNGE
		S: * VANISHED 1
		S: a6 OK EXPUNGE completed
	`)
}

// A command that is BAD enables nothing, and an empty MODIFIED is none.
func TestConditionalStoreOfNothing(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	r.selecting().play(`
		C: a1 STORE 1 (UNCHANGEDSINCE 1) FLAGS
		S: a1 BAD Missing argument
		C: a2 FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)
		S: a2 BAD VANISHED is for ...
		C: a3 FETCH 1 FLAGS (CHANGEDSINCE 1 NONSENSE)
		S: a3 BAD Unknown modifier of FETCH
		C: a4 FETCH 1 FLAGS
		S: * 1 FETCH (FLAGS (\Recent))
		S: a4 OK FETCH completed
		C: a5 UID STORE 9 (UNCHANGEDSINCE 0) +FLAGS (\Seen)
		S: * OK [HIGHESTMODSEQ ...
		S: a5 OK STORE completed
		C: a6 UID STORE 1 +FLAGS.SILENT ()
		S: a6 OK STORE completed
	`)
}

// EXAMINE changes nothing, and does not make messages old.
func TestGoIMAPDefectExamineProtects(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n")
	if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagDeleted}}); err != nil {
		t.Fatal(err)
	}
	c := r.login()
	got := c.do("EXAMINE INBOX")
	if all := strings.Join(got, "\n"); !strings.Contains(all, "[PERMANENTFLAGS ()]") || !strings.Contains(all, "* 2 RECENT") || !strings.Contains(all, "OK [READ-ONLY]") {
		t.Error(all)
	}
	c.play(`
		C: a1 STORE 1 +FLAGS (\Seen)
		S: a1 NO [NOPERM] The mailbox is read-only
		C: a2 EXPUNGE
		S: a2 NO [NOPERM] The mailbox is read-only
		C: a3 UID EXPUNGE 1
		S: a3 NO [NOPERM] The mailbox is read-only
		C: a4 MOVE 1 INBOX
		S: a4 NO [NOPERM] The mailbox is read-only
		C: a5 FETCH 1 (FLAGS BODY[])
		S: * 1 FETCH (FLAGS (\Deleted \Recent) BODY[] {3}
		1
		)
		S: a5 OK FETCH completed
		C: a6 REPLACE 1 INBOX {3}
		S: a6 NO [NOPERM] The mailbox is read-only
		C: a7 CLOSE
		S: a7 OK CLOSE completed
		C: a8 STATUS INBOX (MESSAGES RECENT)
		S: * STATUS INBOX (MESSAGES 2 RECENT 2)
		S: a8 OK STATUS completed
	`)
}

// RFC 4314 section 4: CLOSE without the right to expunge is OK. So it is if the store
// fails: the mailbox is closed.
func TestCloseWithoutExpunge(t *testing.T) {
	memory := new(mailtest.Memory)
	alice, err := memory.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := mailparts.SetACL(t.Context(), alice, "INBOX", "bob", "lrswt"); err != nil {
		t.Fatal(err)
	}
	f := &faults{left: -1}
	r := start(t, func(s *imap.Server) { s.Backend = memory })
	r.fill("1\r\n", "2\r\n")
	c := r.dial()
	c.do(`LOGIN bob "open sesame"`)
	c.do(`SELECT "Other Users/alice/INBOX"`)
	c.play(`
		C: a1 STORE 1 +FLAGS.SILENT (\Deleted)
		S: a1 OK STORE completed
		C: a2 EXPUNGE
		S: a2 NO [NOPERM] Not permitted
		C: a3 COPY 1 "Other Users/alice/INBOX"
		S: a3 NO [NOPERM] Not permitted
		C: a4 MOVE 1 INBOX
		S: a4 NO [NOPERM] Not permitted
		C: a5 CLOSE
		S: a5 OK CLOSE completed
		C: a6 FETCH 1 FLAGS
		S: a6 BAD Not permitted in this state
	`)
	faulty := start(t, func(s *imap.Server) { s.Backend = faultyBackend{memory, f} })
	c = faulty.selecting()
	f.arm(0)
	c.play(`
		C: a1 CLOSE
		S: * NO Messages with \Deleted could not be removed
		S: a1 OK CLOSE completed
	`)
}

// A selected mailbox that others delete ends the session; one that the client deletes
// itself is left.
func TestSelectedMailboxDeleted(t *testing.T) {
	r := start(t, nil)
	m := r.store.(mailparts.Manager)
	for _, name := range []string{"a", "b"} {
		if err := m.Create(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	c := r.login()
	c.do("SELECT a")
	c.play(`
		C: a1 DELETE a
		S: a1 OK DELETE completed
		C: a2 NOOP
		S: a2 OK NOOP completed
		C: a3 FETCH 1 FLAGS
		S: a3 BAD Not permitted in this state
	`)
	for _, command := range []string{"NOOP", "UID FETCH 1:* FLAGS", "UID STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "SEARCH ALL"} {
		c := r.login()
		if err := m.Create(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		c.do("SELECT c")
		if err := m.Delete(t.Context(), "c"); err != nil {
			t.Fatal(err)
		}
		all := c.do(command)
		if !strings.Contains(strings.Join(all, "\n"), "* BYE [UNAVAILABLE] The selected mailbox was deleted") {
			t.Errorf("%s: %q", command, all)
		}
		c.ends()
	}
}

// Malformed, unknown and misplaced commands are counted in a row, before log-in to three.
func TestTooManyErrors(t *testing.T) {
	r := start(t, nil)
	c := r.dial()
	io.WriteString(c, "a1 NONSENSE\r\na2 NOOP\r\na3 SELECT x\r\n\r\na4 NOOP x\r\n")
	c.play(`
		S: a1 BAD Unknown command
		S: a2 OK NOOP completed
		S: a3 BAD Not permitted in this state
		S: * BAD Malformed tag
		S: a4 BAD Unexpected text after the command
		S: * BYE Too many errors
	`)
	c.ends()
	c = r.login()
	for range 19 {
		equal(t, c.do("NONSENSE"), []string{"BAD Unknown command"})
	}
	equal(t, c.do("NOOP"), []string{"OK NOOP completed"})
	for range 19 {
		c.do("UID NONSENSE")
	}
	equal(t, c.do("+"), []string{"BAD Unknown command"})
	if got := c.response(); got != "* BYE Too many errors" {
		t.Error(got)
	}
	// As HTTP is (an attack from a web page).
	c = r.dial()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: mail.example.com\r\nContent-Length: 30\r\n\r\nx LOGIN alice \"open sesame\"\r\n")
	for range 3 {
		if got := c.response(); !strings.Contains(got, " BAD ") {
			t.Error(got)
		}
	}
	if got := c.response(); got != "* BYE Too many errors" {
		t.Error(got)
	}
}

// Tags are what RFC 9051 section 9 says, and others are not repeated to the client.
func TestTags(t *testing.T) {
	c := start(t, nil).login()
	for _, tag := range []string{"*", "+", "a+b", "(", "\"a\"", "{3}", "{3+}\r\nabc", "a\x80", "a\x7f", strings.Repeat("x", 101), "a\\b", "%"} {
		io.WriteString(c, tag+" NOOP\r\n")
		if got := c.response(); !strings.HasPrefix(got, "* BAD ") {
			t.Errorf("%q: %q", tag, got)
		}
	}
	c.play(`
		C: ]a.1- NOOP
		S: ]a.1- OK NOOP completed
	`)
}

const plainAlice = "AGFsaWNlAG9wZW4gc2VzYW1l" // alice, open sesame

func TestAuthenticate(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxErrors = -1 })
	c := r.dial()
	c.play(`
		C: a1 AUTHENTICATE NONSENSE
		S: a1 NO [CANNOT] Unknown mechanism
		C: a2 AUTHENTICATE
		S: a2 BAD Missing argument
		C: a3 AUTHENTICATE PLAIN !
		S: a3 BAD Malformed authentication
	`)
	io.WriteString(c, "b1 AUTHENTICATE PLAIN\r\n*\r\nb2 AUTHENTICATE PLAIN\r\n"+strings.Repeat("A", 40000)+"\r\nb3 AUTHENTICATE PLAIN\r\n!\r\nb4 LOGIN alice wrong\r\n")
	c.ask("b1 BAD Authentication cancelled")
	c.ask("b2 BAD Command too long")
	c.ask("b3 BAD Malformed authentication")
	c.play(`
		S: b4 NO [AUTHENTICATIONFAILED] Authentication failed
		S: * BYE Too many failed logins
	`)
	c.ends()

	c = r.dial()
	c.play(`
		C: a1 AUTHENTICATE PLAIN ` + base64.StdEncoding.EncodeToString([]byte("\x00alice\x00wrong")) + `
		S: a1 NO [AUTHENTICATIONFAILED] Authentication failed
		C: a2 LOGIN alice wrong
		S: a2 NO [AUTHENTICATIONFAILED] Authentication failed
		C: a3 authenticate plain ` + plainAlice + `
		S: a3 OK [CAPABILITY ...
		C: a4 AUTHENTICATE PLAIN ` + plainAlice + `
		S: a4 BAD Not permitted in this state
		C: a5 STARTTLS
		S: a5 BAD Not permitted in this state
	`)
	c = r.dial()
	io.WriteString(c, "a1 AUTHENTICATE PLAIN\r\n"+plainAlice+"\r\na2 SELECT INBOX\r\n")
	if got := c.response(); got != "+ " {
		t.Error(got)
	}
	c.play(`
		S: a1 OK [CAPABILITY ...
		S: * FLAGS ...
	`)
}

// ask checks that the server asks for a response, and then what it answers.
func (c *client) ask(want string) {
	c.t.Helper()
	if got := c.response(); got != "+ " {
		c.t.Errorf("got %q, want to be asked", got)
	}
	if got := c.response(); got != want {
		c.t.Errorf("got %q, want %q", got, want)
	}
}

// Nothing of a password is in the log, or in what is answered.
func TestNoSecrets(t *testing.T) {
	r := start(t, func(s *imap.Server) { s.MaxErrors, s.MaxLoginFailures = -1, -1 })
	c := r.dial()
	secret := base64.StdEncoding.EncodeToString([]byte("\x00alice\x00sesame street"))
	for _, command := range []string{
		"LOGIN alice sesame(", `LOGIN alice "sesame`, "LOGIN alice sesame more", "LOGIN alice {6+}\r\nsesame\x00", "LOGIN alice sesame",
		"LOGIN alice {9000+}\r\nsesame" + strings.Repeat("x", 8994), "LOGIN alice sesame\n", "sesame sesame",
		"AUTHENTICATE PLAIN " + secret, "AUTHENTICATE PLAIN " + secret + "!", "AUTHENTICATE PLAIN " + secret + " x",
	} {
		for _, l := range c.do(command) {
			if strings.Contains(l, "sesame") || strings.Contains(l, secret[:8]) {
				t.Errorf("%q is answered %q", command, l)
			}
		}
	}
	c.do(`LOGIN alice "open sesame"`)
	if log := r.log.String(); strings.Contains(log, "sesame") || strings.Contains(log, secret[:8]) {
		t.Error(log)
	}
}

// What an attacker puts behind STARTTLS in plaintext is not run within TLS.
func TestStartTLSInjection(t *testing.T) {
	https := httptest.NewTLSServer(nil) // for its certificate
	defer https.Close()
	server := &tls.Config{Certificates: https.TLS.Certificates}
	client := &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "example.com"}
	client.RootCAs.AddCert(https.Certificate())
	r := start(t, func(s *imap.Server) { s.TLSConfig, s.AllowInsecureAuth = server, false })
	c := r.dial()
	c.play(`
		C: a1 LOGIN alice "open sesame"
		S: a1 NO [PRIVACYREQUIRED] TLS is needed first
		C: a2 AUTHENTICATE PLAIN ` + plainAlice + `
		S: a2 NO [PRIVACYREQUIRED] TLS is needed first
	`)
	io.WriteString(c, "a3 STARTTLS\r\nevil NOOP\r\nevil LOGIN alice {5+}\r\n")
	c.play("S: a3 OK Begin TLS")
	tc := tls.Client(c.Conn, client)
	if err := tc.HandshakeContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Conn, c.r = tc, bufio.NewReader(tc)
	c.play(`
		C: a4 NOOP
		S: a4 OK NOOP completed
		C: a5 STARTTLS
		S: a5 BAD TLS is not available
		C: a6 LOGIN alice "open sesame"
		S: a6 OK [CAPABILITY ...
	`)
}
