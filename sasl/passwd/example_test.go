package passwd_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
)

func Example() {
	dir, err := os.MkdirTemp("", "passwd")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	users, err := passwd.OpenOrCreate(filepath.Join(dir, "users"))
	if err != nil {
		log.Fatal(err)
	}
	if err := users.Set("Alice", "wonderland"); err != nil {
		log.Fatal(err)
	}

	for _, m := range sasl.Mechanisms(users) {
		fmt.Println(m.Name)
	}
	for _, password := range []string{"wonderland", "looking-glass"} {
		user, err := sasl.CheckPassword(context.Background(), users, sasl.Credentials{User: "alice", Password: password})
		fmt.Printf("%q %v\n", user, err)
	}
	// Output:
	// SCRAM-SHA-256
	// PLAIN
	// LOGIN
	// "Alice" <nil>
	// "" sasl: authentication failed
}
