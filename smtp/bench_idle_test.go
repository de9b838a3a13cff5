//go:build unix

package smtp_test

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
)

// BenchmarkIdle is the memory of a connection after EHLO, over TCP. Both ends are
// in this process; the client's, of which there are as many, is measured first and
// taken off.
func BenchmarkIdle(b *testing.B) {
	both(b, func(b *testing.B, addr string) {
		for b.Loop() {
			n := min(10000, openFiles(b)/2-1500)
			client := idleMemory(b, echoTCP(b), 1000)
			b.ReportMetric((idleMemory(b, addr, n)-client)/1024, "KB/conn")
			b.ReportMetric(float64(n), "conns")
		}
	})
}

// idleMemory is heap and stacks for each of n connections.
func idleMemory(b *testing.B, addr string, n int) float64 {
	before := memory()
	conns := make([]net.Conn, 0, n)
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, nc)
		var p [512]byte
		io.WriteString(nc, "EHLO localhost\r\n")
		var got []byte
		for !bytes.Contains(got, []byte("250 ")) {
			m, err := nc.Read(p[:])
			if err != nil {
				b.Fatal(err)
			}
			got = append(got, p[:m]...)
		}
	}
	used := float64(memory()-before) / float64(n)
	for _, nc := range conns {
		nc.Close()
	}
	return used
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// echoTCP accepts connections, answers one EHLO and keeps nothing but the socket.
func echoTCP(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var conns []net.Conn
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, nc)
			io.WriteString(nc, "250 ok\r\n")
		}
	}()
	b.Cleanup(func() {
		l.Close()
		for _, nc := range conns {
			nc.Close()
		}
	})
	return l.Addr().String()
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
