package disktest_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// onBoth runs a test against the model and the real file system: what differs
// between the two is a fault of the model.
func onBoth(t *testing.T, test func(t *testing.T, fsys disk.FS, root string)) {
	t.Run("memory", func(t *testing.T) {
		fsys := disktest.New()
		must(t, fsys.Mkdir("/root", 0o700))
		test(t, fsys, "/root")
	})
	t.Run("os", func(t *testing.T) { test(t, disk.OS{}, t.TempDir()) })
}

func TestErrors(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		at := func(name string) string { return filepath.Join(root, name) }
		must(t, fsys.Mkdir(at("dir"), 0o700), fsys.Mkdir(at("dir/sub"), 0o700), fsys.Mkdir(at("empty"), 0o700))
		must(t, disk.WriteFile(fsys, at("file"), []byte("abcd"), 0o600))
		openFile := func(name string, flag int) error {
			f, err := fsys.OpenFile(at(name), flag, 0o600)
			if err == nil {
				f.Close()
			}
			return err
		}
		stat := func(name string) error { _, err := fsys.Stat(at(name)); return err }
		readDir := func(name string) error { _, err := fsys.ReadDir(at(name)); return err }
		for _, tc := range []struct {
			name string
			err  error
			want error
		}{
			{"open nothing", openFile("none", os.O_RDONLY), syscall.ENOENT},
			{"open under a file", openFile("file/x", os.O_RDONLY), syscall.ENOTDIR},
			{"create in no folder", openFile("none/x", os.O_CREATE|os.O_WRONLY), syscall.ENOENT},
			{"create what is there", openFile("file", os.O_CREATE|os.O_EXCL|os.O_WRONLY), syscall.EEXIST},
			{"create a folder's name", openFile("dir", os.O_CREATE|os.O_WRONLY), syscall.EISDIR},
			{"open a folder to write", openFile("dir", os.O_RDWR), syscall.EISDIR},
			{"create a long name", openFile(strings.Repeat("x", 256), os.O_CREATE|os.O_WRONLY), syscall.ENAMETOOLONG},
			{"stat nothing", stat("none"), syscall.ENOENT},
			{"stat under a file", stat("file/x"), syscall.ENOTDIR},
			{"read no folder", readDir("none"), syscall.ENOENT},
			{"read a file as a folder", readDir("file"), syscall.ENOTDIR},
			{"mkdir what is there", fsys.Mkdir(at("dir"), 0o700), syscall.EEXIST},
			{"mkdir over a file", fsys.Mkdir(at("file"), 0o700), syscall.EEXIST},
			{"mkdir in no folder", fsys.Mkdir(at("none/x"), 0o700), syscall.ENOENT},
			{"remove nothing", fsys.Remove(at("none")), syscall.ENOENT},
			{"remove a full folder", fsys.Remove(at("dir")), syscall.ENOTEMPTY},
			{"link nothing", fsys.Link(at("none"), at("x")), syscall.ENOENT},
			{"link over a file", fsys.Link(at("file"), at("dir")), syscall.EEXIST},
			{"link a folder", fsys.Link(at("dir"), at("x")), syscall.EPERM},
			{"rename nothing", fsys.Rename(at("none"), at("x")), syscall.ENOENT},
			{"rename a file over a folder", fsys.Rename(at("file"), at("empty")), syscall.EEXIST},
			{"rename a folder over a file", fsys.Rename(at("dir"), at("file")), syscall.ENOTDIR},
			{"rename a folder over a full one", fsys.Rename(at("empty"), at("dir")), fs.ErrExist},
			{"rename a folder into itself", fsys.Rename(at("dir"), at("dir/sub/x")), syscall.EINVAL},
			{"chtimes of nothing", fsys.Chtimes(at("none"), time.Now()), syscall.ENOENT},
			{"sync no folder", fsys.SyncDir(at("none")), syscall.ENOENT},
		} {
			if !errors.Is(tc.err, tc.want) {
				t.Errorf("%s: %v, want %v", tc.name, tc.err, tc.want)
			}
		}
	})
}

func TestFiles(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
		f := open(t, fsys, a, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		write(t, f, "abcdef")
		if _, err := f.WriteAt([]byte("XY"), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Seek(-3, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		tail, err := io.ReadAll(f)
		if string(tail) != "def" || err != nil {
			t.Errorf("read %q, %v after the seek", tail, err)
		}
		buf := make([]byte, 4)
		if n, err := f.ReadAt(buf, 4); n != 2 || err != io.EOF {
			t.Errorf("ReadAt across the end: %d, %v, want 2 and EOF", n, err)
		}

		app := open(t, fsys, a, os.O_WRONLY|os.O_APPEND)
		write(t, app, "1")
		write(t, f, "2") // f is at the old end
		write(t, app, "3")
		must(t, f.Truncate(4), f.Allocate(6), f.Allocate(2), f.Datasync())
		if _, err := app.Read(buf); !errors.Is(err, syscall.EBADF) {
			t.Errorf("Read of a file opened to write: %v, want EBADF", err)
		}

		// An open file outlives its names.
		must(t, fsys.Link(a, b), fsys.Remove(a), fsys.Rename(b, a), fsys.Remove(a))
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if string(got) != "aXYd\x00\x00" || err != nil {
			t.Errorf("read %q, %v after all names went", got, err)
		}
		must(t, f.Close())
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("second Close: %v, want ErrClosed", err)
		}
	})
}

func TestStat(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		name := filepath.Join(root, "f")
		must(t, disk.WriteFile(fsys, name, []byte("abcd"), 0o640))
		then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		must(t, fsys.Chtimes(name, then), fsys.Chtimes(root, then))
		fi, err := fsys.Stat(name)
		must(t, err)
		if fi.Name() != "f" || fi.Size() != 4 || fi.Mode() != 0o640 || fi.IsDir() || !fi.ModTime().Equal(then) {
			t.Errorf("Stat: %s %d %v %v", fi.Name(), fi.Size(), fi.Mode(), fi.ModTime())
		}
		must(t, fsys.Link(name, name+"2"))
		fi, err = fsys.Stat(root)
		must(t, err)
		if !fi.IsDir() || fi.ModTime().Equal(then) {
			t.Errorf("Stat of the folder after a link: IsDir %v, time %v", fi.IsDir(), fi.ModTime())
		}
		names, err := fsys.ReadDir(root)
		slices.Sort(names)
		if err != nil || !slices.Equal(names, []string{"f", "f2"}) {
			t.Errorf("ReadDir: %q, %v", names, err)
		}
	})
}

func TestSameFile(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		name := filepath.Join(root, "f")
		stat := func(name string) fs.FileInfo {
			fi, err := fsys.Stat(name)
			must(t, err)
			return fi
		}
		must(t, disk.WriteFile(fsys, name, nil, 0o600))
		before := stat(name)
		must(t, fsys.Rename(name, name+"2"), disk.WriteFile(fsys, name, nil, 0o600))
		if !disk.SameFile(before, stat(name+"2")) || disk.SameFile(before, stat(name)) {
			t.Error("SameFile goes by the name, not by the file")
		}
	})
}

func TestBoot(t *testing.T) {
	fsys := disktest.New()
	if fsys.Boot() != fsys.Reboot(disktest.Kept).Boot() || fsys.Boot() == fsys.Reboot(disktest.Strict).Boot() {
		t.Error("Boot tells a restart of the program from one of the machine the wrong way")
	}
	first := disk.OS{}.Boot()
	if again := (disk.OS{}).Boot(); again != first {
		t.Errorf("Boot changes while the machine runs: %q, %q", first, again)
	}
}

func TestRenameReplaces(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
		must(t, disk.WriteFile(fsys, a, []byte("new"), 0o600), disk.WriteFile(fsys, b, []byte("old"), 0o600))
		must(t, fsys.Rename(a, b))
		got, err := disk.ReadFile(fsys, b)
		if string(got) != "new" || err != nil {
			t.Errorf("%q, %v after the rename", got, err)
		}
		// Two names of one file: POSIX rename does nothing.
		must(t, fsys.Link(b, a), fsys.Rename(a, b))
		if _, err := fsys.Stat(a); err != nil {
			t.Errorf("rename of one name of a file over another: %v", err)
		}
	})
}

func TestLock(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		name := filepath.Join(root, "lock")
		held, err := fsys.Lock(name)
		must(t, err)
		if _, err := fsys.Lock(name); !errors.Is(err, disk.ErrLocked) {
			t.Errorf("second Lock: %v, want ErrLocked", err)
		}
		if other, err := fsys.Lock(name + "2"); err != nil {
			t.Errorf("Lock of another name: %v", err)
		} else {
			other.Close()
		}
		must(t, held.Close())
		again, err := fsys.Lock(name)
		must(t, err)
		must(t, again.Close())
	})
}

func TestLockVanishesAtReboot(t *testing.T) {
	fsys := disktest.New()
	held, err := fsys.Lock("lock")
	must(t, err)
	defer held.Close()
	if _, err := fsys.Reboot(disktest.Kept).Lock("lock"); err != nil {
		t.Error(err)
	}
}

func TestLinkCount(t *testing.T) {
	fsys := disktest.New()
	f := open(t, fsys, "a", create)
	links := func() int {
		fi, err := f.Stat()
		must(t, err)
		return fi.Sys().(disktest.Sys).Links
	}
	must(t, fsys.Link("a", "b"))
	if links() != 2 {
		t.Errorf("%d links, want 2", links())
	}
	must(t, fsys.Remove("a"), disk.WriteFile(fsys, "b", nil, 0o600))
	if links() != 0 {
		t.Errorf("%d links, want 0", links())
	}
}

// The locks of open files: whom each excludes, and what releases it.
func TestFileLocks(t *testing.T) {
	for _, kind := range []struct {
		name string
		lock func(disk.File, disk.LockMode) error
	}{{"fcntl", disk.File.Fcntl}, {"flock", disk.File.Flock}} {
		t.Run(kind.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
				name := filepath.Join(root, "file")
				must(t, disk.WriteFile(fsys, name, nil, 0o600))
				open := func(flag int) disk.File {
					f, err := fsys.OpenFile(name, flag, 0)
					must(t, err)
					t.Cleanup(func() { f.Close() })
					return f
				}
				a, b, c := open(os.O_RDWR), open(os.O_RDWR), open(os.O_RDONLY)
				for i, step := range []struct {
					file disk.File
					mode disk.LockMode
					want error
				}{
					{a, disk.Shared, nil},
					{b, disk.Shared, nil},
					{a, disk.Exclusive, disk.ErrLocked},
					{b, disk.Unlocked, nil},
					{a, disk.Exclusive, nil},
					{a, disk.Exclusive, nil},
					{c, disk.Shared, disk.ErrLocked},
					{a, disk.Shared, nil},
					{c, disk.Shared, nil},
					{b, disk.Exclusive, disk.ErrLocked},
					{b, disk.Unlocked, nil},
				} {
					if err := kind.lock(step.file, step.mode); err != step.want {
						t.Fatalf("step %d: %v, want %v", i, err, step.want)
					}
				}
				must(t, open(os.O_RDWR).Close()) // no lock goes with another open file
				if err := kind.lock(b, disk.Exclusive); err != disk.ErrLocked {
					t.Errorf("while two share it: %v", err)
				}
				must(t, a.Close(), c.Close())
				must(t, kind.lock(b, disk.Exclusive))
			})
		})
	}
}

// The kinds of locks do not see each other, and Lock is a flock.
func TestLockKinds(t *testing.T) {
	onBoth(t, func(t *testing.T, fsys disk.FS, root string) {
		name := filepath.Join(root, "file")
		a, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		must(t, err)
		defer a.Close()
		must(t, a.Fcntl(disk.Exclusive))
		lock, err := fsys.Lock(name)
		must(t, err)
		if err := a.Flock(disk.Shared); err != disk.ErrLocked {
			t.Errorf("Flock while Lock is held: %v", err)
		}
		must(t, lock.Close(), a.Flock(disk.Shared))
		if _, err := fsys.Lock(name); err != disk.ErrLocked {
			t.Errorf("Lock while a flock is held: %v", err)
		}
		readOnly, err := fsys.OpenFile(name, os.O_RDONLY, 0)
		must(t, err)
		defer readOnly.Close()
		must(t, a.Fcntl(disk.Unlocked))
		if err := readOnly.Fcntl(disk.Exclusive); !errors.Is(err, syscall.EBADF) {
			t.Errorf("an fcntl lock to write on what is open to read: %v", err)
		}
	})
}
