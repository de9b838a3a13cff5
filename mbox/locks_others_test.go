package mbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/mbox"
)

// otherLockers are programs that lock a file, say so, and hold it until their input
// ends; or fail at once if it is locked.
var otherLockers = []struct {
	name    string
	command []string
	locks   mbox.LockMethod
}{
	{"flock(1)", []string{"flock", "-n", "FILE", "sh", "-c", "echo locked; cat"}, mbox.Flock},
	{"flock(1), shared", []string{"flock", "-n", "-s", "FILE", "sh", "-c", "echo locked; cat"}, mbox.Flock},
	{"Python's lockf", []string{"python3", "-c", `import fcntl, sys
f = open("FILE", "r+")
fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
print("locked", flush=True)
sys.stdin.read()`}, mbox.Fcntl},
	{"Python's mailbox", []string{"python3", "-c", `import mailbox, sys
m = mailbox.mbox("FILE")
m.lock()
print("locked", flush=True)
sys.stdin.read()
m.unlock()`}, mbox.Dotlock},
	{"dotlockfile(1)", []string{"sh", "-c", `dotlockfile -p -r 0 'FILE.lock' && echo locked && cat && dotlockfile -u 'FILE.lock'`}, mbox.Dotlock},
	{"lockfile(1)", []string{"sh", "-c", `lockfile -r 0 'FILE.lock' && echo locked && cat && rm -f 'FILE.lock'`}, mbox.Dotlock},
}

// start runs a command with FILE replaced. It returns once the command says that it
// has the lock, or with an error.
func start(t *testing.T, name string, command []string) (stop func(), err error) {
	t.Helper()
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.ReplaceAll(arg, "FILE", name)
	}
	cmd := exec.Command(args[0], args[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if line != "locked\n" {
		in.Close()
		return nil, errors.Join(fmt.Errorf("%v says %q", args, line), cmd.Wait())
	}
	return func() {
		in.Close()
		io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}, nil
}

// Other programs keep us out, and we keep them out.
func TestOtherLockers(t *testing.T) {
	for _, other := range otherLockers {
		t.Run(other.name, func(t *testing.T) {
			program := other.command[0]
			switch other.name {
			case "dotlockfile(1)":
				program = "dotlockfile"
			case "lockfile(1)":
				program = "lockfile"
			}
			if _, err := exec.LookPath(program); err != nil {
				t.Skip(program + " is not installed")
			}
			name := newFile(t, disk.OS{})
			l := mbox.Locks{Methods: []mbox.LockMethod{other.locks}}
			stop, err := start(t, name, other.command)
			if err != nil {
				t.Fatal(err)
			}
			if !isLocked(t, disk.OS{}, l, name, os.O_RDWR) {
				t.Error("it does not keep us out")
			}
			stop()
			k := lockAt(t, disk.OS{}, l, name, os.O_RDWR)
			// A classic lock of the process would be gone with this.
			if f, err := os.Open(name); err == nil {
				f.Close()
			}
			if stop, err := start(t, name, other.command); err == nil {
				stop()
				t.Error("we do not keep it out")
			}
			unlock(t, k)
		})
	}
}

// TestMain is another process of ours too, which holds a lock until it is killed.
func TestMain(m *testing.M) {
	if name := os.Getenv("MBOX_TEST_HOLD"); name != "" {
		k, err := mbox.OpenLocked(context.Background(), disk.OS{}, mbox.Locks{Timeout: time.Second}, name, os.O_RDWR)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		io.Copy(io.Discard, os.Stdin)
		k.Unlock()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The death of a process releases its locks; a file name.lock that it leaves keeps
// nobody waiting.
func TestLockOfTheDead(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	name := newFile(t, disk.OS{})
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "MBOX_TEST_HOLD="+name)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatal(line)
	}
	for how, l := range allLocks() {
		if how != "flock" && how != "flock, dotlock" && !isLocked(t, disk.OS{}, l, name, os.O_RDWR) {
			t.Errorf("%s: the other process does not keep us out", how)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if _, err := os.Stat(name + ".lock"); err != nil {
		t.Errorf("the dead took its dotlock along: %v", err)
	}
	for how, l := range allLocks() {
		if isLocked(t, disk.OS{}, l, name, os.O_RDWR) {
			t.Errorf("%s: the dead keeps us out", how)
		}
	}
	if _, err := os.Stat(name + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a dotlock is left: %v", err)
	}
}
