package imap_test

import "testing"

// A client of IMAP4rev2 finds by each command what CREATE made of a name that is not
// Net-Unicode (RFC 9051 section 5.1).
func TestNetUnicodeRev2(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.do("ENABLE IMAP4rev2")
	const composed, decomposed = "\u00fcber", "u\u0308ber"
	old := `* LIST () "/" "` + composed + `" ("OLDNAME" ("` + decomposed + `"))`
	for _, test := range []struct {
		command string
		want    []string
	}{
		{`CREATE "` + decomposed + `/sub"`, []string{`* LIST () "/" "` + composed + `/sub" ("OLDNAME" ("` + decomposed + `/sub"))`, "OK [MAILBOXID (F2)] CREATE completed"}},
		{`CREATE "` + decomposed + `"`, []string{old, "OK [MAILBOXID (F3)] CREATE completed"}},
		{`CREATE "` + decomposed + `"`, []string{"NO [ALREADYEXISTS] The mailbox exists"}},
		{`CREATE "` + composed + `"`, []string{"NO [ALREADYEXISTS] The mailbox exists"}},
		{`SUBSCRIBE "` + decomposed + `"`, []string{"OK SUBSCRIBE completed"}},
		{`LIST (SUBSCRIBED) "" *`, []string{`* LIST (\Subscribed) "/" "` + composed + `"`, "OK LIST completed"}},
		{`LIST "" "` + decomposed + `"`, []string{`* LIST (\HasChildren) "/" "` + composed + `"`, "OK LIST completed"}},
		{`LIST "` + decomposed + `/" %`, []string{`* LIST (\HasNoChildren) "/" "` + composed + `/sub"`, "OK LIST completed"}},
		{`LSUB "" "` + decomposed + `"`, []string{`* LSUB () "/" "` + composed + `"`, "OK LSUB completed"}},
		{`UNSUBSCRIBE "` + decomposed + `"`, []string{"OK UNSUBSCRIBE completed"}},
		{`LIST (SUBSCRIBED) "" *`, []string{"OK LIST completed"}},
		{"APPEND \"" + decomposed + "\" {5+}\r\nhello", []string{old, "OK [APPENDUID 3 1] APPEND completed"}},
		{`STATUS "` + decomposed + `" (MESSAGES)`, []string{old, `* STATUS "` + composed + `" (MESSAGES 1)`, "OK STATUS completed"}},
		{`STATUS "` + decomposed + `?" (MESSAGES)`, []string{"NO [NONEXISTENT] No such mailbox"}},
	} {
		equal(t, c.do(test.command), test.want)
	}
	got := c.do(`SELECT "` + decomposed + `"`)
	equal(t, got[len(got)-2:], []string{old, "OK [READ-WRITE] SELECT completed"})
	equal(t, c.do(`COPY 1 "`+decomposed+`/sub"`), []string{"OK [COPYUID 2 1 1] COPY completed"})
	equal(t, c.do(`RENAME "`+decomposed+`" plain`), []string{`* LIST () "/" plain ("OLDNAME" ("` + decomposed + `"))`, "OK RENAME completed"})
	c.do(`CREATE "` + composed + `"`)
	equal(t, c.do(`DELETE "`+decomposed+`"`), []string{`* LIST (\NonExistent) "/" "` + composed + `" ("OLDNAME" ("` + decomposed + `"))`, "OK DELETE completed"})
}

// A mailbox whose own name is not Net-Unicode, as clients without IMAP4rev2 and other
// programs make them, is found by it, and no other can be made that this name would mean.
func TestNetUnicodeOfOthers(t *testing.T) {
	r := start(t, nil)
	r.login().do("CREATE u&Awg-ber")
	c := r.login()
	c.do("ENABLE IMAP4rev2")
	equal(t, c.do(`LIST "" u%`), []string{"* LIST (\\HasNoChildren) \"/\" \"u\u0308ber\"", "OK LIST completed"})
	equal(t, c.do("STATUS \"u\u0308ber\" (MESSAGES)"), []string{"* STATUS \"u\u0308ber\" (MESSAGES 0)", "OK STATUS completed"})
	equal(t, c.do("CREATE \"u\u0308ber\""), []string{"NO [ALREADYEXISTS] The mailbox exists"})
	equal(t, c.do("RENAME \"u\u0308ber\" \"\u00fcber\""), []string{"OK RENAME completed"})
	equal(t, c.do("DELETE \"\u00fcber\""), []string{"OK DELETE completed"})
}

// With UTF8=ACCEPT alone such names are refused to new mailboxes and mean none that has
// another (RFC 9755 section 3).
func TestNetUnicodeUTF8(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.do("ENABLE UTF8=ACCEPT")
	c.do("CREATE \"\u00fcber\"")
	for command, want := range map[string]string{
		"CREATE \"u\u0308ber\"":            "NO [CANNOT] A mailbox cannot have this name",
		"RENAME \"\u00fcber\" \"u\u0308\"": "NO [CANNOT] A mailbox cannot have this name",
		"SELECT \"u\u0308ber\"":            "NO [NONEXISTENT] No such mailbox",
		"STATUS \"u\u0308ber\" (MESSAGES)": "NO [NONEXISTENT] No such mailbox",
		"RENAME \"u\u0308ber\" x":          "NO [NONEXISTENT] No such mailbox",
		"DELETE \"u\u0308ber\"":            "NO [NONEXISTENT] No such mailbox",
		"LIST \"\" \"u\u0308ber\"":         "OK LIST completed",
	} {
		equal(t, c.do(command), []string{want})
	}
}
