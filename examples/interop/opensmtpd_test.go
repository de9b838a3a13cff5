package interop_test

import (
	"os"
	"path/filepath"
	"testing"
)

// opensmtpd starts OpenSMTPD, which takes all mail, with STARTTLS, and hands it
// to the server at onward. Its own files are in places that are compiled in.
func opensmtpd(t testing.TB, onward string) (addr string) {
	t.Helper()
	program := unpacked(t, "opensmtpd", "usr/sbin/smtpd", "opensmtpd", "opensmtpq")
	dir := folder(t)
	for _, sub := range []string{"spool", "run", "lib/opensmtpd/empty"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addr = freeAddr(t)
	cert, key := certificate(t, "root")
	conf := write(t, filepath.Join(dir, "smtpd.conf"), 0o644,
		`pki own cert "`+cert+`"`,
		`pki own key "`+key+`"`,
		"listen on 127.0.0.1 port "+port(addr)+" tls pki own hostname opensmtpd.example.net",
		`action onward relay host "smtp://`+onward+`" helo opensmtpd.example.net`,
		"match from any for any action onward")
	startIn(t, "opensmtpd.example.net", []string{
		filepath.Join(dir, "spool"), "/var/spool",
		filepath.Join(dir, "run"), "/run",
		filepath.Join(dir, "lib"), "/var/lib",
		filepath.Join(peers, "opensmtpd/usr/libexec"), "/usr/libexec",
	}, program, "-d", "-f", conf)
	awaitPort(t, addr)
	return addr
}
