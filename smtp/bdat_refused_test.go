package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// Whenever Data refuses, the chunk is dropped, and so are those that the peer sent
// before it knew. Many chunks of one message are one error.
func TestBDATIsRefusedByData(t *testing.T) {
	for _, test := range []struct {
		name string
		read int64 // of 7 for each chunk, and the Received field
	}{{"unread", 0}, {"at once", 1}, {"in the first chunk", 150}} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				calls++
				io.CopyN(io.Discard, msg, test.read)
				return spam
			})
			const no = "503 5.5.1 Not between two chunks of a message: need BDAT or RSET"
			play(t, &smtp.Server{Receiver: r, MaxErrors: 7}, toBDAT+`
				C> BDAT 36\r\n`+evil+strings.Repeat(`BDAT 36\r\n`+evil, 20)+`NOOP\r\n
				S: 554 5.6.0 Spam
			`+strings.Repeat("S: 554 5.6.0 Spam\n", 20)+`
				S: 250 2.0.0 OK
				C: RCPT TO:<b@example.com>
				S: `+no+`
				C: DATA
				S: `+no+`
				C> BDAT 36 LAST\r\n`+evil+`
				S: 554 5.6.0 Spam
				C> BDAT 36 LAST\r\n`+evil+`
				S: 503 5.5.1 Need MAIL first
				C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT 7\r\nhello
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 554 5.6.0 Spam
				# A new MAIL is as good as RSET after a refusal.
				C: MAIL FROM:<a@example.org>\r\nRSET\r\nBDAT 0
				S: 250 2.1.0 OK
				S: 250 2.0.0 OK
				S: 503 5.5.1 Need MAIL first
				S: 421 4.7.0 Too many errors, closing the connection
				S!
			`)
			if calls != 2 {
				t.Errorf("Data was called %d times", calls)
			}
		})
	}
}

// An error of the second chunk, of a bare LF there, and one that closes.
func TestBDATIsRefusedLater(t *testing.T) {
	const bare = "550 5.6.0 CR or LF alone in the message: lines end with CRLF (RFC 5321 section 2.3.8)"
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, toBDAT+`
		C> BDAT 7\r\nhello\r\nBDAT 7\r\nhel\nlo\nBDAT 7\r\nhello\r\nBDAT 7 LAST\r\nhello\r\n
		S: 250 2.0.0 OK, 7 octets received
		S: `+bare+`
		S: `+bare+`
		S: `+bare+`
		C: NOOP
		S: 250 2.0.0 OK
	`)
	if b.count() != 0 || b.closed != 1 {
		t.Errorf("%d messages from %d transactions", b.count(), b.closed)
	}
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		return &mailparts.Error{Code: 421, Status: "4.3.2", Message: "Going down"}
	})
	play(t, &smtp.Server{Receiver: r}, toBDAT+`
		C> BDAT 7\r\nhello\r\nBDAT 7 LAST\r\nhello\r\n
		S: 421 4.3.2 Going down
		S!
	`)
}

// What a Deliverer leaves unread of a message that it takes is read for it, through
// all the chunks.
func TestBDATIsAcceptedEarly(t *testing.T) {
	for _, read := range []int64{0, 1, 150} {
		r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			io.CopyN(io.Discard, msg, read)
			return nil
		})
		play(t, &smtp.Server{Receiver: r}, toBDAT+`
			C> BDAT 36\r\n`+evil+`BDAT 36\r\n`+evil+`
			S: 250 2.0.0 OK, 36 octets received
			S: 250 2.0.0 OK, 36 octets received
			C: NOOP\r\nMAIL FROM:<a@example.org>
			S: 250 2.0.0 OK
			S: 503 ...
			C> BDAT 36 LAST\r\n`+evil+`
			S: 250 2.0.0 OK queued as ID
		`)
	}
}
