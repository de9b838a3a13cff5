package queue_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// A record that breaks while the spool runs does not keep the others, and is in
// bad/ before its segment is dropped.
func TestDamagedWhileRunning(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", small, large-1)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	s.Logger = slog.New(slog.NewTextHandler(&log, nil))
	put(t, s, "message a", newEntry("a", "a.example"))
	put(t, s, strings.Repeat("b", large), newEntry("b", "b.example"))
	put(t, s, "message c", newEntry("c", "c.example"))
	damage(t, fsys, "/spool/log/1.log", `"id":"a"`, `"id":"A"`)
	damage(t, fsys, "/spool/log/1.log", `"id":"b"`, `"id":"B"`)
	if got := ids(next(t, s, now, 3)); got != "c" {
		t.Errorf("Next leases %q, want c", got)
	}
	if got := next(t, s, now.AddDate(100, 0, 0), 3); got != nil {
		t.Errorf("a century later Next leases %q", ids(got))
	}
	if _, err := s.Lease(t.Context(), "a"); err == nil || errors.Is(err, ErrNoEntry) {
		t.Errorf("Lease of what is broken: %v", err)
	}
	broken := 0
	for _, err := range s.All(t.Context()) {
		if err != nil {
			broken++
		}
	}
	if broken != 2 {
		t.Errorf("All yields %d errors, want 2", broken)
	}
	churn(t, s)
	if _, err := s.Lease(t.Context(), "a"); !errors.Is(err, ErrNoEntry) {
		t.Errorf("Lease of what is in bad/: %v, want ErrNoEntry", err)
	}
	if text := bad(fsys); !strings.Contains(text, "message a") || !strings.Contains(text, strings.Repeat("b", large)) {
		t.Errorf("bad/ has %q", text)
	}
	for _, want := range []string{"id=a", "id=b", "queue log is broken"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, log.String())
		}
	}
	if got := keys(all(t, s)); got != "c" {
		t.Errorf("left are %s, want c", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The last record of a segment is no less in bad/ than those before it.
func TestLastRecordDamaged(t *testing.T) {
	fsys := disktest.New()
	s, _ := reopen(t, fsys)
	put(t, s, "message a", newEntry("a", "a.example"))
	put(t, s, strings.Repeat("z", small/2), newEntry("z", "z.example"))
	next(t, s, now, 2)
	put(t, s, strings.Repeat("b", small/2), newEntry("b", "b.example"))
	if strings.Contains(fsys.Files()["/spool/log/1.log"], "bbb") {
		t.Fatal("z is not the last record of its segment")
	}
	damage(t, fsys, "/spool/log/1.log", "zzzz", "zzzy")
	churn(t, s)
	if _, err := s.Lease(t.Context(), "z"); !errors.Is(err, ErrNoEntry) {
		t.Errorf("Lease of what is in bad/: %v, want ErrNoEntry", err)
	}
	if text := bad(fsys); !strings.Contains(text, "zzzyzzz") {
		t.Errorf("bad/ has %q", text)
	}
}

// An entry may turn out to be lost while Next reads it.
func TestLostWhileRead(t *testing.T) {
	fsys := disktest.New()
	s, _ := reopen(t, fsys)
	put(t, s, "message a", newEntry("a", "a.example"))
	damage(t, fsys, "/spool/log/1.log", `"id":"a"`, `"id":"A"`)
	churned := false
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "openfile" && strings.HasSuffix(op.Path, "/1.log") && !churned {
			churned = true
			churn(t, s)
		}
		return nil
	}
	if got := next(t, s, now, 1); got != nil {
		t.Errorf("Next leases %q", ids(got))
	}
	if got := keys(all(t, s)); got != "" {
		t.Errorf("left are %s", got)
	}
}

// churn puts and finishes messages until the first segment has been moved.
func churn(t *testing.T, s *FileSpool) {
	t.Helper()
	for i := range 100 {
		id := fmt.Sprint("m", i)
		put(t, s, "message "+id, newEntry(id, "d.example"))
		for _, e := range next(t, s, now, 1) {
			finish(t, s, e)
		}
	}
}
