package interop_test

import (
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A message that no MUA of ours wrote. Its last lines want dot-stuffing.
const letter = "From: Carol <carol@example.net>\r\n" +
	"To: alice@example.test\r\n" +
	"Subject: across the street\r\n" +
	"\r\n" +
	"Hello Alice,\r\n" +
	".a dot, and a lone one:\r\n" +
	".\r\n" +
	"Carol\r\n"

// sendLetter hands the letter to the SMTP server at addr, for alice.
func sendLetter(t *testing.T, addr string) {
	t.Helper()
	if err := smtp.SendMail(addr, nil, "carol@example.net", []string{"alice@example.test"}, []byte(letter)); err != nil {
		t.Fatal(err)
	}
}

func wantLetter(t *testing.T, got string) {
	t.Helper()
	_, body, _ := strings.Cut(letter, "\r\n\r\n")
	got = strings.ReplaceAll(got, "\r\n", "\n")
	if want := strings.ReplaceAll(body, "\r\n", "\n"); !strings.HasSuffix(got, "\n\n"+want) {
		t.Errorf("the body is not what was sent:\n%s", got)
	}
	if !strings.Contains(got, "Subject: across the street\n") {
		t.Errorf("the subject is missing:\n%s", got)
	}
}

// Postfix relays a message to our MTA; fetchmail reads it over POP3; it is a
// Maildir file that Dovecot serves under the same UID.
func TestPostfixToMTAToFetchmailAndDovecot(t *testing.T) {
	t.Parallel()
	fetchmail, curl := need(t, "fetchmail", "curl")[0], need(t, "curl")[0]
	s := startMailserver(t)
	sendLetter(t, postfix(t, "relayhost = [127.0.0.1]:"+port(s.addrs["smtp"])))
	got := s.awaitMail(t, "alice", 1)
	wantLetter(t, got[0])
	for _, want := range []string{"Return-Path: <carol@example.net>\n", "by mx.example.test", "SMTPS id"} {
		if !strings.Contains(got[0], want) {
			t.Errorf("%q is missing in:\n%s", want, got[0])
		}
	}

	dir := folder(t)
	fetched := filepath.Join(dir, "fetched")
	rc := write(t, filepath.Join(dir, "fetchmailrc"), 0o600,
		"poll localhost protocol pop3 port "+port(s.addrs["pop3"])+" uidl",
		`user "alice" password "`+password+`" keep`,
		`sslproto "TLS1.2+" sslcertck sslcertfile "`+s.certificate()+`"`,
		`mda "cat >>`+fetched+`"`)
	run(t, "", fetchmail, "-f", rc, "-i", filepath.Join(dir, "ids"), "--nosyslog", "--nodetach", "-v")
	b, err := os.ReadFile(fetched)
	if err != nil {
		t.Fatal(err)
	}
	wantLetter(t, string(b))

	s.stop()
	d := dovecot(t, filepath.Join(s.data, "mail"))
	wantLetter(t, run(t, "", curl, "-s", "-S", "-u", "alice:secret", "imap://"+d.imapAddr+"/INBOX;UID=1"))
}

// Postfix delivers to our LMTP port.
func TestPostfixToLMTP(t *testing.T) {
	t.Parallel()
	s := startMailserver(t)
	sendLetter(t, postfix(t, "relay_domains = example.test", "relay_transport = lmtp:inet:"+s.addrs["lmtp"]))
	got := s.awaitMail(t, "alice", 1)
	wantLetter(t, got[0])
	if !strings.Contains(got[0], "LMTP id") {
		t.Errorf("the Received field does not say LMTP:\n%s", got[0])
	}
}
