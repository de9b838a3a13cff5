package interop_test

import (
	"os"
	"path/filepath"
	"testing"
)

// sendmail starts Sendmail, which takes all mail, with STARTTLS, and hands it to
// the server at onward. It wants its files where nobody else can write, and a
// host name with a domain; so it sees its folder as /mnt.
func sendmail(t testing.TB, onward string) (addr string) {
	t.Helper()
	program := unpacked(t, "sendmail", "usr/libexec/sendmail/sendmail", "smmta", "smmsp")
	dir := folder(t)
	if err := os.Mkdir(filepath.Join(dir, "queue"), 0o700); err != nil {
		t.Fatal(err)
	}
	cert, key := keyPair()
	write(t, filepath.Join(dir, "cert.pem"), 0o644, string(cert))
	write(t, filepath.Join(dir, "key.pem"), 0o600, string(key))
	write(t, filepath.Join(dir, "service.switch"), 0o644, "hosts files", "aliases files")
	addr = freeAddr(t)
	mc := write(t, filepath.Join(dir, "sendmail.mc"), 0o644,
		"include(`"+peers+"/sendmail/usr/share/sendmail/cf/m4/cf.m4')",
		"OSTYPE(`linux')",
		"define(`confDOMAIN_NAME', `sendmail.example.net')",
		"define(`confDEF_USER_ID', `smmta:smmta')",
		"define(`confPID_FILE', `/mnt/pid')",
		"define(`QUEUE_DIR', `/mnt/queue')",
		"define(`STATUS_FILE', `/mnt/statistics')",
		"undefine(`ALIAS_FILE')",
		"define(`confSERVER_CERT', `/mnt/cert.pem')",
		"define(`confSERVER_KEY', `/mnt/key.pem')",
		"define(`confCACERT', `/mnt/cert.pem')",
		"define(`confCACERT_PATH', `/mnt')",
		"define(`confSERVICE_SWITCH_FILE', `/mnt/service.switch')",
		"define(`confTO_IDENT', `0')",
		"define(`confQUEUE_LA', `1000')", // whatever else this machine does
		"define(`confREFUSE_LA', `1000')",
		"define(`SMART_HOST', `relay:[127.0.0.1]')",
		"define(`RELAY_MAILER_ARGS', `TCP $h "+port(onward)+"')",
		"FEATURE(`accept_unresolvable_domains')",
		"FEATURE(`no_default_msa')",
		"FEATURE(`nocanonify')",
		"DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port="+port(addr)+"')",
		"MAILER(`smtp')")
	write(t, filepath.Join(dir, "sendmail.cf"), 0o644, run(t, "", need(t, "m4")[0], mc))
	t.Cleanup(func() {
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(dir, "transcript"))
			t.Logf("Sendmail's dialogues:\n%s", b)
		}
	})
	startIn(t, "sendmail.example.net", []string{dir, "/mnt"}, program, "-C/mnt/sendmail.cf", "-bD", "-q1s", "-X/mnt/transcript")
	awaitPort(t, addr)
	return addr
}
