package interop_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// submitters are the programs that users submit with. Each sends "Subject: by
// NAME" from alice to the address twice: by STARTTLS and by TLS from the first
// octet, with another mechanism of AUTH where it can be told.
var submitters = []struct {
	name   string
	submit func(t *testing.T, program string, s *mailserver, to string)
}{
	{"swaks", submitSwaks},
	{"msmtp", submitMsmtp},
	{"mutt", submitMutt},
	{"s-nail", submitNail},
	{"curl", submitCurl},
	{"python3", submitPython},
}

func submitSwaks(t *testing.T, program string, s *mailserver, to string) {
	for _, by := range [][3]string{{"submission", "--tls", "PLAIN"}, {"submissions", "--tls-on-connect", "LOGIN"}} {
		run(t, "", program, "--server", "127.0.0.1", "--port", port(s.addrs[by[0]]),
			by[1], "--tls-verify", "--tls-ca-path", s.certificate(),
			"--auth", by[2], "--auth-user", "alice", "--auth-password", password,
			"--from", "alice@example.test", "--to", to, "--header", "Subject: by swaks", "--body", "one\n.\ntwo")
	}
}

func submitMsmtp(t *testing.T, program string, s *mailserver, to string) {
	for _, by := range [][3]string{{"submission", "on", "plain"}, {"submissions", "off", "scram-sha-256"}} {
		run(t, "From: alice@example.test\nTo: "+to+"\nSubject: by msmtp\n\none\n.\ntwo\n",
			program, "--host=localhost", "--port="+port(s.addrs[by[0]]), "--source-ip=127.0.0.1",
			"--tls=on", "--tls-starttls="+by[1], "--tls-trust-file="+s.certificate(),
			"--auth="+by[2], "--user=alice@example.test", "--passwordeval=echo "+password,
			"--from=alice@example.test", "--", to)
	}
}

func submitMutt(t *testing.T, program string, s *mailserver, to string) {
	dir := folder(t)
	attachment := write(t, filepath.Join(dir, "picture.txt"), 0o644, "attached")
	for _, by := range [][3]string{{"submission", "smtp", "plain"}, {"submissions", "smtps", "login"}} {
		rc := write(t, filepath.Join(dir, "muttrc"), 0o600,
			`set from="alice@example.test" use_envelope_from=yes copy=no`,
			`set smtp_url="`+by[1]+`://alice@localhost:`+port(s.addrs[by[0]])+`" smtp_pass="`+password+`" smtp_authenticators="`+by[2]+`"`,
			`set ssl_starttls=yes ssl_force_tls=yes certificate_file="`+s.certificate()+`"`)
		run(t, "one\n.\ntwo\n", program, "-n", "-F", rc, "-s", "by mutt", "-a", attachment, "--", to)
	}
}

func submitNail(t *testing.T, program string, s *mailserver, to string) {
	for _, by := range [][3]string{{"submission", "submission", "plain"}, {"submissions", "submissions", "login"}} {
		run(t, "one\n.\ntwo\n", program, "-:/", "-Sv15-compat", "-Ssmtp-use-starttls", "-Snosave",
			"-Smta="+by[1]+"://alice:"+url.QueryEscape(password)+"@localhost:"+port(s.addrs[by[0]]),
			"-Ssmtp-auth="+by[2], "-Stls-verify=strict", "-Stls-ca-file="+s.certificate(), "-Stls-ca-no-defaults",
			"-r", "alice@example.test", "-s", "by s-nail", to)
	}
}

func submitCurl(t *testing.T, program string, s *mailserver, to string) {
	for _, by := range [][3]string{{"submission", "smtp", "PLAIN"}, {"submissions", "smtps", "LOGIN"}} {
		run(t, "From: alice@example.test\r\nTo: "+to+"\r\nSubject: by curl\r\n\r\none\r\n.\r\ntwo\r\n",
			program, "-s", "-S", "--url", by[1]+"://127.0.0.1:"+port(s.addrs[by[0]]), "--ssl-reqd", "--cacert", s.certificate(),
			"--user", "alice:"+password, "--login-options", "AUTH="+by[2],
			"--mail-from", "alice@example.test", "--mail-rcpt", to, "--upload-file", "-")
	}
}

// smtplib submits by Python's standard library.
const smtplib = `
import smtplib, ssl, sys
from email.message import EmailMessage
submission, submissions, certificate, password, to = sys.argv[1:]
msg = EmailMessage()
msg["From"], msg["To"], msg["Subject"] = "alice@example.test", to, "by python3"
msg.set_content("one\n.\ntwo\n")
trust = ssl.create_default_context(cafile=certificate)
with smtplib.SMTP("127.0.0.1", submission) as c:
    c.starttls(context=trust)
    c.login("alice", password)
    c.send_message(msg)
with smtplib.SMTP_SSL("127.0.0.1", submissions, context=trust) as c:
    c.login("alice", password)
    c.send_message(msg)
`

func submitPython(t *testing.T, program string, s *mailserver, to string) {
	run(t, "", program, "-c", smtplib, port(s.addrs["submission"]), port(s.addrs["submissions"]), s.certificate(), password, to)
}

// smtplibUTF8 submits a message that is not ASCII, header and envelope.
const smtplibUTF8 = `
import smtplib, ssl, sys
from email.message import EmailMessage
port, certificate = sys.argv[1:]
msg = EmailMessage()
msg["From"], msg["To"], msg["Subject"] = "Αλίκη <αλίκη@example.test>", "δοκιμή@παράδειγμα.test", "Καλημέρα"
msg.set_content("γειά\n", cte="8bit")
with smtplib.SMTP("127.0.0.1", port) as c:
    c.starttls(context=ssl.create_default_context(cafile=certificate))
    c.send_message(msg)
`

// Python's smtplib says SMTPUTF8 and BODY=8BITMIME where a message needs them.
func TestSMTPUTF8FromPython(t *testing.T) {
	python := need(t, "python3")[0]
	sink := mailtest.NewSink(t)
	sink.Config = &smtp.Server{TLSConfig: serverTLS()}
	cert, _ := certificate(t, "root")
	run(t, "", python, "-c", smtplibUTF8, port(sink.Addr()), cert)
	got := next(t, sink)
	if env := got.Envelope; env.From != "αλίκη@example.test" || env.To[0].Addr != "δοκιμή@παράδειγμα.test" || !env.UTF8 || env.Body != "8BITMIME" {
		t.Errorf("envelope: %+v", env)
	}
	msg := string(got.Received) + string(got.Data)
	for _, want := range []string{"with UTF8SMTPS id", "\r\nSubject: Καλημέρα\r\n", "\r\n\r\nγειά\r\n"} {
		if !strings.Contains(msg, want) {
			t.Errorf("%q is missing in:\n%s", want, msg)
		}
	}
}
