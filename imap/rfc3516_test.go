package imap_test

import "testing"

// RFC 3516 sections 4.2 to 4.4. The RFC has no examples.
func TestRFC3516(t *testing.T) {
	r := start(t, nil)
	r.fill(multipart, "Content-Transfer-Encoding: x-secret\r\n\r\nxyz\r\n")
	c := r.selecting()
	c.play(`
		C: a1 FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.PEEK[1])
		S: * 1 FETCH (BINARY.SIZE[1] 9 BINARY.SIZE[2] 4 BINARY[1] {9}
		Hello Joe)
		S: a1 OK FETCH completed
	` + "C: a2 FETCH 1 BINARY.PEEK[2]\nS: * 1 FETCH (BINARY[2] ~{4}\n\x00\x01\x02\x03)\nS: a2 OK FETCH completed" + `
		C: a3 FETCH 1 BINARY.PEEK[2]<1.2>
	` + "S: * 1 FETCH (BINARY[2]<1> {2}\n\x01\x02)\nS: a3 OK FETCH completed" + `
		C: a4 FETCH 1 BINARY.PEEK[2]<4.2>
		S: * 1 FETCH (BINARY[2]<4> "")
		S: a4 OK FETCH completed
		C: a5 FETCH 1 (BINARY[1]<6.3> BINARY.PEEK[7])
		S: * 1 FETCH (BINARY[1]<6> {3}
		Joe BINARY[7] NIL FLAGS (\Seen \Recent))
		S: a5 OK FETCH completed
		C: a6 FETCH 2 BINARY.SIZE[1]
		S: a6 NO [UNKNOWN-CTE] ...
		C: a7 FETCH 2 BINARY.PEEK[1]
		S: a7 NO [UNKNOWN-CTE] ...
	`)
}

// RFC 3516 section 4.4: APPEND of a literal8, and a part with a NUL comes as one.
func TestRFC3516Append(t *testing.T) {
	c := start(t, nil).selecting()
	c.play("C: a1 APPEND INBOX (\\Seen) ~{27}\nS: + OK\nC: Subject: x\n\nbinary \x00\x02\x03\xff\n" + `
		S: * 1 EXISTS
		S: * 1 RECENT
		S: a1 OK [APPENDUID 1 1] APPEND completed
		C: a2 APPEND INBOX ~{12+}
	` + "Subject: y\n\nS: * 2 EXISTS\nS: * 2 RECENT\nS: a2 OK [APPENDUID 1 2] APPEND completed" + `
		C: a3 FETCH 1 BINARY.PEEK[TEXT]
		S: a3 BAD ...
		C: a4 FETCH 1 (RFC822.SIZE BINARY.PEEK[1])
	` + "S: * 1 FETCH (RFC822.SIZE 27 BINARY[1] ~{13}\nbinary \x00\x02\x03\xff\n)\nS: a4 OK FETCH completed\n")
}
