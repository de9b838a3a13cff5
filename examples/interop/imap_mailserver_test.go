package interop_test

import (
	"strings"
	"testing"
)

// What Postfix relays to examples/mailserver is read there by IMAP, both with STARTTLS and
// with TLS from the first octet, and is flagged for both.
func TestPostfixToMTAToIMAP(t *testing.T) {
	t.Parallel()
	curl := need(t, "curl")[0]
	s := startMailserver(t)
	sendLetter(t, postfix(t, "relayhost = [127.0.0.1]:"+port(s.addrs["smtp"])))
	s.awaitMail(t, "alice", 1)
	imap := func(scheme, path string, args ...string) string {
		t.Helper()
		return run(t, "", curl, append([]string{"-sS", "--ssl-reqd", "--cacert", s.certificate(), "--user", "alice:" + password,
			scheme + "://localhost:" + port(s.addrs[scheme]) + "/" + path}, args...)...)
	}
	for _, scheme := range []string{"imap", "imaps"} {
		wantLetter(t, imap(scheme, "INBOX;UID=1"))
	}
	imap("imap", "INBOX", "-X", `STORE 1 +FLAGS (\Flagged)`)
	wantText(t, imap("imaps", "INBOX", "-X", "FETCH 1 FLAGS"), `\Flagged`)
	// Without TLS nobody's password is asked for.
	if out, err := try("", curl, "-sS", "--user", "alice:"+password, "imap://localhost:"+port(s.addrs["imap"])+"/"); err == nil || strings.Contains(out, "INBOX") {
		t.Errorf("without TLS: %v, %s", err, out)
	}
}
