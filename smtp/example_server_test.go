package smtp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	netsmtp "net/smtp"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// A program that receives mail. In one that does nothing else,
// smtp.ListenAndServe(addr, deliverer) is enough.
func ExampleServer() {
	s := &smtp.Server{
		Hostname: "mx.example.com",
		Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
			func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
				text, err := io.ReadAll(msg)
				if err != nil {
					return err // there is no message
				}
				fmt.Println("from", env.From, "to", env.To[0].Addr)
				_, content, _ := strings.Cut(string(text), "Subject: ") // after the Received field
				fmt.Println("Subject:", strings.TrimSpace(content))
				return nil // it is ours now: the client hears 250
			})),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.Serve(l)
	defer s.Shutdown(context.Background())

	err = netsmtp.SendMail(l.Addr().String(), nil, "a@example.org", []string{"b@example.com"}, []byte("Subject: hello\r\n"))
	fmt.Println("error:", err)
	// Output:
	// from a@example.org to b@example.com
	// Subject: hello
	// error: <nil>
}

// Filters have their say before the message is taken: here one knows the users,
// and one refuses what it does not like.
func ExampleServer_filters() {
	inbox := mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		return err
	})
	users := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if to.Addr.Local() != "b" {
			return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
		}
		return nil
	})
	noSpam := mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			m, err := mailparts.Buffer(msg) // to read it twice
			if err != nil {
				return err
			}
			defer m.Close()
			text, err := io.ReadAll(m)
			if err == nil {
				_, err = m.Seek(0, io.SeekStart)
			}
			if err != nil {
				return err
			}
			if strings.Contains(string(text), "buy now") {
				return &mailparts.Error{Code: 554, Status: "5.7.1", Message: "Not here"}
			}
			return next.Deliver(ctx, env, m)
		})
	})
	s := &smtp.Server{
		Hostname: "mx.example.com",
		Receiver: mailparts.Chain(mailparts.AsReceiver(inbox), users, noSpam),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.Serve(l)
	defer s.Shutdown(context.Background())

	send := func(to, text string) {
		fmt.Println(netsmtp.SendMail(l.Addr().String(), nil, "a@example.org", []string{to}, []byte(text)))
	}
	send("b@example.com", "Subject: hello\r\n")
	send("nobody@example.com", "Subject: hello\r\n")
	send("b@example.com", "Subject: buy now\r\n")
	// Output:
	// <nil>
	// 550 "5.1.1 No such user"
	// 554 "5.7.1 Not here"
}
