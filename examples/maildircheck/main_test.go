package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// status runs the command, and compares its exit status and what it says.
func status(t *testing.T, want int, says string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	got := run(t.Context(), args, &out, &errs)
	if said := out.String() + errs.String(); got != want || !strings.Contains(said, says) || says == "" && said != "" {
		t.Errorf("maildircheck %q: status %d, %q, want %d, %q", args, got, said, want, says)
	}
}

func TestMaildircheck(t *testing.T) {
	root := t.TempDir()
	b := &maildir.Backend{Root: root}
	s, err := b.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	mb, err := s.Mailbox(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mailparts.Append(t.Context(), mb, mailparts.Incoming{Body: strings.NewReader("Subject: a\r\n\r\na\r\n")}); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(root, "alice")
	status(t, 0, "", tree)
	status(t, 0, "", "-repair", "-root", root, "alice")

	if err := os.Remove(filepath.Join(tree, "tmp")); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(tree, "tmp") + ": is missing (make it)\n"
	status(t, 1, missing, tree)
	status(t, 1, missing, "-root", root, "alice")
	status(t, 0, "repaired: "+missing, "-repair", tree)
	status(t, 0, "", tree)

	if err := os.WriteFile(filepath.Join(tree, "cur", ".hidden"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	status(t, 1, "is hidden", "-repair", tree) // only a person can tell what it is

	status(t, 2, "no such user", "-courier", filepath.Join(root, "bob"))
	status(t, 2, "Usage", "-courier", "-repair", tree)
	status(t, 0, "", "-courier", "-utf8", tree)
	if _, err := os.Stat(filepath.Join(tree, "courierimapuiddb")); err != nil {
		t.Error(err)
	}
	status(t, 1, "is Courier's, and was not taken over yet", tree)
	if _, err := b.Open(t.Context(), "alice"); err != nil {
		t.Error(err)
	}

	status(t, 2, "no such user", filepath.Join(root, "bob"), tree)
	status(t, 2, "Usage", "-x")
	status(t, 0, "Usage", "-h")
	status(t, 2, "Usage")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := run(ctx, []string{tree}, new(bytes.Buffer), new(bytes.Buffer)); got != 2 {
		t.Errorf("a Check that was cancelled has the status %d", got)
	}
}
