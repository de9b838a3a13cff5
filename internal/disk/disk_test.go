package disk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// WriteFile is the old content or the new after a crash anywhere, and the new
// one once it returned.
func TestWriteFileCrash(t *testing.T) {
	disktest.Crash(t, func(fsys *disktest.FS) {
		if err := disk.WriteFile(fsys, "/f", []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, func(fsys *disktest.FS) bool {
		return disk.WriteFile(fsys, "/f", []byte("new content"), 0o600) == nil
	}, func(t *testing.T, after *disktest.FS, acked bool) {
		got := after.Files()["/f"]
		if got != "new content" && (acked || got != "old") {
			t.Errorf("file has %q, acknowledged: %v", got, acked)
		}
		if err := disk.WriteFile(after, "/f", []byte("again"), 0o600); err != nil {
			t.Errorf("WriteFile after the crash: %v", err)
		}
	})
}

// A WriteFile that fails leaves no temporary file.
func TestWriteFileFail(t *testing.T) {
	disktest.Fail(t, syscall.ENOSPC, nil, func(fsys *disktest.FS) error {
		return disk.WriteFile(fsys, "/f", []byte("new content"), 0o600)
	}, func(t *testing.T, after *disktest.FS, err error) {
		if err == nil {
			t.Error("WriteFile told nothing of the error")
		}
		if content, ok := after.Files()["/f.tmp"]; ok {
			t.Errorf("f.tmp is left, with %q", content)
		}
	})
}

// What a crash left as the temporary file gives the new one neither its mode nor
// its content.
func TestWriteFileLeftOver(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name+".tmp", []byte("a long left-over"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := disk.WriteFile(disk.OS{}, name, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); string(got) != "new" || fi.Mode() != 0o600 {
		t.Errorf("file has %q and mode %v, %v", got, fi.Mode(), err)
	}
}

func TestMkdirAllCrash(t *testing.T) {
	disktest.Crash(t, nil, func(fsys *disktest.FS) bool {
		return disk.MkdirAll(fsys, "/a/b/c", 0o700) == nil
	}, func(t *testing.T, after *disktest.FS, acked bool) {
		if _, err := after.Stat("/a/b/c"); acked && err != nil {
			t.Error(err)
		}
		if err := disk.MkdirAll(after, "/a/b/c", 0o700); err != nil {
			t.Errorf("MkdirAll after the crash: %v", err)
		}
	})
}

// A second MkdirAll may not take for durable what the first one failed to sync.
func TestMkdirAllFail(t *testing.T) {
	disktest.Fail(t, syscall.EIO, nil, func(fsys *disktest.FS) error {
		disk.MkdirAll(fsys, "/a/b", 0o700)
		return disk.MkdirAll(fsys, "/a/b", 0o700)
	}, func(t *testing.T, after *disktest.FS, err error) {
		if _, serr := after.Stat("/a/b"); err == nil && serr != nil {
			t.Errorf("the second MkdirAll succeeded: %v", serr)
		}
	})
}

func TestMkdirAllOverFile(t *testing.T) {
	fsys := disktest.New()
	if err := disk.WriteFile(fsys, "/f", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := disk.MkdirAll(fsys, "/f", 0o700); err == nil {
		t.Error("MkdirAll took a file for a folder")
	}
}

func TestLstat(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	to, err := disk.OS{}.Stat(filepath.Join(dir, "link"))
	if err != nil || !to.IsDir() {
		t.Errorf("Stat: %v, %v, want the folder", to.Mode(), err)
	}
	link, err := disk.OS{}.Lstat(filepath.Join(dir, "link"))
	if err != nil || link.Mode()&os.ModeSymlink == 0 {
		t.Errorf("Lstat: %v, %v, want the link", link.Mode(), err)
	}
}

func Example() {
	var fsys disk.FS = disktest.New() // or disk.OS{}
	name := filepath.Join("mail", "state")
	fmt.Println(disk.MkdirAll(fsys, filepath.Dir(name), 0o700))
	fmt.Println(disk.WriteFile(fsys, name, []byte("durable"), 0o600))
	b, err := disk.ReadFile(fsys, name)
	fmt.Println(string(b), err)
	// Output:
	// <nil>
	// <nil>
	// durable <nil>
}
