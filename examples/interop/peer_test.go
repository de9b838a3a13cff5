package interop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a real program may take for anything.
const patience = 30 * time.Second

// need returns the paths of programs, or skips the test: their names are enough
// for apt. Some live in sbin, which is not in everybody's PATH.
func need(t testing.TB, programs ...string) []string {
	t.Helper()
	var paths []string
	for _, name := range programs {
		path, err := exec.LookPath(name)
		for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/lib/postfix/sbin"} {
			if err != nil {
				path, err = exec.LookPath(filepath.Join(dir, name))
			}
		}
		if err != nil {
			missing(t, name+" is not installed")
		}
		paths = append(paths, path)
	}
	return paths
}

// needRoot skips a test whose peer only starts as root.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can start this peer")
	}
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("MAILPARTS_INTEROP") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// folder makes a temporary folder that daemons may enter after they have dropped
// their privileges, which those of t.TempDir do not allow.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "interop-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// write makes a file of lines.
func write(t testing.TB, name string, mode os.FileMode, lines ...string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

// freeAddr is a loopback address that nobody listens at, for peers that cannot
// be told to take any port.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// run runs a program to its end and returns what it printed.
func run(t testing.TB, stdin string, program string, args ...string) string {
	t.Helper()
	out, err := try(stdin, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return out
}

// try is run for a program that may fail.
func try(stdin string, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// daemon is a program that runs until the test ends.
type daemon struct {
	cmd  *exec.Cmd
	log  *buffer
	done chan struct{}
}

// start starts a program. When the test ends it is asked to stop, and what it
// printed is shown if the test failed.
func start(t testing.TB, program string, args ...string) *daemon {
	t.Helper()
	return startOn(t, nil, program, args...)
}

// startOn is start for a program that is told more by and by.
func startOn(t testing.TB, stdin io.Reader, program string, args ...string) *daemon {
	t.Helper()
	d := &daemon{cmd: exec.Command(program, args...), log: newBuffer(), done: make(chan struct{})}
	d.cmd.Stdin = stdin
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(d.done)
		d.cmd.Wait()
		d.log.close()
	}()
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			t.Logf("%s printed:\n%s", filepath.Base(program), d.log)
		}
	})
	return d
}

// stop asks the program to end, and makes it do so if it does not.
func (d *daemon) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(patience):
		d.kill()
	}
}

// kill is kill -9.
func (d *daemon) kill() {
	d.cmd.Process.Kill()
	<-d.done
}

// buffer is what a daemon printed so far, and can be waited on.
type buffer struct {
	mu     sync.Mutex
	cond   *sync.Cond
	b      bytes.Buffer
	closed bool
}

func newBuffer() *buffer {
	b := new(buffer)
	b.cond = sync.NewCond(&b.mu)
	return b
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.cond.Broadcast()
	return b.b.Write(p)
}

func (b *buffer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.cond.Broadcast()
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// await waits for a line that contains all of words, and returns it.
func (b *buffer) await(t testing.TB, words ...string) string {
	t.Helper()
	late := time.AfterFunc(patience, b.close)
	defer late.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for line := range strings.Lines(b.b.String()) {
			if strings.HasSuffix(line, "\n") && containsAll(line, words) {
				return strings.TrimSpace(line)
			}
		}
		if b.closed {
			t.Fatalf("no line with %q in:\n%s", words, b.b.String())
		}
		b.cond.Wait()
	}
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

// retry calls f until it is satisfied, for peers that tell nobody when they are
// done. It gives way between the calls; each does I/O of its own.
func retry(t testing.TB, what string, f func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		err := f()
		if err == nil {
			return
		}
		select {
		case <-late:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// awaitPort waits until somebody greets at addr.
func awaitPort(t testing.TB, addr string) {
	t.Helper()
	retry(t, "waiting for "+addr, func() error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetReadDeadline(time.Now().Add(patience))
		_, err = io.ReadFull(c, make([]byte, 1))
		return err
	})
}

var errNotYet = errors.New("not yet")
