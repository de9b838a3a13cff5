package interop_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// mailserver is a running examples/mailserver for example.test with the users
// alice and bob, whose password is "s3cret".
type mailserver struct {
	*daemon
	data  string
	addrs map[string]string // by flag: "smtp", "pop3", …
}

const password = "s3cret"

// binaries is the folder of what the tests build.
var binaries string

// binary builds examples/mailserver once.
var binary = sync.OnceValues(func() (string, error) {
	name := filepath.Join(binaries, "mailserver")
	out, err := exec.Command("go", "build", "-o", name, "github.com/mailparts/mailparts/examples/mailserver").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	var err error
	if binaries, err = os.MkdirTemp("", "interop-bin-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(binaries)
	os.Exit(code)
}

// startMailserver starts the mail server on free ports, with its data in a
// folder of its own, and waits until it is ready.
func startMailserver(t testing.TB, args ...string) *mailserver {
	t.Helper()
	return startMailserverIn(t, folder(t), args...)
}

func startMailserverIn(t testing.TB, data string, args ...string) *mailserver {
	t.Helper()
	name, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{"-data", data, "-hostname", "mx.example.test", "-domain", "example.test",
		"-user", "alice:" + password, "-user", "bob:" + password}
	for _, listener := range []string{"smtp", "submission", "submissions", "lmtp", "pop3", "pop3s", "imap", "imaps"} {
		all = append(all, "-"+listener, "127.0.0.1:0")
	}
	s := &mailserver{daemon: start(t, name, append(all, args...)...), data: data, addrs: map[string]string{}}
	for field := range strings.FieldsSeq(s.log.await(t, "msg=ready")) {
		if key, value, ok := strings.Cut(field, "="); ok {
			s.addrs[key] = value
		}
	}
	return s
}

// certificate is the PEM file that clients are told to trust.
func (s *mailserver) certificate() string { return filepath.Join(s.data, "tls.crt") }

// awaitMail waits until user's maildrop holds n messages, and returns them.
func (s *mailserver) awaitMail(t testing.TB, user string, n int) []string {
	t.Helper()
	var msgs []string
	retry(t, fmt.Sprintf("waiting for %d messages of %s", n, user), func() (err error) {
		if msgs, err = s.readMail(user); err == nil && len(msgs) < n {
			err = fmt.Errorf("%w: %d of %d messages", errNotYet, len(msgs), n)
		}
		return err
	})
	return msgs
}

// readMail reads user's maildrop over POP3 with TLS.
func (s *mailserver) readMail(user string) (msgs []string, err error) {
	pem, err := os.ReadFile(s.certificate())
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	nc, err := tls.Dial("tcp", s.addrs["pop3s"], &tls.Config{RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	c := textproto.NewConn(nc)
	cmd := func(format string, args ...any) (reply string) {
		if err == nil && format != "" {
			err = c.PrintfLine(format, args...)
		}
		if err == nil {
			reply, err = c.ReadLine()
		}
		if err == nil && !strings.HasPrefix(reply, "+OK") {
			err = fmt.Errorf("%s: %s", format, reply)
		}
		return reply
	}
	cmd("")
	cmd("USER %s", user)
	cmd("PASS %s", password)
	var n int
	fmt.Sscanf(cmd("STAT"), "+OK %d", &n)
	for i := 1; i <= n && err == nil; i++ {
		if cmd("RETR %d", i); err == nil {
			var b []byte
			b, err = io.ReadAll(c.DotReader())
			msgs = append(msgs, string(b))
		}
	}
	cmd("QUIT")
	return msgs, err
}
