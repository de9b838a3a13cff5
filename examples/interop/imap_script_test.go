package interop_test

import (
	"os"
	"path/filepath"
	"testing"
)

// imaplibAll is the repertoire of Python's imaplib. Its APPEND after ENABLE UTF8=ACCEPT
// writes the "UTF8 (" of RFC 6855 into the message, so that it comes before.
const imaplibAll = `
import imaplib, ssl, sys, time
port, tls, certificate, password = sys.argv[1:]
trust = ssl.create_default_context(cafile=certificate)

def ok(answer, want=None):
    typ, data = answer
    assert typ == "OK", answer
    if want is not None:
        assert data == want, (data, want)
    return data

message = "From: Carol <carol@example.net>\r\nSubject: %s\r\nMessage-ID: <%s@example.net>\r\n\r\n%s: γειά\r\n"
with imaplib.IMAP4_SSL("localhost", int(tls), ssl_context=trust) as c:
    ok(c.login("alice", password))
    for i, subject in enumerate(("alpha", "beta", "gamma")):
        m = (message % (subject, subject, subject)).encode()
        flags = r"(\Seen)" if i == 0 else None
        data = ok(c.append("INBOX", flags, imaplib.Time2Internaldate(1577934245 + i * 86400), m))
        assert b"APPENDUID" in data[0], data

c = imaplib.IMAP4("127.0.0.1", int(port))
ok(c.starttls(trust))
try:
    c.login("alice", "wrong")
    raise SystemExit("a wrong password was taken")
except imaplib.IMAP4.error as e:
    assert "AUTHENTICATIONFAILED" in str(e), e
ok(c.authenticate("PLAIN", lambda _: ("\0alice\0" + password).encode()))
ok(c.enable("UTF8=ACCEPT"))
ok(c.noop())
assert b'"/"' in ok(c.namespace())[0]

for name in "Work", "Work/Past", '"Größe"', "Old":
    ok(c.create(name))
ok(c.rename("Old", "New"))
ok(c.subscribe("Work"))
listed = b"\n".join(ok(c.list()))
for name in "INBOX", "Work/Past", "Größe", "New":
    assert name.encode() in listed, listed
assert b"Old" not in listed, listed
assert b"Work" in b"\n".join(ok(c.lsub()))
ok(c.unsubscribe("Work"))
assert ok(c.lsub()) == [None]

ok(c.select("INBOX"), [b"3"])
ok(c.search(None, "ALL"), [b"1 2 3"])
ok(c.search(None, "UNSEEN"), [b"2 3"])
ok(c.search(None, "SUBJECT", '"BET"'), [b"2"])
ok(c.search(None, "SINCE", "3-Jan-2020", "NOT", "BODY", "gamma"), [b"2"])
ok(c.search(None, "TEXT", '"γειά"'), [b"1 2 3"])
ok(c.sort("REVERSE SUBJECT", "UTF-8", "ALL"), [b"3 2 1"])
ok(c.thread("REFERENCES", "UTF-8", "ALL"), [b"(1)(2)(3)"])

(head, body), _ = ok(c.fetch("2", "(UID INTERNALDATE FLAGS RFC822.SIZE BODY.PEEK[])"))
assert body == (message % (("beta",) * 3)).encode(), body
assert b"RFC822.SIZE %d " % len(body) in head, head
assert time.mktime(imaplib.Internaldate2tuple(head)) == 1577934245 + 86400, head
assert b"Carol" in ok(c.fetch("2", "(ENVELOPE BODYSTRUCTURE)"))[0]
assert ok(c.uid("FETCH", "3", "(BODY[TEXT]<0.5>)"))[0][1] == b"gamma"
assert rb"\Seen" in imaplib.ParseFlags(ok(c.fetch("3", "(FLAGS)"))[0])

assert rb"\Flagged" in ok(c.store("2", "+FLAGS", r"(\Flagged Work)"))[0]
ok(c.uid("STORE", "2", "-FLAGS.SILENT", "(Work)"))
ok(c.copy("1:2", "Work"))
ok(c.uid("COPY", "3", '"Größe"'))
ok(c.uid("MOVE", "3", "New"))
assert b"MESSAGES 1 UIDNEXT 2 UNSEEN 0" in ok(c.status("New", "(MESSAGES UIDNEXT UNSEEN)"))[0]
ok(c.store("1", "+FLAGS", r"(\Deleted)"))
ok(c.expunge(), [b"3", b"1"]) # the one that was moved first
ok(c.check())
ok(c.select("Work", readonly=True), [b"2"])
assert c.store("1", "+FLAGS", r"(\Deleted)")[0] == "NO"
ok(c.unselect())
ok(c.select("Work"))
ok(c.close())
ok(c.delete("Work/Past"))
assert c.select("Work/Past")[0] == "NO"
assert c.logout()[0] == "BYE"
`

// imaplib does all that it can, but for ACL and ANNOTATE.
func TestIMAPWithPython(t *testing.T) {
	t.Parallel()
	python := need(t, "python3")[0]
	s := startIMAP(t)
	run(t, "", python, "-c", imaplibAll, port(s.addr), port(s.tlsAddr), s.certificate, password)
	s.want("imaplib", "INBOX", `beta: \Flagged`)
	s.want("imaplib", "Work", `alpha: \Seen`, `beta: \Flagged`)
	s.want("imaplib", "Größe", `gamma: \Seen`)
	s.want("imaplib", "New", `gamma: \Seen`)
}

// curl lists, reads, searches, appends and says what it is told, by STARTTLS and by TLS
// from the first octet.
func TestIMAPWithCurl(t *testing.T) {
	t.Parallel()
	program := need(t, "curl")[0]
	s := startIMAP(t)
	s.numbered("INBOX", "one", "two", "three")
	s.mailbox("Work")
	for scheme, addr := range map[string]string{"imap": s.addr, "imaps": s.tlsAddr} {
		curl := func(path string, args ...string) string {
			t.Helper()
			return run(t, "", program, append([]string{"-sS", "--ssl-reqd", "--cacert", s.certificate, "--max-time", "30",
				"--user", "alice:" + password, scheme + "://localhost:" + port(addr) + "/" + path}, args...)...)
		}
		wantText(t, curl(""), `INBOX`, `Work`)
		if got := curl("INBOX;MAILINDEX=2"); got != letterNamed("two") {
			t.Errorf("%s: the second message is %q", scheme, got)
		}
		wantText(t, curl("INBOX;UID=3;SECTION=TEXT"), "this is three")
		wantText(t, curl("INBOX?SUBJECT%20two"), "* SEARCH 2\r\n")
		wantText(t, curl("INBOX", "-X", "UID SEARCH BODY three"), "* SEARCH 3\r\n")
		wantText(t, curl("INBOX", "-X", `STORE 1 +FLAGS (\Flagged)`), `\Flagged`)
		wantText(t, curl("INBOX", "-X", "FETCH 1:3 (UID FLAGS)"), "* 3 FETCH (")
		wantText(t, curl("", "-X", "STATUS Work (MESSAGES)"), "MESSAGES")
		sent := filepath.Join(folder(t), "sent")
		if err := os.WriteFile(sent, []byte(letterNamed("by "+scheme)), 0o600); err != nil {
			t.Fatal(err)
		}
		curl("Work", "--upload-file", sent, "--login-options", "AUTH=PLAIN")
	}
	s.want("curl", "INBOX", `one: \Flagged`, `two: \Seen`, `three: \Seen`)
	s.want("curl", "Work", `by imap: \Seen`, `by imaps: \Seen`)
}
