package interop_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dovecotServer is a running Dovecot. Every name is a user with the password
// "secret", whose Maildir is mail/NAME, owned by user mail: Dovecot serves
// nothing of root's.
type dovecotServer struct {
	mail, conf           string
	imapAddr, pop3, lmtp string
	socket               string // LMTP too
	log                  string
}

// dovecot starts Dovecot on the Maildirs below mail, with settings beside those that
// all tests need.
func dovecot(t testing.TB, mail string, settings ...string) *dovecotServer {
	t.Helper()
	needRoot(t)
	program := need(t, "dovecot")[0]
	for _, part := range []string{"imap", "pop3", "lmtp"} {
		if _, err := os.Stat("/usr/lib/dovecot/" + part); err != nil {
			missing(t, "dovecot's "+part+" is not installed")
		}
	}
	dir := folder(t)
	s := &dovecotServer{mail: mail, imapAddr: freeAddr(t), pop3: freeAddr(t), lmtp: freeAddr(t),
		socket: filepath.Join(dir, "lmtp")}
	log := filepath.Join(dir, "log")
	s.log = log
	s.conf = write(t, filepath.Join(dir, "dovecot.conf"), 0o644,
		"protocols = imap pop3 lmtp",
		"base_dir = "+dir+"/run",
		"state_dir = "+dir+"/state",
		"log_path = "+log,
		"listen = 127.0.0.1",
		"ssl = no",
		"disable_plaintext_auth = no",
		"default_vsz_limit = 0",
		"first_valid_uid = 1",
		"mail_location = maildir:"+mail+"/%n",
		"passdb {\n driver = static\n args = password=secret\n}",
		"userdb {\n driver = static\n args = uid=mail gid=mail home="+mail+"/%n\n}",
		"service imap-login {\n inet_listener imap {\n port = "+port(s.imapAddr)+"\n }\n inet_listener imaps {\n port = 0\n }\n}",
		"service pop3-login {\n inet_listener pop3 {\n port = "+port(s.pop3)+"\n }\n inet_listener pop3s {\n port = 0\n }\n}",
		"service lmtp {\n inet_listener lmtp {\n port = "+port(s.lmtp)+"\n }\n unix_listener "+s.socket+" {\n mode = 0666\n }\n}",
		strings.Join(settings, "\n"),
	)
	run(t, "", "chown", "-R", "mail:mail", mail)
	d := start(t, program, "-F", "-c", s.conf)
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			b, _ := os.ReadFile(log)
			t.Logf("Dovecot logged:\n%s", b)
		}
	})
	for _, addr := range []string{s.imapAddr, s.pop3, s.lmtp} {
		awaitPort(t, addr)
	}
	return s
}

// wantNoComplaint looks for errors and warnings in the log.
func (s *dovecotServer) wantNoComplaint(t testing.TB) {
	t.Helper()
	log, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "Error:") || strings.Contains(line, "Panic:") || strings.Contains(line, "Warning:") {
			t.Errorf("Dovecot complains: %s", line)
		}
	}
}
