package greylist_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailparts/mailparts/filter/greylist"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

func openFile(t *testing.T, name string) *greylist.File {
	t.Helper()
	f, err := greylist.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFileRemembers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "greylist")
	f := openFile(t, name)
	put(t, f, "fresh", 0, time.Hour)
	put(t, f, "passed", 0, time.Hour)
	put(t, f, "passed", 2, time.Hour)
	put(t, f, "short", 0, time.Nanosecond)
	put(t, f, "ended", 1, time.Hour)
	put(t, f, "ended", 1, 0)
	want := map[string]greylist.Record{}
	for _, key := range []string{"fresh", "passed", "short", "ended"} {
		want[key] = get(t, f, key)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f = openFile(t, name)
		for key, want := range want {
			got := get(t, f, key)
			if !got.First.Equal(want.First) || !got.Ends.Equal(want.Ends) || got.Passes != want.Passes {
				t.Errorf("%s: got %+v, want %+v", key, got, want)
			}
		}
		f.Close()
	}
	if fi, err := os.Stat(name); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func TestFileInUse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "greylist")
	f := openFile(t, name)
	if _, err := greylist.Open(name); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	f.Close()
	openFile(t, name)
	for _, err := range []error{f.Close(), f.Update(t.Context(), "a", func(r greylist.Record) greylist.Record { return r })} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
	if _, err := greylist.Open(filepath.Join(t.TempDir(), "none", "greylist")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// The file does not grow with what happens, only with what is known.
func TestFileIsRewritten(t *testing.T) {
	name := filepath.Join(t.TempDir(), "greylist")
	f := openFile(t, name)
	put(t, f, "kept", 1, time.Hour)
	for i := range 30_000 {
		put(t, f, "changes", i, time.Hour)
	}
	text, err := os.ReadFile(name)
	if n := strings.Count(string(text), "\n"); err != nil || n > 11_000 {
		t.Errorf("%d lines, %v", n, err)
	}
	put(t, f, "after", 1, time.Hour)
	f.Close()
	f = openFile(t, name)
	if get(t, f, "kept").Passes != 1 || get(t, f, "changes").Passes != 29_999 || get(t, f, "after").Passes != 1 {
		t.Error("records are lost")
	}
	if text, err := os.ReadFile(name); err != nil || strings.Count(string(text), "\n") != 3 {
		t.Errorf("opened: %q, %v", text, err)
	}
}

// Lines that are damaged cost what they hold and no more.
func FuzzFile(f *testing.F) {
	good := `{"key":"good","first":"2026-01-02T03:04:05Z","passes":7,"ends":"2999-01-02T03:04:05Z"}` + "\n"
	f.Add("")
	f.Add(good[:50])
	f.Add("{}\n[]\nnull\n\x00\xff\n")
	f.Add(`{"key":"bad","passes":1e99}`)
	f.Add(`{"ends":"2999-01-02T03:04:05Z"}`)
	name := filepath.Join(f.TempDir(), "greylist")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(name, []byte(text+"\n"+good), 0o600); err != nil {
			t.Fatal(err)
		}
		file := openFile(t, name)
		defer file.Close()
		if got := get(t, file, "good"); got.Passes != 7 {
			t.Errorf("got %+v after %q", got, text)
		}
		put(t, file, "new", 3, time.Hour)
	})
}

// A disk that fails at any operation fails one Update, or Open: what came before
// and after is there, and the next start finds a file that it can read.
func TestFileOnBadDisk(t *testing.T) {
	const name = "greylist"
	setup := func(fsys *disktest.FS) {
		f, err := greylist.OpenFS(fsys, name)
		if err != nil {
			t.Fatal(err)
		}
		put(t, f, "old", 1, time.Hour)
		f.Close()
		if f, err = greylist.OpenFS(fsys, name); err != nil { // written anew, and so durable
			t.Fatal(err)
		}
		f.Close()
	}
	run := func(fsys *disktest.FS) (known []string) {
		f, err := greylist.OpenFS(fsys, name)
		if err != nil {
			return nil
		}
		defer f.Close()
		for i := range 3 {
			key := fmt.Sprint(i)
			err := f.Update(t.Context(), key, func(greylist.Record) greylist.Record {
				return greylist.Record{Passes: 1, Ends: time.Now().Add(time.Hour)}
			})
			if err == nil {
				known = append(known, key)
			}
		}
		return known
	}
	disktest.Fail(t, syscall.ENOSPC, setup, run, func(t *testing.T, after *disktest.FS, known []string) {
		f, err := greylist.OpenFS(after, name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if get(t, f, "old").Passes != 1 {
			t.Error("what was known before is lost")
		}
		if strings.HasSuffix(t.Name(), "/Kept") {
			for _, key := range known {
				if get(t, f, key).Passes != 1 {
					t.Errorf("%s is lost", key)
				}
			}
		}
	})
	disktest.Crash(t, setup, run, func(t *testing.T, after *disktest.FS, _ []string) {
		f, err := greylist.OpenFS(after, name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if get(t, f, "old").Passes != 1 {
			t.Error("what was known before is lost")
		}
	})
}
