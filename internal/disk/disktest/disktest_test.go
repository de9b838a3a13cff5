package disktest_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

func open(t *testing.T, fsys disk.FS, name string, flag int) disk.File {
	t.Helper()
	f, err := fsys.OpenFile(name, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func write(t *testing.T, f disk.File, s string) {
	t.Helper()
	if _, err := io.WriteString(f, s); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

const create = os.O_WRONLY | os.O_CREATE | os.O_EXCL

// What each mode leaves of one file whose name or content was synced or not.
func TestReboot(t *testing.T) {
	type want map[disktest.Mode]map[string]string
	file := func(content string) map[string]string { return map[string]string{"/d/f": content} }
	none := map[string]string{}
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, fsys disk.FS)
		want want
	}{
		{"new file", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			write(t, f, "abcd")
			write(t, f, "efgh")
		}, want{
			disktest.Strict: none, disktest.ContentOnly: none, disktest.NamesOnly: file(""),
			disktest.Zeros: file("\x00\x00\x00\x00\x00\x00\x00\x00"), disktest.Torn: file("abcdef"),
			disktest.Reordered: file("\x00\x00\x00\x00efgh"), disktest.Kept: file("abcdefgh"),
		}},
		{"content synced", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			write(t, f, "abcd")
			must(t, f.Sync())
		}, want{
			disktest.Strict: none, disktest.ContentOnly: none, disktest.NamesOnly: file("abcd"), disktest.Zeros: file("abcd"),
			disktest.Torn: file("abcd"), disktest.Reordered: file("abcd"), disktest.Kept: file("abcd"),
		}},
		{"name synced", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			must(t, fsys.SyncDir("/d"))
			write(t, f, "abcd")
		}, want{
			disktest.Strict: file(""), disktest.ContentOnly: file("abcd"), disktest.NamesOnly: file(""),
			disktest.Zeros: file("\x00\x00\x00\x00"), disktest.Torn: file("ab"), disktest.Reordered: file("abcd"), disktest.Kept: file("abcd"),
		}},
		{"overwritten", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			write(t, f, "abcdefgh")
			must(t, f.Datasync(), fsys.SyncDir("/d"))
			if _, err := f.WriteAt([]byte("1234"), 2); err != nil {
				t.Fatal(err)
			}
		}, want{
			disktest.Strict: file("abcdefgh"), disktest.ContentOnly: file("ab1234gh"), disktest.NamesOnly: file("abcdefgh"),
			disktest.Zeros: file("ab\x00\x00\x00\x00gh"), disktest.Torn: file("ab12efgh"), disktest.Reordered: file("ab1234gh"), disktest.Kept: file("ab1234gh"),
		}},
		{"truncated", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			write(t, f, "abcd")
			must(t, f.Sync(), fsys.SyncDir("/d"), f.Truncate(2), f.Allocate(3))
		}, want{
			disktest.Strict: file("abcd"), disktest.ContentOnly: file("ab\x00"), disktest.NamesOnly: file("abcd"), disktest.Zeros: file("ab\x00"),
			disktest.Torn: file("ab\x00"), disktest.Reordered: file("ab\x00"), disktest.Kept: file("ab\x00"),
		}},
		{"removed", func(t *testing.T, fsys disk.FS) {
			f := open(t, fsys, "/d/f", create)
			write(t, f, "abcd")
			must(t, f.Sync(), fsys.SyncDir("/d"), fsys.Remove("/d/f"))
		}, want{
			disktest.Strict: file("abcd"), disktest.ContentOnly: file("abcd"), disktest.NamesOnly: none,
			disktest.Zeros: none, disktest.Torn: none, disktest.Reordered: none, disktest.Kept: none,
		}},
		{"folder not synced into its parent", func(t *testing.T, fsys disk.FS) {
			must(t, fsys.Mkdir("/e", 0o700))
			f := open(t, fsys, "/e/f", create)
			write(t, f, "abcd")
			must(t, f.Sync(), fsys.SyncDir("/e"))
		}, want{disktest.Strict: none, disktest.NamesOnly: {"/e/f": "abcd"}}},
		{"renamed between folders, the new one synced", func(t *testing.T, fsys disk.FS) {
			must(t, disk.WriteFile(fsys, "/d/f", []byte("abcd"), 0o600), disk.MkdirAll(fsys, "/e", 0o700))
			must(t, fsys.Rename("/d/f", "/e/f"), fsys.SyncDir("/e"))
		}, want{
			disktest.Strict: {"/d/f": "abcd", "/e/f": "abcd"}, disktest.Kept: {"/e/f": "abcd"},
		}},
		{"a folder renamed between folders, the new one synced", func(t *testing.T, fsys disk.FS) {
			must(t, disk.MkdirAll(fsys, "/d/g", 0o700), disk.WriteFile(fsys, "/d/g/f", []byte("abcd"), 0o600), disk.MkdirAll(fsys, "/e", 0o700))
			must(t, fsys.Rename("/d/g", "/e/h"), fsys.SyncDir("/e"))
		}, want{
			disktest.Strict: {"/e/h/f": "abcd"}, disktest.Kept: {"/e/h/f": "abcd"},
		}},
		{"a folder renamed between folders, the old one synced", func(t *testing.T, fsys disk.FS) {
			must(t, disk.MkdirAll(fsys, "/d/g", 0o700), disk.WriteFile(fsys, "/d/g/f", []byte("abcd"), 0o600), disk.MkdirAll(fsys, "/e", 0o700))
			must(t, fsys.Rename("/d/g", "/e/h"), fsys.SyncDir("/d"))
		}, want{
			disktest.Strict: none, disktest.Kept: {"/e/h/f": "abcd"},
		}},
		{"a folder renamed between folders and back, the other one synced", func(t *testing.T, fsys disk.FS) {
			must(t, disk.MkdirAll(fsys, "/d/g", 0o700), disk.WriteFile(fsys, "/d/g/f", []byte("abcd"), 0o600), disk.MkdirAll(fsys, "/e", 0o700))
			must(t, fsys.Rename("/d/g", "/e/h"), fsys.SyncDir("/e"), fsys.Rename("/e/h", "/d/g"))
		}, want{
			disktest.Strict: {"/e/h/f": "abcd"}, disktest.Kept: {"/d/g/f": "abcd"},
		}},
		{"renamed between folders, the old one synced", func(t *testing.T, fsys disk.FS) {
			must(t, disk.WriteFile(fsys, "/d/f", []byte("abcd"), 0o600), disk.MkdirAll(fsys, "/e", 0o700))
			must(t, fsys.Rename("/d/f", "/e/f"), fsys.SyncDir("/d"))
		}, want{disktest.Strict: none, disktest.Kept: {"/e/f": "abcd"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fsys := disktest.New()
			must(t, disk.MkdirAll(fsys, "/d", 0o700))
			tc.do(t, fsys)
			for mode, want := range tc.want {
				if got := fsys.Reboot(mode).Files(); !reflect.DeepEqual(got, want) {
					t.Errorf("%v left %q, want %q", mode, got, want)
				}
			}
		})
	}
}

func TestRebootIsACopy(t *testing.T) {
	fsys := disktest.New()
	must(t, disk.WriteFile(fsys, "f", []byte("abcd"), 0o600))
	after := fsys.Reboot(disktest.Strict)
	write(t, open(t, fsys, "f", os.O_WRONLY), "X")
	write(t, open(t, after, "f", os.O_WRONLY), "YY")
	must(t, after.Remove("f"))
	if got := fsys.Files()["/f"]; got != "Xbcd" {
		t.Errorf("the file system before the reboot has %q", got)
	}
}

// What a Sync failed to write is not written by the next one.
func TestSyncAfterFailedSync(t *testing.T) {
	fsys := disktest.New()
	f := open(t, fsys, "f", create)
	must(t, fsys.SyncDir("/"))
	write(t, f, "abcd")
	fsys.FailAt(1, syscall.EIO)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatalf("Sync: %v, want EIO", err)
	}
	must(t, f.Sync())
	if got := fsys.Files()["/f"]; got != "abcd" {
		t.Errorf("programs see %q", got)
	}
	if got := fsys.Reboot(disktest.Strict).Files()["/f"]; got != "" {
		t.Errorf("the platter has %q", got)
	}
}

func TestFailAt(t *testing.T) {
	fsys := disktest.New()
	f := open(t, fsys, "f", create)
	fsys.FailAt(2, syscall.ENOSPC)
	write(t, f, "abcd")
	if n, err := f.Write([]byte("efgh")); n != 2 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Write: %d, %v, want half of it and ENOSPC", n, err)
	}
	write(t, f, "ij")
	if got := fsys.Files()["/f"]; got != "abcdefij" {
		t.Errorf("file has %q", got)
	}
	if fsys.Ops() != 3 {
		t.Errorf("%d operations, want 3", fsys.Ops())
	}
}

func TestBefore(t *testing.T) {
	fsys := disktest.New()
	var ops []disktest.Op
	fsys.Before = func(op disktest.Op) error {
		ops = append(ops, op)
		if op.Path == "no" {
			return syscall.EACCES
		}
		return nil
	}
	must(t, fsys.Mkdir("d", 0o700))
	if err := fsys.Mkdir("no", 0o700); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Mkdir: %v, want EACCES", err)
	}
	if want := []disktest.Op{{"mkdir", "d"}, {"mkdir", "no"}}; !slices.Equal(ops, want) {
		t.Errorf("operations %v, want %v", ops, want)
	}
}

// Crash ends the workload at each operation, once, and then lets it finish.
func TestCrash(t *testing.T) {
	var runs, checks int
	disktest.Crash(t, func(fsys *disktest.FS) {
		must(t, disk.WriteFile(fsys, "count", nil, 0o600))
	}, func(fsys *disktest.FS) (acked int) {
		runs++
		for i := range 3 {
			if disk.WriteFile(fsys, "count", make([]byte, i+1), 0o600) != nil {
				return acked
			}
			acked = i + 1
		}
		return acked
	}, func(t *testing.T, after *disktest.FS, acked int) {
		checks++
		if got := len(after.Files()["/count"]); got < acked || got > acked+1 {
			t.Errorf("file has version %d, %d was acknowledged", got, acked)
		}
	})
	const ops = 3 * 7 // remove, open, write, sync, close, rename, syncdir
	if runs != ops+1 || checks < 2*runs || checks > runs*len(disktest.Modes()) {
		t.Errorf("%d runs and %d checks, want %d, and from 2 to %d each", runs, checks, ops+1, len(disktest.Modes()))
	}
}

func TestFail(t *testing.T) {
	runs := 0
	disktest.Fail(t, syscall.ENOSPC, nil, func(fsys *disktest.FS) (err error) {
		runs++
		return disk.WriteFile(fsys, "f", []byte("abcd"), 0o600)
	}, func(t *testing.T, after *disktest.FS, err error) {
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("WriteFile: %v, want ENOSPC", err)
		}
		if got := after.Files()["/f"]; got != "" && got != "abcd" {
			t.Errorf("file has %q", got)
		}
	})
	if runs != 8 {
		t.Errorf("%d runs, want 8", runs)
	}
}
