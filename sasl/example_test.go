package sasl_test

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/mailparts/mailparts/sasl"
)

// One user, whom a function knows: what a server does with it.
func Example() {
	auth := sasl.AuthenticatorFunc(func(ctx context.Context, c *sasl.Credentials) (string, error) {
		name := subtle.ConstantTimeCompare([]byte(c.User), []byte("alice"))
		pass := subtle.ConstantTimeCompare([]byte(c.Password), []byte("wonderland"))
		if name&pass == 0 {
			return "", sasl.ErrDenied
		}
		return "alice", nil
	})

	for _, m := range sasl.Mechanisms(auth) {
		fmt.Println(m.Name)
	}

	plain := sasl.Mechanisms(auth)[0]
	for _, response := range []string{"\x00alice\x00wonderland", "\x00alice\x00looking-glass", "alice"} {
		exchange := plain.New(context.Background(), &sasl.Conn{Protocol: "smtp"})
		_, done, err := exchange.Next([]byte(response))
		fmt.Println(done, exchange.User(), err)
	}
	// Output:
	// PLAIN
	// LOGIN
	// true alice <nil>
	// false  sasl: authentication failed
	// false  sasl: malformed message: PLAIN has three fields
}
