package passwd_test

import (
	"bytes"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/sasl"
)

func TestCanonical(t *testing.T) {
	f, _ := open(t, "Alice:"+bcryptHash, "mail.only:", "ñandú:")
	for name, want := range map[string]string{
		"Alice": "Alice", "aLICE": "Alice", "mail.only": "mail.only", "n\u0303andu\u0301": "ñandú",
		"bob": "", "": "", "alice ": "", "\xff": "", "#": "",
	} {
		if got, ok := f.Canonical(name); got != want || ok != (want != "") {
			t.Errorf("Canonical(%q) = %q, %v", name, got, ok)
		}
	}
	if got, want := f.Names(), []string{"Alice", "mail.only", "ñandú"}; !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
}

func TestReload(t *testing.T) {
	f, file := open(t, "alice:"+bcryptHash)

	write(t, file, "bob:"+bcryptHash)
	if _, err := authenticate(t, f, "alice", "U*U"); err != sasl.ErrDenied {
		t.Errorf("alice, who is gone: %v", err)
	}
	if _, err := authenticate(t, f, "bob", "U*U"); err != nil {
		t.Errorf("bob, who is new: %v", err)
	}

	// Written in place, with as many octets: only the time is another.
	if err := os.WriteFile(file, []byte("eve:"+bcryptHash+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	if err := os.Chtimes(file, then, then); err != nil {
		t.Fatal(err)
	}
	if has(f, "bob") || !has(f, "eve") {
		t.Error("a change in place was missed")
	}
}

// A file that cannot be used leaves the users as they were, is logged once, and is
// taken again when it is whole.
func TestReloadKeepsUsers(t *testing.T) {
	f, file := open(t, "alice:"+bcryptHash)
	var log bytes.Buffer
	f.Logger = slog.New(slog.NewTextHandler(&log, nil))

	for _, spoil := range []struct {
		name string
		do   func()
		want string
	}{
		{"broken", func() { write(t, file, "bob:"+bcryptHash, "alice:hunter2") }, file + ":2"},
		{"broken otherwise", func() { write(t, file, "hunter2") }, file + ":1"},
		{"removed", func() { os.Remove(file) }, "no such file"},
	} {
		log.Reset()
		spoil.do()
		for range 3 {
			if _, err := authenticate(t, f, "alice", "U*U"); err != nil || has(f, "bob") {
				t.Errorf("%s: alice gets %v, bob exists: %v", spoil.name, err, has(f, "bob"))
			}
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, spoil.want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: the log is\n%s", spoil.name, got)
		}
	}

	log.Reset()
	write(t, file, "bob:"+bcryptHash)
	if has(f, "alice") || !has(f, "bob") || log.Len() > 0 {
		t.Errorf("whole again: alice %v, bob %v, log %s", has(f, "alice"), has(f, "bob"), &log)
	}
}
