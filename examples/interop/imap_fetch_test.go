package interop_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fetchers take the mail of a mailbox away: each gives the words that run it once, and
// the file that it adds the messages to.
var fetchers = map[string]func(t *testing.T, s *imapServer, home string) (words []string, file string){
	"fetchmail": fetchmail,
	"getmail":   getmail,
}

func fetchmail(t *testing.T, s *imapServer, home string) ([]string, string) {
	got := filepath.Join(home, "got")
	rc := write(t, filepath.Join(home, "fetchmailrc"), 0o600,
		"poll localhost protocol imap port "+port(s.addr)+` auth password`,
		`user "alice" password "`+password+`" fetchall no keep no rewrite`,
		`sslproto "TLS1.2+" sslcertck sslcertfile "`+s.certificate+`"`,
		`mda "cat >>`+got+`"`)
	return []string{need(t, "fetchmail")[0], "-f", rc, "-i", filepath.Join(home, "ids"), "--pidfile", filepath.Join(home, "pid"), "--nosyslog", "--nodetach", "-v"}, got
}

func getmail(t *testing.T, s *imapServer, home string) ([]string, string) {
	got := filepath.Join(home, "got")
	write(t, filepath.Join(home, "getmailrc"), 0o600,
		"[retriever]", "type = SimpleIMAPSSLRetriever", "server = localhost", "port = "+port(s.tlsAddr), "username = alice", "password = "+password,
		"mailboxes = ('INBOX',)", "ca_certs = "+s.certificate,
		"[destination]", "type = MDA_external", "path = "+need(t, "tee")[0], "arguments = ('-a', '"+got+"')", "allow_root_commands = true", "unixfrom = false",
		"[options]", "read_all = true", "delete = true", "delivered_to = false", "received = false")
	return []string{need(t, "getmail")[0], "--getmaildir=" + home, "--rcfile=getmailrc", "-v"}, got
}

// All mail is fetched once, as it was stored, and is gone then.
func TestIMAPFetched(t *testing.T) {
	for name, fetcher := range fetchers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startIMAP(t)
			subjects := []string{"one", "two", "three"}
			s.numbered("INBOX", subjects...)
			words, file := fetcher(t, s, folder(t))
			out := run(t, "", words[0], words[1:]...)
			s.want(name, "INBOX")
			s.numbered("INBOX", "four")
			subjects = append(subjects, "four")
			out += run(t, "", words[0], words[1:]...)
			s.want(name, "INBOX")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(string(b), "\r\n", "\n")
			for _, subject := range subjects {
				want := strings.ReplaceAll(letterNamed(subject), "\r\n", "\n")
				if _, body, _ := strings.Cut(want, "\n\n"); strings.Count(got, "\n\n"+body) != 1 || !strings.Contains(got, "Subject: "+subject+"\n") {
					t.Errorf("%q is not there once:\n%s", subject, got)
				}
			}
			if t.Failed() {
				t.Logf("%s printed:\n%s", name, out)
			}
		})
	}
}

// A client that waits by IDLE takes what is delivered meanwhile.
func TestIMAPIdleWithFetchmail(t *testing.T) {
	t.Parallel()
	for kind, backend := range imapStores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := serveIMAP(t, backend(filepath.Join(folder(t), "mail")))
			s.numbered("INBOX", "one")
			words, file := fetchmail(t, s, folder(t))
			waiting := start(t, words[0], append(words[1:], "--idle")...)
			waiting.log.await(t, "IMAP>", " IDLE")
			for _, subject := range []string{"two", "three"} {
				s.numbered("INBOX", subject)
				retry(t, "waiting for "+subject, func() error {
					b, err := os.ReadFile(file)
					if err == nil && !strings.Contains(string(b), "this is "+subject) {
						err = errors.New("it was not fetched")
					}
					return err
				})
			}
		})
	}
}
