package imap_test

import "testing"

// RFC 6154 sections 5.1 to 5.3. Every special use of section 2 is supported, so another is
// refused in its place. Section 5.4 is of METADATA, which is not offered.
func TestRFC6154(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("ToDo", "Projects", "Projects/one")
	c := r.login()
	for _, command := range []string{`CREATE SentMail (USE (\Sent))`, `CREATE MyDrafts (USE (\Drafts))`, `CREATE Trash (USE (\Trash))`} {
		c.do(command)
	}
	c.play(`
		C: t1 LIST "" "%"
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasNoChildren \Drafts) "/" MyDrafts
		S: * LIST (\HasChildren) "/" Projects
		S: * LIST (\HasNoChildren \Sent) "/" SentMail
		S: * LIST (\HasNoChildren) "/" ToDo
		S: * LIST (\HasNoChildren \Trash) "/" Trash
		S: t1 OK LIST completed
		C: t2 LIST "" "%" RETURN (SPECIAL-USE)
		S: * LIST () "/" INBOX
		S: * LIST (\Drafts) "/" MyDrafts
		S: * LIST () "/" Projects
		S: * LIST (\Sent) "/" SentMail
		S: * LIST () "/" ToDo
		S: * LIST (\Trash) "/" Trash
		S: t2 OK LIST completed
		C: t3 LIST (SPECIAL-USE) "" "*"
		S: * LIST (\Drafts) "/" MyDrafts
		S: * LIST (\Sent) "/" SentMail
		S: * LIST (\Trash) "/" Trash
		S: t3 OK LIST completed
		C: t2 CREATE MySpecial (USE (\Drafts \Sent))
		S: t2 OK ...
		C: t3 CREATE Everything (USE (\Nothing))
		S: t3 NO [USEATTR] ...
		C: t4 CREATE Plain (USE ())
		S: t4 OK ...
		C: t5 LIST (SPECIAL-USE) "" (MySpecial Everything Plain)
		S: * LIST (\Drafts \Sent) "/" MySpecial
		S: t5 OK LIST completed
		C: t6 LIST "" (MySpecial Everything Plain)
		S: * LIST () "/" MySpecial
		S: * LIST () "/" Plain
		S: t6 OK LIST completed
	`)
}
