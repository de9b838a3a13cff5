package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// RFC 3348 section 3, example 3.1, in bob's mailboxes, of which alice may see all but
// TOP_SECRET. The access can be computed: so ITEM_2 has no children, for her.
func TestRFC3348(t *testing.T) {
	memory := new(mailtest.Memory)
	share(t, memory, "bob", "INBOX", "lr")
	for _, name := range []string{"ITEM_1", "ITEM_1/ITEM_1A", "ITEM_2"} {
		share(t, memory, "bob", name, "lr")
	}
	share(t, memory, "bob", "ITEM_2/TOP_SECRET", "")
	r := start(t, func(s *imap.Server) { s.Backend = memory })
	r.login().play(`
		C: A001 LIST "Other Users/bob/" *
		S: * LIST (\HasNoChildren) "/" "Other Users/bob/INBOX"
		S: * LIST (\HasChildren) "/" "Other Users/bob/ITEM_1"
		S: * LIST (\HasNoChildren) "/" "Other Users/bob/ITEM_1/ITEM_1A"
		S: * LIST (\HasNoChildren) "/" "Other Users/bob/ITEM_2"
		S: A001 OK LIST completed
	`)
	c := r.dial()
	c.do(`LOGIN bob "open sesame"`)
	c.play(`
		C: A001 LIST "" *
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasChildren) "/" ITEM_1
		S: * LIST (\HasNoChildren) "/" ITEM_1/ITEM_1A
		S: * LIST (\HasChildren) "/" ITEM_2
		S: * LIST (\HasNoChildren) "/" ITEM_2/TOP_SECRET
		S: A001 OK LIST completed
	`)
}
