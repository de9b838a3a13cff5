package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// postfix starts Postfix with its files in a folder of its own and returns the
// address of its SMTP server. lines go into main.cf, in place of what is there of
// the same name.
func postfix(t testing.TB, lines ...string) (addr string) {
	t.Helper()
	needRoot(t)
	program := need(t, "postfix")[0]
	dir := folder(t)
	addr = freeAddr(t)
	conf := filepath.Join(dir, "conf")
	logfile := filepath.Join(dir, "log")
	write(t, filepath.Join(conf, "main.cf"), 0o644, override([]string{
		"compatibility_level = 3.6",
		"queue_directory = " + dir + "/spool",
		"data_directory = " + dir + "/data",
		"maillog_file = " + logfile,
		"maillog_file_prefixes = " + dir,
		"command_directory = /usr/sbin",
		"daemon_directory = /usr/lib/postfix/sbin",
		"mail_owner = postfix",
		"setgid_group = postdrop",
		"myhostname = postfix.example.net",
		"mydestination =",
		"alias_maps =",
		"local_recipient_maps =",
		"inet_interfaces = 127.0.0.1",
		"inet_protocols = ipv4",
		"mynetworks = 127.0.0.0/8",
		"smtpd_relay_restrictions = permit_mynetworks, reject",
		"smtpd_client_connection_count_limit = 0",
		"smtpd_client_connection_rate_limit = 0",
		"smtp_host_lookup = native",
		"smtp_tls_security_level = may",
		"minimal_backoff_time = 1s",
		"queue_run_delay = 1s",
		"notify_classes =",
	}, lines)...)
	write(t, filepath.Join(conf, "master.cf"), 0o644,
		addr+" inet n - n - - smtpd",
		"cleanup unix n - n - 0 cleanup",
		"qmgr unix n - n 300 1 qmgr",
		"tlsmgr unix - - n 1000? 1 tlsmgr",
		"rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce",
		"defer unix - - n - 0 bounce",
		"trace unix - - n - 0 bounce",
		"verify unix - - n - 1 verify",
		"flush unix n - n 1000? 0 flush",
		"proxymap unix - - n - - proxymap",
		"smtp unix - - n - - smtp",
		"relay unix - - n - - smtp",
		"lmtp unix - - n - - lmtp",
		"error unix - - n - - error",
		"retry unix - - n - - error",
		"discard unix - - n - - discard",
		"anvil unix - - n - 1 anvil",
		"scache unix - - n - 1 scache",
		"postlog unix-dgram n - n - 1 postlogd")
	for _, sub := range []string{"spool", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "", "chown", "postfix", filepath.Join(dir, "data"))
	t.Cleanup(func() {
		try("", program, "-c", conf, "stop")
		if t.Failed() {
			b, _ := os.ReadFile(logfile)
			t.Logf("Postfix logged:\n%s", b)
		}
	})
	run(t, "", program, "-c", conf, "start")
	awaitPort(t, addr)
	return addr
}

// override is defaults and settings, each "name = value", without the defaults of
// which there is a setting. Of a name that stands twice every program of Postfix
// warns as it starts, and those words can fill the socket of its own logger, which
// is not up yet: then all of them wait for ever.
func override(defaults, settings []string) []string {
	name := func(line string) string { return strings.TrimSpace(line[:strings.IndexByte(line, '=')]) }
	kept := slices.DeleteFunc(defaults, func(line string) bool {
		return slices.ContainsFunc(settings, func(s string) bool { return name(s) == name(line) })
	})
	return append(kept, settings...)
}
