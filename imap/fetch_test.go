package imap_test

import (
	"strings"
	"testing"
)

// multipart is a message with a text, an attachment in base64, and a message.
var multipart = strings.ReplaceAll(`From: "Fred Foobar" <foobar@Blurdybloop.example>
To: mooch@owatagu.siam.edu.example
Subject: afternoon meeting
Date: Mon, 7 Feb 1994 21:52:25 -0800
Message-Id: <B27397-0100000@Blurdybloop.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/plain; charset=us-ascii

Hello Joe
--x
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAECAw==
--x
Content-Type: message/rfc822

Subject: inner

inner body
--x--
`, "\n", "\r\n")

func TestFetch(t *testing.T) {
	r := start(t, nil)
	r.fill(multipart)
	r.selecting().play(`
		C: a1 FETCH 1 (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject "to")])
		S: * 1 FETCH (UID 1 FLAGS (\Recent) RFC822.SIZE 496 BODY[HEADER.FIELDS (Subject to)] {66}
		To: mooch@owatagu.siam.edu.example
		Subject: afternoon meeting

		)
		S: a1 OK FETCH completed
		C: a2 UID FETCH 1 ENVELOPE
		S: * 1 FETCH (UID 1 ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "afternoon meeting" (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ((NIL NIL "mooch" "owatagu.siam.edu.example")) NIL NIL NIL "<B27397-0100000@Blurdybloop.example>"))
		S: a2 OK FETCH completed
		C: a3 FETCH 1 BODY.PEEK[1]
		S: * 1 FETCH (BODY[1] {9}
		Hello Joe)
		S: a3 OK FETCH completed
		C: a4 FETCH 1 (BODY.PEEK[3.HEADER] BODY.PEEK[3.TEXT]<2.4> BINARY.SIZE[2] BODY.PEEK[9])
		S: * 1 FETCH (BODY[3.HEADER] {18}
		Subject: inner

		 BODY[3.TEXT]<2> {4}
		ner  BINARY.SIZE[2] 4 BODY[9] NIL)
		S: a4 OK FETCH completed
		C: a5 FETCH 1 BODY[2.MIME]
		S: * 1 FETCH (BODY[2.MIME] {77}
		Content-Type: application/octet-stream
		Content-Transfer-Encoding: base64

		 FLAGS (\Seen \Recent))
		S: a5 OK FETCH completed
		C: a6 FETCH 2 FLAGS
		S: a6 BAD No such message
		C: a7 UID FETCH 5:10 FLAGS
		S: a7 OK FETCH completed
		C: a8 FETCH 1 (BODY[1
		S: a8 BAD ...
	`)
}
