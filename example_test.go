package mailparts_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// A function takes responsibility for mail; filters before it refuse, rewrite and
// mark. This is what a server does with them.
func Example() {
	deliver := mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
		b, err := io.ReadAll(msg)
		if err != nil {
			return err // there is no message
		}
		fmt.Printf("from %s to %s: %q\n", env.From, env.To[0].Addr, b)
		return nil
	})
	users := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if to.Addr.Local() != "alice" {
			return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
		}
		return nil
	})
	mark := mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
		return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			return next.Deliver(ctx, env, mailparts.Prepend(msg, "X-Seen: yes\r\n"))
		})
	})
	receiver := mailparts.Chain(mailparts.AsReceiver(deliver), users, mark)

	ctx := context.Background()
	env := &mailparts.Envelope{From: "bob@example.org"}
	tx, err := receiver.Mail(ctx, env)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Close()
	for _, addr := range []mailparts.Address{"mallory@example.com", "alice@example.com"} {
		to := mailparts.Rcpt{Addr: addr}
		if err := tx.Rcpt(ctx, &to); err != nil {
			fmt.Println(err)
			continue
		}
		env.To = append(env.To, to)
	}
	if err := tx.Data(ctx, strings.NewReader("Subject: hello\r\n")); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 550 5.1.1 No such user
	// from bob@example.org to alice@example.com: "X-Seen: yes\r\nSubject: hello\r\n"
}

func ExampleUIDSet() {
	var seen mailparts.UIDSet
	for _, uid := range []mailparts.UID{4, 1, 2, 3, 9} {
		seen.Add(uid, uid)
	}
	fmt.Println(seen, seen.Contains(9), seen.Len())
	fmt.Println(seen.Intersect(mailparts.UIDSet{{First: 3, Last: 20}}))
	fmt.Println(mailparts.AllUIDs().Subtract(seen))
	// Output:
	// 1:4,9 true 5
	// 3:4,9
	// 5:8,10:4294967295
}

func ExampleParseAddress() {
	for _, s := range []string{`"john"@Example.ORG`, `"john doe"@example.org`, "john doe@example.org"} {
		a, err := mailparts.ParseAddress(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("<%s> is %q at %s\n", a, a.Local(), a.Domain())
	}
	// Output:
	// <john@Example.ORG> is "john" at example.org
	// <"john doe"@example.org> is "john doe" at example.org
	// malformed address
}

func ExampleCopy() {
	ctx := context.Background()
	var memory mailtest.Memory
	inbox := func(user string) mailparts.Mailbox {
		store, err := memory.Open(ctx, user)
		if err != nil {
			log.Fatal(err)
		}
		mb, err := store.Mailbox(ctx, "INBOX")
		if err != nil {
			log.Fatal(err)
		}
		return mb
	}
	alice, bob := inbox("alice"), inbox("bob")
	for _, body := range []string{"Subject: one\r\n", "Subject: two\r\n"} {
		if _, err := mailparts.Append(ctx, alice, mailparts.Incoming{Body: strings.NewReader(body)}); err != nil {
			log.Fatal(err)
		}
	}
	copied, err := mailparts.Copy(ctx, alice, mailparts.UIDSet{{First: 2, Last: 2}}, bob)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("UID %v of alice is UID %v of bob\n", copied.From, copied.To.UIDs)
	// Output: UID 2 of alice is UID 1 of bob
}
