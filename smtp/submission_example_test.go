package smtp_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// The rules of a submission server: alice sends as herself only, and what her
// program left out of the message is added.
func ExampleSubmission() {
	queue := mailparts.AsReceiver(mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		text, err := io.ReadAll(msg)
		for _, field := range []string{"Date", "Message-ID", "Bcc"} {
			fmt.Println(field, strings.Contains(string(text), field+": "))
		}
		return err
	}))
	rules := &smtp.Submission{Own: func(_ context.Context, user string, from mailparts.Address) (bool, error) {
		return string(from) == user+"@example.com", nil
	}}
	receiver := mailparts.Chain(queue, rules.Filter)

	for _, from := range []mailparts.Address{"bob@example.com", "alice@example.com"} {
		env := &mailparts.Envelope{From: from, Peer: &mailparts.Peer{User: "alice"}} // as the Server makes it
		tx, err := receiver.Mail(context.Background(), env)
		if err != nil {
			fmt.Println(from, err)
			continue
		}
		to := mailparts.Rcpt{Addr: "carol@example.org"}
		fmt.Println(from, tx.Rcpt(context.Background(), &to))
		fmt.Println(tx.Data(context.Background(), strings.NewReader("From: alice@example.com\r\nBcc: dave@example.org\r\n\r\nhello\r\n")))
		tx.Close()
	}
	// Output:
	// bob@example.com 550 5.7.1 You may not send as this address
	// alice@example.com <nil>
	// Date true
	// Message-ID true
	// Bcc false
	// <nil>
}
