package passwd_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/sasl/passwd"
)

func content(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// secretLine is what the first change writes at the top.
var secretLine = regexp.MustCompile(`\A#secret=[A-Za-z0-9+/]{43}=\n`)

// What Set sets works by every mechanism, and in a File that is opened later.
func TestSet(t *testing.T) {
	f, file := open(t)
	if err := f.Set("Alice", "contrasen\u0303a"); err != nil {
		t.Fatal(err)
	}
	again, err := passwd.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*passwd.File{f, again} {
		if user, err := authenticate(t, f, "alice", "contraseña"); user != "Alice" || err != nil {
			t.Errorf("by password: %q, %v", user, err)
		}
		if user, err := logInByScram(t, f, "alice", "contraseña", ""); user != "Alice" || err != nil {
			t.Errorf("by SCRAM: %q, %v", user, err)
		}
		if _, err := authenticate(t, f, "alice", "contrasena"); err != sasl.ErrDenied {
			t.Errorf("by another password: %v", err)
		}
	}

	if err := f.Set("ALICE", "another"); err != nil {
		t.Fatal(err)
	}
	if user, err := authenticate(t, f, "alice", "another"); user != "Alice" || err != nil {
		t.Errorf("by the new password: %q, %v", user, err)
	}
	if user, err := logInByScram(t, f, "alice", "another", ""); user != "Alice" || err != nil {
		t.Errorf("by the new password and SCRAM: %q, %v", user, err)
	}
	if _, err := authenticate(t, f, "alice", "contraseña"); err != sasl.ErrDenied {
		t.Errorf("by the old password: %v", err)
	}
}

// A change leaves the other lines as they are, and the file to its owner only.
func TestEditsKeepTheRest(t *testing.T) {
	f, file := open(t, "# users", "alice:"+bcryptHash, "", "bob:"+scramKeys+"\r", "# end")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file+".tmp", []byte("left over"), 0o644); err != nil {
		t.Fatal(err)
	}

	if err := f.Delete("ALICE"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info, err)
	}
	got := content(t, file)
	if !secretLine.MatchString(got) {
		t.Errorf("no secret in\n%s", got)
	}
	secret := secretLine.FindString(got)
	if want := secret + "# users\n\nbob:" + scramKeys + "\r\n# end\n"; got != want {
		t.Errorf("after Delete\n%s\nwant\n%s", got, want)
	}

	if err := f.Set("carol", "secret"); err != nil {
		t.Fatal(err)
	}
	if rest, ok := strings.CutPrefix(content(t, file), got); !ok || !strings.HasPrefix(rest, "carol:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("after Set\n%s", content(t, file))
	}

	if names, _ := filepath.Glob(file + "*"); len(names) != 1 {
		t.Errorf("left over: %v", names)
	}
}

// A last line without an end is a line.
func TestSetAfterLineWithoutEnd(t *testing.T) {
	f, file := open(t)
	if err := os.WriteFile(file, []byte("alice:"+bcryptHash), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Set("bob", "secret"); err != nil {
		t.Fatal(err)
	}
	if !has(f, "alice") || !has(f, "bob") {
		t.Errorf("the file is\n%s", content(t, file))
	}
}

func TestEditThroughLink(t *testing.T) {
	_, file := open(t, "alice:"+bcryptHash)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	f, err := passwd.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Delete("alice"); err != nil || has(f, "alice") {
		t.Errorf("Delete: %v", err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
}

func TestEditErrors(t *testing.T) {
	f, file := open(t, "alice:"+bcryptHash)
	before := content(t, file)
	for _, name := range []string{"", "a:b", "a\nb", "#a", " a", "a ", "\xff", strings.Repeat("a", 256)} {
		if err := f.Set(name, "secret"); err == nil {
			t.Errorf("Set took the name %q", name)
		}
	}
	for _, password := range []string{"", "hunter2\x00", "hunter2\n", "\u00ad"} {
		if err := f.Set("alice", password); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Set of the password %q: %v", password, err)
		}
	}
	if err := f.Delete("bob"); !errors.Is(err, passwd.ErrNoUser) {
		t.Errorf("Delete of nobody: %v", err)
	}
	if got := content(t, file); got != before {
		t.Errorf("an edit that failed left\n%s", got)
	}

	write(t, file, "broken")
	if err := f.Set("bob", "secret"); err == nil || !strings.Contains(err.Error(), file+":1") {
		t.Errorf("Set in a file with an error: %v", err)
	}
	if got := content(t, file); got != "broken\n" {
		t.Errorf("Set in a file with an error left\n%s", got)
	}
}

// Changes at once are all kept, while others log in.
func TestEditsAtOnce(t *testing.T) {
	f, _ := open(t, "alice:"+bcryptHash)
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			if err := f.Set(fmt.Sprintf("user%d", i), "secret"); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			if _, err := authenticate(t, f, "alice", "U*U"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 6 {
		if !has(f, fmt.Sprintf("user%d", i)) {
			t.Errorf("user%d was lost", i)
		}
	}
}
