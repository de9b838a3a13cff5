// Command receive takes mail for any address and prints it: receiving mail in
// an app is a function. Try it:
//
//	swaks --server localhost:2525 --to anyone@example.test
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
	log.Fatal(smtp.ListenAndServe("localhost:2525", mailparts.DelivererFunc(
		func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
			fmt.Println(env.From, "to", env.To[0].Addr)
			_, err := io.Copy(os.Stdout, msg)
			return err
		})))
}
