package interop_test

import (
	"os"
	"path/filepath"
	"testing"
)

// exim starts Exim, which takes all mail, with STARTTLS, and hands it to the
// server at onward.
func exim(t testing.TB, onward string) (addr string) {
	t.Helper()
	return eximWith(t, "driver = smtp\n port = "+port(onward)+"\n allow_localhost\n tls_verify_certificates =")
}

// eximWith starts Exim, which hands all mail to that transport, at 127.0.0.1 if
// it wants a host.
func eximWith(t testing.TB, transport string) (addr string) {
	t.Helper()
	program := unpacked(t, "exim", "usr/sbin/exim4", "Debian-exim")
	dir := folder(t)
	run(t, "", "chown", "Debian-exim:", dir)
	addr = freeAddr(t)
	cert, key := certificate(t, "Debian-exim")
	conf := write(t, filepath.Join(dir, "exim.conf"), 0o644,
		"exim_path = "+program,
		"exim_user = Debian-exim",
		"exim_group = Debian-exim",
		"deliver_drop_privilege = true",
		"spool_directory = "+dir+"/spool",
		"log_file_path = "+dir+"/%slog",
		"pid_file_path = "+dir+"/pid",
		"keep_environment =",
		"primary_hostname = exim.example.net",
		"local_interfaces = 127.0.0.1",
		"daemon_smtp_ports = "+port(addr),
		"rfc1413_query_timeout = 0s",
		"tls_advertise_hosts = *",
		"tls_certificate = "+cert,
		"tls_privatekey = "+key,
		"dsn_advertise_hosts = *",
		"acl_smtp_rcpt = anyone",
		"begin acl",
		"anyone:\n accept",
		"begin routers",
		"all:\n driver = manualroute\n route_list = * 127.0.0.1\n self = send\n transport = onward",
		"begin transports",
		"onward:\n "+transport,
		"begin retry",
		"* * F,1h,1s")
	t.Cleanup(func() {
		if t.Failed() {
			b, _ := os.ReadFile(filepath.Join(dir, "mainlog"))
			t.Logf("Exim logged:\n%s", b)
		}
	})
	start(t, program, "-C", conf, "-bdf", "-q1s")
	awaitPort(t, addr)
	return addr
}
