package mime_test

import (
	"fmt"
	"strings"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

func Example() {
	msg := crlf(`From: Ann <ann@example.org>
Subject: Photos
Content-Type: multipart/mixed; boundary=b

--b

See the attachment.
--b
Content-Type: image/png
Content-Transfer-Encoding: base64

aGVsbG8=
--b--
`)
	p, err := mime.Scan(strings.NewReader(msg))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("ENVELOPE %s\n", mime.AppendEnvelope(nil, p.Envelope, false))
	fmt.Printf("BODY %s\n", mime.AppendBodyStructure(nil, p, false, false))
	if r, ok := p.Section([]int{2}, mime.All); ok {
		fmt.Printf("BODY[2] is octets %d to %d: %s\n", r.Offset, r.End(), msg[r.Offset:r.End()])
	}
	// Output:
	// ENVELOPE (NIL "Photos" (("Ann" NIL "ann" "example.org")) (("Ann" NIL "ann" "example.org")) (("Ann" NIL "ann" "example.org")) NIL NIL NIL NIL NIL)
	// BODY (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 19 0)("image" "png" NIL NIL NIL "base64" 8) "mixed")
	// BODY[2] is octets 186 to 194: aGVsbG8=
}
