package imap_test

import (
	"fmt"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// A client that does not want to hear of its own change hears of another's all the same.
func TestSilentStoreHidesNoOther(t *testing.T) {
	for name, test := range map[string]struct {
		configure func(*imap.Server)
		arrives   bool // without mod-sequences, numbers that change are what makes a session look
		recent    string
	}{
		"with mod-sequences": {nil, false, ` \Recent`},
		"without":            {func(s *imap.Server) { s.Backend = plainBackend{s.Backend} }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, test.configure)
			r.fill("1\r\n", "2\r\n")
			c := r.selecting()
			r.flag(`\Flagged`, 1)
			var news []string
			if test.arrives {
				r.fill("3\r\n")
				news = []string{"* 3 EXISTS", "* 0 RECENT"}
			}
			equal(t, c.do(`STORE 1:2 +FLAGS.SILENT (\Seen)`), append(news, `* 1 FETCH (FLAGS (\Flagged \Seen`+test.recent+`))`, "OK STORE completed"))
			equal(t, c.do(`STORE 1:2 -FLAGS.SILENT (\Seen)`), []string{"OK STORE completed"})
		})
	}
}

// The same with a condition that the client's knowledge does not imply: it may have asked
// STATUS.
func TestSilentConditionalStoreHidesNoOther(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.login()
	c.do("SELECT INBOX (CONDSTORE)")
	first := r.flag(`\Flagged`, 1)
	late := r.flag(`\Flagged`, 2)
	c.play(fmt.Sprintf(`
		C: a1 STORE 1:3 (UNCHANGEDSINCE %[1]d) +FLAGS.SILENT (\Seen)
		S: * 3 FETCH (UID 3 MODSEQ (%[3]d))
		S: * 1 FETCH (UID 1 FLAGS (\Flagged \Seen \Recent) MODSEQ (%[4]d))
		S: * 2 FETCH (UID 2 FLAGS (\Flagged \Recent) MODSEQ (%[2]d))
		S: a1 OK [MODIFIED 2] ...
	`, first, late, late+1, late+2))
}

// What others have expunged before STORE is what it says, in sequence numbers: those of
// UIDs that are not there are nobody's (RFC 9051 section 6.4.9).
func TestStoreOfExpunged(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n")
	c := r.selecting()
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
		t.Fatal(err)
	}
	c.play(`
		C: a1 STORE 1:2 +FLAGS.SILENT (\Seen)
		S: a1 NO [EXPUNGEISSUED] Some of the messages are no longer there
		C: a2 STORE 2 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\Seen)
		S: * OK [HIGHESTMODSEQ ...
		S: a2 NO [EXPUNGEISSUED] Some of the messages are no longer there
		C: a3 FETCH 1 FLAGS
		S: * 1 FETCH (FLAGS (\Seen \Recent))
		S: a3 OK FETCH completed
		C: a4 UID STORE 2:3 +FLAGS.SILENT (\Seen)
		S: * 3 FETCH (UID 3 MODSEQ (...
		S: * 2 EXPUNGE
		S: a4 OK STORE completed
	`)
}
