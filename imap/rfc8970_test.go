package imap_test

import "testing"

const lorem = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.\r\n" +
	"Curabitur aliquam turpis et ante dictum, et pulvinar dui congue.\r\n" +
	"Maecenas hendrerit, lorem non imperdiet pellentesque, nulla\r\n" +
	"ligula nullam\r\n"

// RFC 8970 section 5, examples 1 and 2. Whitespace is made one space, and what is not
// derived yet needs no LAZY to wait for.
func TestRFC8970(t *testing.T) {
	r := start(t, nil)
	head := "From: FOO <foo@example.com>\r\nDate: Wed, 23 Sep 2020 15:03:11 +0000\r\nContent-Type: text/plain\r\n\r\n"
	r.fill(head+lorem, head+"Preview text for message 2.\r\n", head, "Content-Type: image/png\r\n\r\nnone")
	r.selecting().play(`
		C: A2 FETCH 1 (RFC822.SIZE PREVIEW)
		S: * 1 FETCH (RFC822.SIZE ` + itoa(uint32(len(head+lorem))) + ` PREVIEW "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Curabitur aliquam turpis et ante dictum, et pulvinar dui congue. Maecenas hendrerit, lorem non imperdiet pellentesque, nulla ligula nullam")
		S: A2 OK FETCH completed
		C: B1 FETCH 2:4 (FLAGS PREVIEW (LAZY))
		S: * 2 FETCH (FLAGS (\Recent) PREVIEW "Preview text for message 2.")
		S: * 3 FETCH (FLAGS (\Recent) PREVIEW "")
		S: * 4 FETCH (FLAGS (\Recent) PREVIEW "")
		S: B1 OK FETCH completed
		C: B2 FETCH 3:4 (PREVIEW)
		S: * 3 FETCH (PREVIEW "")
		S: * 4 FETCH (PREVIEW "")
		S: B2 OK FETCH completed
		C: C2 SEARCH RETURN (SAVE) FROM "FOO"
		C: C3 FETCH $ (UID PREVIEW (LAZY))
		S: C2 OK SEARCH completed
		S: * 1 FETCH (UID 1 PREVIEW "Lorem ...
		S: * 2 FETCH (UID 2 PREVIEW "Preview text for message 2.")
		S: * 3 FETCH (UID 3 PREVIEW "")
		S: C3 OK FETCH completed
		C: C4 UID FETCH 2 (PREVIEW)
		S: * 2 FETCH (UID 2 PREVIEW "Preview text for message 2.")
		S: C4 OK FETCH completed
		C: C5 FETCH 1 (PREVIEW (FUZZY))
		S: C5 BAD ...
		C: C6 FETCH 1:4 FLAGS
		S: * 1 FETCH (FLAGS (\Recent))
		S: * 2 FETCH (FLAGS (\Recent))
		S: * 3 FETCH (FLAGS (\Recent))
		S: * 4 FETCH (FLAGS (\Recent))
		S: C6 OK FETCH completed
	`)
}
