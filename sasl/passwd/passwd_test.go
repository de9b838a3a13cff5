package passwd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
	"github.com/xdg-go/scram"
)

// Hashes that others made.
const (
	// Of "password", from the tests of the Argon2 reference implementation.
	argon2idHash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	// Of "U*U", from the tests of crypt_blowfish.
	bcryptHash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
	// Of "pencil", with the salt of RFC 7677 section 3.
	scramKeys = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)

// write replaces the file by a rename, as the package comment asks.
func write(t testing.TB, file string, lines ...string) {
	t.Helper()
	next := file + ".next"
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, file); err != nil {
		t.Fatal(err)
	}
}

// open is a File of these lines.
func open(t testing.TB, lines ...string) (f *passwd.File, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "users")
	write(t, file, lines...)
	f, err := passwd.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return f, file
}

func authenticate(t testing.TB, f *passwd.File, name, password string) (string, error) {
	t.Helper()
	return f.Authenticate(t.Context(), &sasl.Credentials{Mechanism: "PLAIN", User: name, Password: password})
}

// exchange starts the mechanism that f offers by this name.
func exchange(t testing.TB, f *passwd.File, name string) sasl.Exchange {
	t.Helper()
	for _, m := range sasl.Mechanisms(f) {
		if m.Name == name {
			return m.New(t.Context(), nil)
		}
	}
	t.Fatalf("%s is not offered", name)
	return nil
}

// logInByScram runs xdg-go/scram's client against f.
func logInByScram(t testing.TB, f *passwd.File, name, password, authzid string) (string, error) {
	t.Helper()
	client, err := scram.SHA256.NewClient(name, password, authzid)
	if err != nil {
		t.Fatal(err)
	}
	conv, x := client.NewConversation(), exchange(t, f, "SCRAM-SHA-256")
	message, err := conv.Step("")
	for err == nil {
		challenge, done, err := x.Next([]byte(message))
		if err != nil || done {
			return x.User(), err
		}
		if message, err = conv.Step(string(challenge)); err != nil {
			t.Fatalf("the client refused %q: %v", challenge, err)
		}
	}
	t.Fatal(err)
	return "", err
}

// has reports whether the file names a user.
func has(f *passwd.File, name string) bool {
	_, ok := f.Canonical(name)
	return ok
}
