package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// Content that was damaged on disk is never delivered.
func TestDamagedContent(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", 1<<20, MaxInline)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put(t, s, strings.Repeat("good", 1000), newEntry("a", "a.example"))
	damage(t, fsys, "/spool/log/1.log", "goodgood", "goodbad!")
	e := next(t, s, now, 1)[0]
	r, err := s.Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if b, err := io.ReadAll(r); err == nil {
		t.Errorf("read %d octets and no error", len(b))
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err == nil {
		t.Error("read a second time without an error")
	}
}

// damage overwrites the first from in a file.
func damage(t *testing.T, fsys *disktest.FS, name, from, to string) {
	t.Helper()
	text := fsys.Files()[name]
	i := strings.Index(text, from)
	if i < 0 {
		t.Fatalf("%s has no %q", name, from)
	}
	f, err := fsys.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(to), int64(i)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// overwrite makes name hold text.
func overwrite(t *testing.T, fsys *disktest.FS, name, text string) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// some makes a spool with three messages that was not closed, and returns the
// records of its segment.
func some(t *testing.T) (fsys *disktest.FS, log string) {
	t.Helper()
	fsys = disktest.New()
	s, err := OpenFS(fsys, "spool", small, large-1)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b", "c"} {
		put(t, s, "message "+id, newEntry(id, "example.com"))
	}
	fsys = fsys.Reboot(disktest.Kept)
	return fsys, strings.TrimRight(fsys.Files()["/spool/log/1.log"], "\x00")
}

// reopen opens the spool in fsys and returns what is in it, after a check of the
// contents.
func reopen(t *testing.T, fsys *disktest.FS) (*FileSpool, string) {
	t.Helper()
	s, err := OpenFS(fsys, "spool", small, large-1)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	got := all(t, s)
	for id, e := range got {
		if content(t, s, e) != "message "+id {
			t.Errorf("%s has other content", id)
		}
	}
	return s, keys(got)
}

// bad returns what is in the folder bad.
func bad(fsys *disktest.FS) string {
	var s []string
	for name, text := range fsys.Files() {
		if name, ok := strings.CutPrefix(name, "/spool/bad/"); ok {
			s = append(s, name+": "+text)
		}
	}
	slices.Sort(s)
	return strings.Join(s, "\n")
}

// What the system cannot read now is tried again, not given up.
func TestUnreadableForNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disktest.New()
		s, err := OpenFS(fsys, "spool", small, large-1)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		put(t, s, "message a", newEntry("a", "a.example"))
		fsys.FailAt(1, syscall.EMFILE)
		if got := next(t, s, time.Now(), 1); got != nil && now.Before(time.Now()) {
			t.Errorf("Next leases %q", ids(got))
		}
		fsys.FailAt(0, nil)
		if got := ids(next(t, s, now.AddDate(1, 0, 0), 1)); got != "a" {
			t.Errorf("later Next leases %q, want a", got)
		}
	})
}

// A line longer than any buffer is read too.
func TestManyDestinations(t *testing.T) {
	fsys := disktest.New()
	s, err := OpenFS(fsys, "spool", 1<<20, large-1)
	if err != nil {
		t.Fatal(err)
	}
	var entries []*Entry
	for i := range 1000 {
		entries = append(entries, newEntry(fmt.Sprint("e", i), fmt.Sprint(i, ".example")))
	}
	put(t, s, "message", entries...)
	s, err = OpenFS(fsys.Reboot(disktest.Kept), "spool", 1<<20, large-1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := next(t, s, now, 2000)
	if len(got) != len(entries) {
		t.Fatalf("%d entries, want %d", len(got), len(entries))
	}
	for _, e := range got {
		finish(t, s, e)
	}
	if len(all(t, s)) != 0 {
		t.Error("finished entries are left")
	}
}

// A log that is gone does not take with it the contents that lie beside it.
func TestLostLog(t *testing.T) {
	fsys := disktest.New()
	s, _ := reopen(t, fsys)
	put(t, s, strings.Repeat("b", large), newEntry("b", "example.com"))
	lost := fsys.Reboot(disktest.Kept)
	if err := lost.Remove("/spool/log/1.log"); err != nil {
		t.Fatal(err)
	}
	s, got := reopen(t, lost)
	if got != "" || s.Recovery().Orphans != 1 || !strings.Contains(bad(lost), strings.Repeat("b", large)) {
		t.Errorf("left are %q, %+v, bad/ has %q", got, s.Recovery(), bad(lost))
	}
}

// Open has nobody to tell what it found, so Run does.
func TestRunTellsWhatBroke(t *testing.T) {
	fsys, log := some(t)
	overwrite(t, fsys, "/spool/log/1.log", strings.Replace(log, "message a", "massage a", 1))
	s, _ := reopen(t, fsys)
	var out bytes.Buffer
	q := &Queue{Spool: s, Logger: slog.New(slog.NewTextHandler(&out, nil))}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := q.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "level=ERROR msg=\"queue log was broken") {
		t.Errorf("the log has %q", &out)
	}
}

// Whatever bit flips, only its message is lost, and kept in bad/.
func TestFlippedBits(t *testing.T) {
	base, log := some(t)
	at := func(id string) int {
		return strings.Index(log, `{"put":[{"id":"`+id) - len("0123456789abcdef 01234567 ")
	}
	for i := range len(log) {
		fsys := base.Reboot(disktest.Kept)
		overwrite(t, fsys, "/spool/log/1.log", log[:i]+string(log[i]^1)+log[i+1:])
		lost, end := "a", at("b")
		if i >= at("b") {
			lost, end = "b", at("c")
		}
		if i >= at("c") {
			lost, end = "c", len(log)
		}
		s, got := reopen(t, fsys)
		if want := strings.TrimSpace(strings.ReplaceAll("a b c ", lost+" ", "")); got != want {
			t.Fatalf("octet %d: left are %s, want %s", i, got, want)
		}
		r := s.Recovery()
		if lost == "c" { // it may as well be a write that was not finished
			if r.Torn == 0 || r.Broken != nil || !strings.HasPrefix(bad(fsys), fmt.Sprintf("1.log.%d.torn: ", at(lost))) {
				t.Fatalf("octet %d: Open found %+v, bad/ has %q", i, r, bad(fsys))
			}
			continue
		}
		start := at(lost)
		if len(r.Broken) != 1 || r.Broken[0] != (Broken{1, int64(start), int64(end - start)}) || r.Torn != 0 {
			t.Fatalf("octet %d: Open found %+v", i, r)
		}
		if text := bad(fsys); !strings.HasPrefix(text, fmt.Sprintf("1.log.%d: ", start)) || len(text) < end-start {
			t.Fatalf("octet %d: bad/ has %q", i, text)
		}
	}
}

// Wherever a segment ends, what is before is there.
func TestTruncated(t *testing.T) {
	base, log := some(t)
	for n := range len(log) + 1 {
		for _, zeros := range []int{0, 1000} {
			fsys := base.Reboot(disktest.Kept)
			overwrite(t, fsys, "/spool/log/1.log", log[:n]+strings.Repeat("\x00", zeros))
			s, got := reopen(t, fsys)
			whole := []int{strings.Index(log, "message a") + 10, strings.Index(log, "message b") + 10, len(log)}
			want := []string{"a", "b", "c"}[:len(slices.DeleteFunc(whole, func(end int) bool { return n < end }))]
			if got != strings.Join(want, " ") {
				t.Fatalf("cut at %d left %q, want %q", n, got, want)
			}
			if r := s.Recovery(); r.Broken != nil {
				t.Fatalf("cut at %d: Open found %+v", n, r)
			}
		}
	}
}

// A record is found behind a broken range of any length.
func TestBrokenLength(t *testing.T) {
	base, log := some(t)
	for n := 64<<10 - len(log) - 20; n < 64<<10+20; n++ {
		fsys := base.Reboot(disktest.Kept)
		overwrite(t, fsys, "/spool/log/1.log", strings.Repeat("x", n)+log)
		if s, got := reopen(t, fsys); got != "a b c" || len(s.Recovery().Broken) != 1 {
			t.Fatalf("behind %d octets: %s, %+v", n, got, s.Recovery())
		}
	}
}

// An older segment was synced to its end, so what is torn there is broken. A
// content in big/ that has lost its record is kept too.
func TestTornOlderSegment(t *testing.T) {
	fsys, log := some(t)
	s, _ := reopen(t, fsys)
	put(t, s, strings.Repeat("x", large), newEntry("big", "example.com"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	overwrite(t, fsys, "/spool/log/1.log", log[:len(log)-1])
	damage(t, fsys, "/spool/log/2.log", "big", "gib")
	for _, name := range []string{"/spool/log/1.idx", "/spool/log/2.idx"} {
		if err := fsys.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	s, got := reopen(t, fsys)
	r := s.Recovery()
	if got != "a b" || len(r.Broken) != 1 || r.Broken[0].Segment != 1 || r.Torn == 0 || r.Orphans != 1 {
		t.Errorf("left are %s, Open found %+v", got, r)
	}
	if text := bad(fsys); !strings.Contains(text, "message c") || !strings.Contains(text, strings.Repeat("x", large)) {
		t.Errorf("bad/ has %q", text)
	}
}

// An index says nothing that the log does not.
func TestDamagedIndex(t *testing.T) {
	base, _ := some(t)
	s, _ := reopen(t, base)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	index := base.Files()["/spool/log/1.idx"]
	if index == "" {
		t.Fatal("no index")
	}
	if log := base.Files()["/spool/log/1.log"]; strings.HasSuffix(log, "\x00") {
		t.Error("a sealed segment is not cut")
	}
	for i := range len(index) + 1 {
		for _, text := range []string{index[:i], index[:i] + "1" + index[min(i+1, len(index)):]} {
			fsys := base.Reboot(disktest.Kept)
			overwrite(t, fsys, "/spool/log/1.idx", text)
			if s, got := reopen(t, fsys); got != "a b c" || s.Recovery().Broken != nil {
				t.Fatalf("with the index %q: %s, %+v", text, got, s.Recovery())
			}
			if got := fsys.Files()["/spool/log/1.idx"]; got != index {
				t.Fatalf("the index is not rebuilt: %q", got)
			}
		}
	}
	// One that covers more than there is says nothing of what is there.
	fsys := base.Reboot(disktest.Kept)
	log := fsys.Files()["/spool/log/1.log"]
	overwrite(t, fsys, "/spool/log/1.log", log[:len(log)-1])
	if _, got := reopen(t, fsys); got != "a b" {
		t.Errorf("with an index of more than the log: %s, want a b", got)
	}
	fsys = base.Reboot(disktest.Kept)
	if err := fsys.Remove("/spool/log/1.idx"); err != nil {
		t.Fatal(err)
	}
	if _, got := reopen(t, fsys); got != "a b c" || fsys.Files()["/spool/log/1.idx"] != index {
		t.Errorf("without an index: %s", got)
	}
}

// Without the mark nothing can be read, so nothing is touched.
func TestMarkMissing(t *testing.T) {
	base, log := some(t)
	for _, mark := range []string{"", "short\n", "0123456789 abcdef\n", strings.Repeat("x", 100)} {
		fsys := base.Reboot(disktest.Kept)
		overwrite(t, fsys, "/spool/mark", mark)
		if _, err := OpenFS(fsys, "spool", small, large-1); err == nil || !strings.Contains(err.Error(), "mark") {
			t.Errorf("Open with the mark %q: %v, want an error", mark, err)
		}
		if mark == "" {
			fsys.Remove("/spool/mark")
			if _, err := OpenFS(fsys, "spool", small, large-1); err == nil || !strings.Contains(err.Error(), "mark") {
				t.Errorf("Open without a mark: %v, want an error", err)
			}
		}
		if !strings.HasPrefix(fsys.Files()["/spool/log/1.log"], log) {
			t.Error("Open changed the log")
		}
	}
}
