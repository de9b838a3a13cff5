// Command receive takes mail for any address and prints it: receiving mail in
// an app is a function. Try it:
//
//	curl smtp://localhost:2525 --mail-from me@example.test --mail-rcpt you@example.test --crlf -T README.md
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func main() {
	log.Fatal(smtp.ListenAndServe("localhost:2525", mailparts.DelivererFunc(printMail)))
}

func printMail(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	fmt.Println(env.From, "to", env.To[0].Addr)
	_, err := io.Copy(os.Stdout, msg)
	return err
}
