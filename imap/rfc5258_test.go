package imap_test

import "testing"

// RFC 5258 section 5, example 1 as LIST tells of it without return options, and example 9
// with all that is in it. Names that do not satisfy the criteria are told of only if
// something below them is not (section 3.5), so "foo2" and "baz2" are not in D03.
func TestRFC5258ChildInfo(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("foo2", "+foo2/bar1", "+foo2/bar2", "baz2", "+baz2/bar2", "+baz2/bar22", "+baz2/bar222", "+eps2", "+eps2/mamba", "+qux2/bar2")
	r.login().play(`
		C: D01 LIST () "" "*"
		S: * LIST () "/" INBOX
		S: * LIST () "/" baz2
		S: * LIST () "/" baz2/bar2
		S: * LIST () "/" baz2/bar22
		S: * LIST () "/" baz2/bar222
		S: * LIST () "/" eps2
		S: * LIST () "/" eps2/mamba
		S: * LIST () "/" foo2
		S: * LIST () "/" foo2/bar1
		S: * LIST () "/" foo2/bar2
		S: * LIST () "/" qux2/bar2
		S: D01 OK LIST completed
		C: D02 LIST (SUBSCRIBED) "" "*"
		S: * LIST (\Subscribed) "/" baz2/bar2
		S: * LIST (\Subscribed) "/" baz2/bar22
		S: * LIST (\Subscribed) "/" baz2/bar222
		S: * LIST (\Subscribed) "/" eps2
		S: * LIST (\Subscribed) "/" eps2/mamba
		S: * LIST (\Subscribed) "/" foo2/bar1
		S: * LIST (\Subscribed) "/" foo2/bar2
		S: * LIST (\Subscribed) "/" qux2/bar2
		S: D02 OK LIST completed
		C: D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*"
		S: * LIST (\Subscribed) "/" baz2/bar2
		S: * LIST (\Subscribed) "/" baz2/bar22
		S: * LIST (\Subscribed) "/" baz2/bar222
		S: * LIST (\Subscribed) "/" eps2 ("CHILDINFO" ("SUBSCRIBED"))
		S: * LIST (\Subscribed) "/" eps2/mamba
		S: * LIST (\Subscribed) "/" foo2/bar1
		S: * LIST (\Subscribed) "/" foo2/bar2
		S: * LIST (\Subscribed) "/" qux2/bar2
		S: D03 OK LIST completed
	`)
}

// RFC 5258 section 5, example 10: there are no children, but one is subscribed.
func TestRFC5258NoChildren(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("foo", "-foo/bar")
	r.login().play(`
		C: a1 LIST "" ("foo" "foo/*")
		S: * LIST () "/" foo
		S: a1 OK LIST completed
		C: a2 LIST (SUBSCRIBED) "" "foo/*"
		S: * LIST (\NonExistent \Subscribed) "/" foo/bar
		S: a2 OK LIST completed
		C: a3 LIST (SUBSCRIBED RECURSIVEMATCH) "" foo RETURN (CHILDREN)
		S: * LIST (\HasNoChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))
		S: a3 OK LIST completed
	`)
}

// RFC 5258 section 5, example 11: missing elements of the hierarchy. No mailbox is remote;
// and "music" need not be told of in a3.1, but may be.
func TestRFC5258MissingElements(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("music/rock")
	r.login().play(`
		C: a1 LIST (REMOTE) "" *
		S: * LIST () "/" INBOX
		S: * LIST () "/" music/rock
		S: a1 OK LIST completed
		C: a2 LIST () "" %
		S: * LIST () "/" INBOX
		S: * LIST (\NonExistent \HasChildren) "/" music
		S: a2 OK LIST completed
		C: a3 LIST (REMOTE) "" %
		S: * LIST () "/" INBOX
		S: * LIST (\NonExistent \HasChildren) "/" music
		S: a3 OK LIST completed
		C: a3.1 LIST "" (% music/rock)
		S: * LIST () "/" INBOX
		S: * LIST (\NonExistent \HasChildren) "/" music
		S: * LIST () "/" music/rock
		S: a3.1 OK LIST completed
	`)
}
