package imap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// RFC 2971 section 3.
func TestID(t *testing.T) {
	r := start(t, nil)
	r.dial().play(`
		C: a023 ID ("name" "sodr" "version" "19.34" "vendor" "Pink Floyd Music Limited")
		S: * ID NIL
		S: a023 OK ID completed
		C: a024 ID NIL
		S: * ID NIL
		S: a024 OK ID completed
		C: a025 ID ("name" NIL)
		S: * ID NIL
		S: a025 OK ID completed
		C: a026 ID
		S: a026 BAD Missing argument
		C: a027 ID (name "x")
		S: a027 BAD Expected a string
	`)
	if log := r.log.String(); !strings.Contains(log, `id.vendor="Pink Floyd Music Limited"`) || strings.Count(log, "id.name") != 1 {
		t.Errorf("the log has %s", log)
	}
	r = start(t, func(s *imap.Server) { s.ID = map[string]string{"version": "1", "name": "a \"mail\" server"} })
	c := r.dial()
	c.play(`
		C: a1 ID NIL
		S: * ID ("name" "a \"mail\" server" "version" "1")
		S: a1 OK ID completed
	`)
	if got := c.do(`ID ("name" "` + strings.Repeat("x", 1025) + `")`)[0]; got != "BAD Too much of an ID" {
		t.Error(got)
	}
	if got := c.do(`ID (` + strings.TrimSuffix(strings.Repeat(`"a" "b" `, 31), " ") + `)`)[0]; got != "BAD Too much of an ID" {
		t.Error(got)
	}
}

// RFC 5161 section 3.
func TestEnable(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	c := r.login()
	before := c.do("CAPABILITY")[0]
	c.play(`
		C: t2 ENABLE X-GOOD-IDEA
		S: * ENABLED
		S: t2 OK ENABLE completed
		C: a1 ENABLE CONDSTORE X-GOOD-IDEA
		S: * ENABLED CONDSTORE
		S: a1 OK ENABLE completed
		C: a2 ENABLE condstore qresync utf8=accept
		S: * ENABLED QRESYNC UTF8=ACCEPT
		S: a2 OK ENABLE completed
		C: a3 ENABLE
		S: a3 BAD Missing argument
	`)
	if after := c.do("CAPABILITY")[0]; after != before {
		t.Errorf("CAPABILITY was %s, and is %s", before, after)
	}
	c.do("SELECT INBOX")
	c.play(`
		C: b1 ENABLE IMAP4rev2
		S: b1 BAD Not permitted while a mailbox is selected
		C: b2 ENABLE CONDSTORE
		S: * ENABLED
		S: b2 OK ENABLE completed
	`)
	r.dial().play(`
		C: c1 ENABLE CONDSTORE
		S: c1 BAD Not permitted in this state
	`)
}

// Names in UTF-8 (RFC 9755 section 3, RFC 9051 section 5.1).
func TestNamesInUTF8(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.play(`
		C: a1 ENABLE UTF8=ACCEPT
		S: * ENABLED UTF8=ACCEPT
		S: a1 OK ENABLE completed
		C: a2 CREATE "Entwürfe & mehr"
		S: a2 OK [MAILBOXID (F2)] CREATE completed
		C: a3 LIST "" "Entw%"
		S: * LIST (\HasNoChildren) "/" "Entwürfe & mehr"
		S: a3 OK LIST completed
	`)
	for _, name := range []string{"Entwu\u0308rfe", "tab\there", "line\u2028separator", "\u0085"} {
		if got := c.do(`CREATE "` + name + `"`)[0]; got != "NO [CANNOT] A mailbox cannot have this name" {
			t.Errorf("CREATE %q: %s", name, got)
		}
	}
	if got := c.do("CREATE {1+}\r\n\xff")[0]; got != "BAD Mailbox name is not UTF-8" {
		t.Error(got)
	}
	if got := c.do("LIST \"\" {1+}\r\n\xff")[0]; got != "BAD Mailbox name is not UTF-8" {
		t.Error(got)
	}
	r.login().play(`
		C: b1 LIST "" "Entw%"
		S: * LIST (\HasNoChildren) "/" "Entw&APw-rfe &- mehr"
		S: b1 OK LIST completed
	`)
	// RFC 9051 section 6.3.9.7: the client is told of a name that is another now.
	c = r.login()
	c.do("ENABLE IMAP4rev2")
	if got := c.do("CREATE \"a\u0308\""); got[0] != "* LIST () \"/\" \"\u00e4\" (\"OLDNAME\" (\"a\u0308\"))" {
		t.Error(got)
	}
	if got := c.do("RENAME \u00e4 x"); got[0] == "" {
		t.Error(got)
	}
	if got := c.do("CREATE plain"); len(got) != 1 {
		t.Error(got)
	}
	if got := c.do("RENAME plain \"o\u0308\""); got[0] != "* LIST () \"/\" \"\u00f6\" (\"OLDNAME\" (plain))" {
		t.Error(got)
	}
}

// SELECT names the mailbox to a client of IMAP4rev2 (RFC 9051 section 6.3.2).
func TestSelectInRev2(t *testing.T) {
	c := start(t, nil).login()
	c.do("ENABLE IMAP4rev2")
	c.play(`
		C: A142 SELECT inbox
		S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
		S: * OK [PERMANENTFLAGS ...
		S: * 0 EXISTS
		S: * OK [UIDVALIDITY 1] UIDs are valid
		S: * OK [UIDNEXT 1] The next UID
		S: * OK [HIGHESTMODSEQ 1] The highest mod-sequence
		S: * OK [MAILBOXID (F1)] The mailbox
		S: * LIST () "/" INBOX
		S: A142 OK [READ-WRITE] SELECT completed
	`)
}

// RFC 8474 section 3 and RFC 7889 section 2.
func TestObjectIDAndAppendLimitOffered(t *testing.T) {
	offered := func(r *rig) []string { return strings.Fields(r.login().do("CAPABILITY")[0]) }
	r := start(t, nil)
	if got := offered(r); !slices.Contains(got, "OBJECTID") || !slices.Contains(got, "APPENDLIMIT=104857600") {
		t.Errorf("offered: %s", got)
	}
	plain := start(t, func(s *imap.Server) { s.Backend, s.MaxMessageSize = plainBackend{r.Backend}, -1 })
	if got := offered(plain); slices.Contains(got, "OBJECTID") || !slices.Contains(got, "APPENDLIMIT") {
		t.Errorf("of a store without ids: %s", got)
	}
}

// RFC 8437 section 3.
func TestUnauthenticate(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n")
	c := r.login()
	c.do("ENABLE QRESYNC UTF8=ACCEPT")
	c.do("SELECT INBOX")
	c.play(`
		C: a1 UNAUTHENTICATE now
		S: a1 BAD Unexpected text after the command
		C: a2 UNAUTHENTICATE
		S: a2 OK [CAPABILITY ...
		C: a3 LOGIN {9000}
		S: a3 BAD Command too long
		C: a4 UNAUTHENTICATE
		S: a4 BAD Not permitted in this state
		C: a5 LOGIN bob "open sesame"
		S: a5 OK [CAPABILITY ...
		C: a6 STATUS INBOX (MESSAGES)
		S: * STATUS INBOX (MESSAGES 0)
		S: a6 OK STATUS completed
		C: a7 CREATE "&AOQ-"
		S: a7 OK [MAILBOXID (...
		C: a8 ENABLE QRESYNC
		S: * ENABLED QRESYNC
		S: a8 OK ENABLE completed
	`)
}

// RFC 9208 section 4.1.
func TestQuota(t *testing.T) {
	r := start(t, func(s *imap.Server) {
		s.Backend = &mailtest.Memory{MaxStorage: 10 << 10, MaxMessages: 1000}
	})
	r.fill(strings.Repeat("x", 1030) + "\r\n")
	c := r.login()
	c.play(`
		C: G0001 GETQUOTA alice
		S: * QUOTA alice (STORAGE 2 10 MESSAGE 1 1000)
		S: G0001 OK GETQUOTA completed
		C: G0002 GETQUOTAROOT inbox
		S: * QUOTAROOT INBOX alice
		S: * QUOTA alice (STORAGE 2 10 MESSAGE 1 1000)
		S: G0002 OK GETQUOTAROOT completed
		C: G0003 GETQUOTAROOT to/be/made
		S: * QUOTAROOT to/be/made alice
		S: * QUOTA alice (STORAGE 2 10 MESSAGE 1 1000)
		S: G0003 OK GETQUOTAROOT completed
		C: G0004 GETQUOTA "#user/nobody"
		S: G0004 NO [NONEXISTENT] No such quota root
		C: G0005 SETQUOTA alice (STORAGE 510)
		S: G0005 NO [NOPERM] Quotas cannot be set here
		C: G0006 SETQUOTA alice STORAGE
		S: G0006 BAD Expected "("
		C: G0007 GETQUOTA
		S: G0007 BAD Missing argument
		C: G0008 GETQUOTAROOT "Other Users/bob/INBOX"
		S: G0008 NO [NONEXISTENT] No such mailbox
	`)
	offered := strings.Fields(c.do("CAPABILITY")[0])
	for _, name := range []string{"QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"} {
		if !slices.Contains(offered, name) {
			t.Errorf("%s is not offered", name)
		}
	}
	plain := start(t, func(s *imap.Server) { s.Backend = plainBackend{r.Backend} })
	plain.login().play(`
		C: a1 GETQUOTA alice
		S: a1 NO [CANNOT] Not supported by this mail store
		C: a2 GETQUOTAROOT INBOX
		S: a2 NO [CANNOT] Not supported by this mail store
	`)
}

// RFC 8437 section 3: the next user's client says anew what it is.
func TestIDAfterUnauthenticate(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	for _, command := range []string{`ID ("name" "one")`, `ID ("name" "again")`, "UNAUTHENTICATE", `ID ("name" "two")`} {
		c.do(command)
	}
	if log := r.log.String(); strings.Count(log, "id.name=") != 2 || !strings.Contains(log, "id.name=two") {
		t.Error(log)
	}
}
