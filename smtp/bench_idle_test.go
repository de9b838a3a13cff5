//go:build unix

package smtp_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// BenchmarkIdle is the memory of a connection after EHLO, over TCP: heap and
// stacks for each of 10,000, or of as many as the limit on open files lets the
// server have. The clients are in a process of their own.
func BenchmarkIdle(b *testing.B) {
	both(b, func(b *testing.B, addr string) {
		n := min(10000, openFiles(b)-500)
		for b.Loop() {
			before := memory()
			hangUp := dialIdle(b, addr, n)
			b.ReportMetric(float64(memory()-before)/float64(n)/1024, "KB/conn")
			b.ReportMetric(float64(n), "conns")
			hangUp()
		}
	})
}

// idleClients, set in the environment of this test binary, makes TestIdleClients
// dial that many connections.
const idleClients = "SMTP_IDLE_CLIENTS"

// dialIdle has n connections made, and returns when the last has its EHLO answered.
func dialIdle(b *testing.B, addr string, n int) (hangUp func()) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleClients$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", idleClients, n, addr))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if l, _ := bufio.NewReader(out).ReadString('\n'); l != "ready\n" {
		b.Fatalf("the clients say %q", l)
	}
	return func() {
		in.Close()
		cmd.Wait()
	}
}

// TestIdleClients is BenchmarkIdle's other process, and no test.
func TestIdleClients(t *testing.T) {
	count, addr, ok := bytes.Cut([]byte(os.Getenv(idleClients)), []byte(" "))
	if !ok {
		t.Skip("BenchmarkIdle runs this")
	}
	n, err := strconv.Atoi(string(count))
	if err != nil {
		t.Fatal(err)
	}
	openFiles(t)
	for range n {
		nc, err := net.Dial("tcp", string(addr))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		io.WriteString(nc, "EHLO localhost\r\n")
		r := bufio.NewReaderSize(nc, 512)
		for l := ""; len(l) < 4 || l[:4] != "250 "; {
			if l, err = r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin) // until the benchmark closes it
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// openFiles raises the limit on open files as far as it goes and returns it.
func openFiles(tb testing.TB) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		tb.Fatal(err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		tb.Fatal(err)
	}
	return int(min(l.Cur, 1<<20))
}
