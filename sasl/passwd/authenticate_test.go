package passwd_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts/sasl"
)

func TestAuthenticate(t *testing.T) {
	f, _ := open(t,
		"# users of example.org", "",
		"Argon:"+argon2idHash,
		"argon2:{ARGON2ID}"+argon2idHash+":",
		"bcrypt:"+bcryptHash,
		"bcrypt2:{blf-crypt}"+bcryptHash,
		"bcrypt3:$2y"+bcryptHash[3:],
		"scram:"+scramKeys,
		"both:"+scramKeys+":"+argon2idHash,
		"mail.only:",
		"ñandú:"+argon2idHash+"\r",
	)
	for _, tt := range []struct {
		name, user, password, authzid, want string
	}{
		{"argon2id", "Argon", "password", "", "Argon"},
		{"argon2id, wrong", "Argon", "Password", "", ""},
		{"argon2id, Dovecot's", "argon2", "password", "", "argon2"},
		{"bcrypt", "bcrypt", "U*U", "", "bcrypt"},
		{"bcrypt, wrong", "bcrypt", "U*V", "", ""},
		{"bcrypt, Dovecot's", "bcrypt2", "U*U", "", "bcrypt2"},
		{"bcrypt, PHP's", "bcrypt3", "U*U", "", "bcrypt3"},
		{"SCRAM keys", "scram", "pencil", "", "scram"},
		{"SCRAM keys, wrong", "scram", "pen", "", ""},
		{"the hash rules", "both", "password", "", "both"},
		{"the hash rules, not the keys", "both", "pencil", "", ""},
		{"no way to log in", "mail.only", "password", "", ""},
		{"unknown", "nobody", "password", "", ""},
		{"canonical name", "aRGON", "password", "", "Argon"},
		{"canonical name, not ASCII", "n\u0303andu\u0301", "password", "", "ñandú"},
		{"only ASCII has case", "ÑandÚ", "password", "", ""},
		{"authzid is the user", "Argon", "password", "ARGON", "Argon"},
		{"authzid is another", "Argon", "password", "bcrypt", ""},
		{"authzid is unknown", "Argon", "password", "nobody", ""},
		{"another kind of proof", "Argon", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			user, err := f.Authenticate(t.Context(), &sasl.Credentials{User: tt.user, Password: tt.password, Authzid: tt.authzid})
			if user != tt.want || (tt.want == "") != (err == sasl.ErrDenied) || tt.want != "" && err != nil {
				t.Errorf("%q, %v; want %q", user, err, tt.want)
			}
		})
	}
}

func TestScram(t *testing.T) {
	f, _ := open(t, "Alice:"+scramKeys, "bob:"+scramKeys+":"+argon2idHash, "mail.only:")
	for _, tt := range []struct {
		name, user, password, authzid, want string
	}{
		{"keys alone", "Alice", "pencil", "", "Alice"},
		{"canonical name", "alicE", "pencil", "", "Alice"},
		{"keys beside a hash", "bob", "pencil", "", "bob"},
		{"authzid is the user", "bob", "pencil", "BOB", "bob"},
		{"authzid is another", "bob", "pencil", "alice", ""},
		{"wrong", "alice", "password", "", ""},
		{"no keys", "mail.only", "pencil", "", ""},
		{"unknown", "nobody", "pencil", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			user, err := logInByScram(t, f, tt.user, tt.password, tt.authzid)
			if user != tt.want || (tt.want == "") != (err == sasl.ErrDenied) {
				t.Errorf("%q, %v; want %q", user, err, tt.want)
			}
		})
	}
}

// A proof of keys that the file does not have any more admits nobody.
func TestAuthorizeAfterDelete(t *testing.T) {
	f, file := open(t, "alice:"+scramKeys, "bob:"+scramKeys)
	c := &sasl.Credentials{Mechanism: "SCRAM-SHA-256", User: "alice"}
	if user, err := f.Authorize(t.Context(), c); user != "alice" || err != nil {
		t.Fatalf("%q, %v", user, err)
	}
	write(t, file, "alice:"+argon2idHash, "bob:"+scramKeys)
	if user, err := f.Authorize(t.Context(), c); err != sasl.ErrDenied {
		t.Errorf("without keys: %q, %v", user, err)
	}
	write(t, file, "bob:"+scramKeys)
	if user, err := f.Authorize(t.Context(), c); err != sasl.ErrDenied {
		t.Errorf("without the user: %q, %v", user, err)
	}
}

// SCRAM is offered while everyone who can log in has keys for it.
func TestHasKeys(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  bool
	}{
		{"no users", nil, true},
		{"keys", []string{"a:" + scramKeys, "b:" + argon2idHash + ":" + scramKeys}, true},
		{"one cannot log in at all", []string{"a:" + scramKeys, "b:"}, true},
		{"one has a hash only", []string{"a:" + scramKeys, "b:" + argon2idHash}, false},
	} {
		f, _ := open(t, tt.lines...)
		if got := f.HasKeys("SCRAM-SHA-256"); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if offered := sasl.Mechanisms(f)[0].Name == "SCRAM-SHA-256"; offered != tt.want {
			t.Errorf("%s: offered %v", tt.name, offered)
		}
		if f.HasKeys("SCRAM-SHA-1") {
			t.Errorf("%s: has keys for SCRAM-SHA-1", tt.name)
		}
		if _, err := f.Keys(t.Context(), "SCRAM-SHA-1", "a"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: keys for SCRAM-SHA-1: %v", tt.name, err)
		}
	}
}

// As many hashes as there are slots are computed at once; the next one waits, and
// gives up with its connection.
func TestWorkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := open(t, "alice:"+argon2idHash)
		started, release := make(chan struct{}), make(chan struct{})
		f.OnHash(func(string) {
			started <- struct{}{}
			<-release
		})
		results := make(chan error)
		logIn := func(ctx context.Context) {
			_, err := f.Authenticate(ctx, &sasl.Credentials{User: "alice", Password: "password"})
			results <- err
		}
		for range f.Slots() {
			go logIn(t.Context())
			<-started
		}
		ctx, cancel := context.WithCancel(t.Context())
		go logIn(ctx)
		synctest.Wait()
		select {
		case <-started:
			t.Fatal("one more hash is computed than there are slots")
		default:
		}
		cancel()
		if err := <-results; err != context.Canceled {
			t.Errorf("the one that waited: %v", err)
		}
		close(release)
		for range f.Slots() {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
	})
}
