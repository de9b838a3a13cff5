package passwd_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
)

// costs are the hashes that a failed log-in computes.
func costs(t *testing.T, f *passwd.File, name string) []string {
	t.Helper()
	var costs []string
	f.OnHash(func(cost string) { costs = append(costs, cost) })
	if _, err := authenticate(t, f, name, "not the password"); err != sasl.ErrDenied {
		t.Errorf("%s: %v, want ErrDenied", name, err)
	}
	return costs
}

// An unknown user, and one who cannot log in, cost what a known one costs.
func TestUnknownCostsTheSame(t *testing.T) {
	for _, tt := range []struct{ field, want string }{
		{argon2idHash, "[$argon2id$v=19$m=256,t=2,p=1]"},
		{bcryptHash, "[$2$05]"},
		{scramKeys, "[SCRAM-SHA-256 i=4096]"},
	} {
		f, _ := open(t, "alice:"+tt.field, "mail.only:")
		for _, name := range []string{"alice", "mail.only", "nobody", "bad\x07name"} {
			if got := fmt.Sprint(costs(t, f, name)); got != tt.want {
				t.Errorf("%s costs %s, want %s", name, got, tt.want)
			}
		}
	}

	f, _ := open(t, "# nobody can log in")
	if got := fmt.Sprint(costs(t, f, "nobody")); got != "[$argon2id$v=19$m=19456,t=2,p=1]" {
		t.Errorf("without users: %s", got)
	}
}

// In a file of many kinds, unknown users look like some of the known ones: each
// like one, always the same, and together like all.
func TestUnknownCostsOfMixedFile(t *testing.T) {
	f, _ := open(t, "a:"+argon2idHash, "b:"+bcryptHash, "c:"+scramKeys)
	seen := make(map[string]bool)
	for i := range 40 {
		name := fmt.Sprintf("nobody%d", i)
		cost := fmt.Sprint(costs(t, f, name))
		if again := fmt.Sprint(costs(t, f, strings.ToUpper(name))); again != cost {
			t.Fatalf("%s costs %s, then %s", name, cost, again)
		}
		seen[cost] = true
	}
	if len(seen) != 3 {
		t.Errorf("costs %v, want all three", seen)
	}
}

// SCRAM shows an unknown user's keys: of the shape that the file's have, always
// the same, and other ones for everybody.
func TestUnknownKeys(t *testing.T) {
	longSalt := strings.Replace(scramKeys, "W22ZaJ0SNY7soEsUEjb6gQ==", strings.Repeat("abcd", 16), 1)
	for _, field := range []string{scramKeys, longSalt, strings.Replace(scramKeys, "4096", "5000", 1)} {
		f, _ := open(t, "alice:"+field)
		alice := keys(t, f, "alice")
		nobody := keys(t, f, "nobody")
		if nobody.Iterations != alice.Iterations || len(nobody.Salt) != len(alice.Salt) ||
			len(nobody.StoredKey) != len(alice.StoredKey) || len(nobody.ServerKey) != len(alice.ServerKey) {
			t.Errorf("the keys of an unknown user, %v, do not look like %v", nobody, alice)
		}
		if again := keys(t, f, "NOBODY"); !reflect.DeepEqual(again, nobody) {
			t.Errorf("then %v, now %v", nobody, again)
		}
		other := keys(t, f, "other")
		if slices.Equal(other.Salt, nobody.Salt) || slices.Equal(other.StoredKey, nobody.StoredKey) || slices.Equal(other.ServerKey, nobody.ServerKey) {
			t.Errorf("two unknown users share %v", other)
		}
	}
}

func keys(t *testing.T, f *passwd.File, name string) sasl.Keys {
	t.Helper()
	k, err := f.Keys(t.Context(), "SCRAM-SHA-256", name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The secret that Set writes keeps an unknown user's keys over a restart, and the
// keys do not change when it is written.
func TestUnknownKeysLast(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	f, err := passwd.OpenOrCreate(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set("alice", "secret"); err != nil {
		t.Fatal(err)
	}
	before := keys(t, f, "nobody")
	if err := f.Set("bob", "secret"); err != nil {
		t.Fatal(err)
	}
	again, err := passwd.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	if after := keys(t, again, "nobody"); !reflect.DeepEqual(before, after) {
		t.Errorf("before %v, after %v", before, after)
	}

	other, _ := open(t, "alice:"+scramKeys)
	if slices.Equal(keys(t, other, "nobody").Salt, before.Salt) {
		t.Error("two files have one secret")
	}
}
