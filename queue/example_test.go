package queue_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/queue"
)

func Example() {
	dir, _ := os.MkdirTemp("", "spool")
	defer os.RemoveAll(dir)
	spool, err := queue.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer spool.Close()

	delivered := make(chan string)
	local := mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		b, err := io.ReadAll(msg)
		if err == nil {
			delivered <- fmt.Sprintf("%s: %q", env.To[0].Addr, b)
		}
		return err
	})
	q := &queue.Queue{Spool: spool, Routes: queue.Routes{"example.org": local}}

	env := &mailparts.Envelope{
		From: "alice@example.net",
		To:   []mailparts.Rcpt{{Addr: "bob@example.org"}},
		Peer: &mailparts.Peer{Hello: "mx.example.net"},
	}
	if err := q.Deliver(context.Background(), env, strings.NewReader("Subject: hi\r\n\r\n")); err != nil {
		fmt.Println(err)
		return
	}
	go q.Run(context.Background())
	fmt.Println(<-delivered)
	q.Shutdown(context.Background())

	env.To[0].Addr = "carol@elsewhere.example"
	err = q.Deliver(context.Background(), env, strings.NewReader("Subject: hi\r\n\r\n"))
	fmt.Println(mailparts.RcptError(err, 0))

	// Output:
	// bob@example.org: "Subject: hi\r\n\r\n"
	// 550 5.7.1 Relaying denied
}

func ExampleRoutes() {
	local := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return nil })
	relay := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return nil })
	routes := queue.Routes{
		"example.org":  local,
		".example.org": local,
		"postmaster":   local,
		"*":            relay,
	}
	for _, to := range []mailparts.Address{"bob@Example.ORG", "bob@lists.example.org", "Postmaster", "bob@example.com"} {
		_, ours := routes.Route(to)
		fmt.Println(to, ours)
	}
	// Output:
	// bob@Example.ORG true
	// bob@lists.example.org true
	// Postmaster true
	// bob@example.com false
}
