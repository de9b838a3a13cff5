package imap_test

import (
	"io"
	"strings"
	"testing"
)

// RFC 5161 section 3.1. The extension that nobody knows is the other of the two.
func TestRFC5161(t *testing.T) {
	r := start(t, nil)
	c := r.login()
	c.play(`
		C: t1 CAPABILITY
		S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE ...
		S: t1 OK CAPABILITY completed
		C: t2 ENABLE CONDSTORE X-GOOD-IDEA
		S: * ENABLED CONDSTORE
		S: t2 OK ENABLE completed
		C: t3 CAPABILITY
		S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE ...
		S: t3 OK CAPABILITY completed
		C: t4 ENABLE IDLE STARTTLS
		S: * ENABLED
		S: t4 OK ENABLE completed
	`)
	r.login().play(`
		C: a1 ENABLE CONDSTORE
		S: * ENABLED CONDSTORE
		S: a1 OK ENABLE completed
	`)
	// ENABLE may stand in a pipeline, between LOGIN and SELECT.
	c = r.dial()
	io.WriteString(c, "p1 LOGIN alice \"open sesame\"\r\np2 ENABLE UTF8=ACCEPT\r\np3 ENABLE QRESYNC\r\np4 SELECT INBOX\r\n")
	var seen []string
	for len(seen) == 0 || !strings.HasPrefix(seen[len(seen)-1], "p4") {
		if l := c.response(); l[0] == 'p' || strings.HasPrefix(l, "* ENABLED") {
			seen = append(seen, strings.SplitN(l, " [", 2)[0])
		}
	}
	equal(t, seen, []string{"p1 OK", "* ENABLED UTF8=ACCEPT", "p2 OK ENABLE completed", "* ENABLED QRESYNC", "p3 OK ENABLE completed", "p4 OK"})
}
