//go:build unix

package imap_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// BenchmarkIdle is the memory of a session in IDLE, over TCP: heap and stacks for each of
// 10,000, or of as many as the limit on open files lets the server have. The clients are
// in a process of their own. All have the same mailbox, of 1,000 messages.
func BenchmarkIdle(b *testing.B) {
	for _, command := range []string{"", "COMPRESS DEFLATE"} {
		b.Run(cmp.Or(command, "plaintext"), func(b *testing.B) {
			addr, deliver := idleServer(b)
			n := min(10000, openFiles(b)-500)
			if command != "" {
				n = min(n, 3000) // the clients have to hold a window each, too
			}
			for b.Loop() {
				before := memory()
				clients := dialIdle(b, addr, n, command)
				b.ReportMetric(float64(memory()-before)/float64(n)/1024, "KB/conn")
				b.ReportMetric(float64(n), "conns")
				began := time.Now()
				deliver()
				clients.await("told")
				b.ReportMetric(float64(time.Since(began).Microseconds())/float64(n), "µs/EXISTS")
				clients.hangUp()
			}
		})
	}
}

// idleServer serves one mailbox, to which deliver adds a message.
func idleServer(b *testing.B) (addr string, deliver func()) {
	r := &rig{t: b, Server: &imap.Server{Backend: new(mailtest.Memory), Auth: password, AllowInsecureAuth: true, MaxConnsPerAddr: -1}}
	store, err := r.Backend.Open(b.Context(), "alice")
	if err != nil {
		b.Fatal(err)
	}
	if r.inbox, err = store.Mailbox(b.Context(), "INBOX"); err != nil {
		b.Fatal(err)
	}
	for range 1000 {
		r.fill("Subject: x\r\n\r\n")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go r.Serve(l)
	b.Cleanup(func() { r.Close() })
	return l.Addr().String(), func() { r.fill("Subject: y\r\n\r\n") }
}

// idleClients, set in the environment of this test binary, makes TestIdleClients dial.
const idleClients = "IMAP_IDLE_CLIENTS"

// idlers are the clients of another process.
type idlers struct {
	b   *testing.B
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

// dialIdle has n sessions made, and returns when the last is in IDLE.
func dialIdle(b *testing.B, addr string, n int, command string) *idlers {
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleClients$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s", idleClients, n, addr, command))
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
	i := &idlers{b, in, bufio.NewReader(out), cmd}
	i.await("ready")
	return i
}

func (i *idlers) await(word string) {
	if l, _ := i.out.ReadString('\n'); l != word+"\n" {
		i.b.Fatalf("the clients say %q", l)
	}
}

func (i *idlers) hangUp() {
	i.in.Close()
	i.cmd.Wait()
}

// TestIdleClients is BenchmarkIdle's other process, and no test.
func TestIdleClients(t *testing.T) {
	arguments := bytes.SplitN([]byte(os.Getenv(idleClients)), []byte(" "), 3)
	if len(arguments) != 3 {
		t.Skip("BenchmarkIdle runs this")
	}
	n, err := strconv.Atoi(string(arguments[0]))
	if err != nil {
		t.Fatal(err)
	}
	openFiles(t)
	var compressedIdle bytes.Buffer
	w, err := flate.NewWriter(&compressedIdle, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "i IDLE\r\n")
	w.Flush()
	clients := make([]*client, n)
	for i := range clients {
		nc, err := net.Dial("tcp", string(arguments[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		c := &client{Conn: nc, t: t, r: bufio.NewReaderSize(nc, 512)}
		c.response()
		c.do(`LOGIN alice "open sesame"`)
		c.do("EXAMINE INBOX")
		if len(arguments[2]) > 0 {
			c.do(string(arguments[2]))
			c.Write(compressedIdle.Bytes()) // all clients' flate.Writers would be 8 GB
			c.r = bufio.NewReader(flate.NewReader(c.r))
		} else {
			io.WriteString(c, "i IDLE\r\n")
		}
		for c.response() != "+ idling" {
		}
		clients[i] = c
	}
	fmt.Println("ready")
	for _, c := range clients {
		for !strings.HasSuffix(c.response(), "EXISTS") {
		}
	}
	fmt.Println("told")
	io.Copy(io.Discard, os.Stdin) // until the benchmark closes it
}

// memory is what the heap and the stacks have in use.
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
