package interop_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cyrusServer is a running Cyrus IMAP with nothing but LMTP. It makes an INBOX
// for every name that it is given, and each may hold that many KB.
type cyrusServer struct {
	lmtp, socket string
	spool        string
}

func cyrus(t testing.TB, quota string) *cyrusServer {
	t.Helper()
	const bin = "usr/lib/cyrus/bin/"
	master, lmtpd := unpacked(t, "cyrus", bin+"master", "cyrus"), unpacked(t, "cyrus", bin+"lmtpd")
	dir := folder(t)
	s := &cyrusServer{lmtp: freeAddr(t), socket: filepath.Join(dir, "socket"), spool: filepath.Join(dir, "spool")}
	conf := write(t, filepath.Join(dir, "imapd.conf"), 0o644,
		"configdirectory: "+dir+"/conf",
		"partition-default: "+s.spool,
		"defaultpartition: default",
		"servername: cyrus.example.test",
		"cyrus_user: cyrus",
		"autocreate_post: yes",
		"autocreate_quota: "+quota,
		"virtdomains: off",
		"duplicatesuppression: no")
	services := write(t, filepath.Join(dir, "cyrus.conf"), 0o644,
		"START {", "}",
		"SERVICES {",
		` tcp cmd="`+lmtpd+" -a -C "+conf+`" listen="`+s.lmtp+`"`,
		` socket cmd="`+lmtpd+" -a -C "+conf+`" listen="`+s.socket+`"`,
		"}",
		"EVENTS {", "}")
	for _, sub := range []string{"conf/socket", "spool"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "", "chown", "-R", "cyrus", dir)
	libraries := filepath.Join(peers, "cyrus/usr/lib/x86_64-linux-gnu")
	start(t, need(t, "env")[0], "LD_LIBRARY_PATH="+libraries, master, "-D", "-C", conf, "-M", services, "-p", filepath.Join(dir, "pid"))
	awaitPort(t, s.lmtp)
	return s
}

// messages are all that Cyrus has stored, in no order.
func (s *cyrusServer) messages(t testing.TB) (msgs []string) {
	t.Helper()
	err := filepath.WalkDir(s.spool, func(path string, d os.DirEntry, err error) error {
		// Messages are "1.", "2.", …; a message under way is in stage.
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".") || strings.Contains(path, "/stage.") {
			return err
		}
		b, err := os.ReadFile(path)
		msgs = append(msgs, string(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return msgs
}
