package smtp_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// sink is a server that takes everything and does nothing with it, as cheaply as
// it can be done: what is measured is the client.
func sink(b *testing.B) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go swallow(nc)
		}
	}()
	return l.Addr().String()
}

func swallow(nc net.Conn) {
	defer nc.Close()
	r := bufio.NewReaderSize(nc, 64<<10)
	w := bufio.NewWriter(nc)
	w.WriteString("220 sink\r\n")
	for {
		if r.Buffered() == 0 {
			w.Flush()
		}
		l, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch l[0] {
		case 'E':
			w.WriteString("250-sink\r\n250-SIZE\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
		case 'B':
			size, _, _ := bytes.Cut(l[len("BDAT "):], []byte(" "))
			n, _ := strconv.Atoi(string(bytes.TrimRight(size, "\r\n")))
			if _, err := r.Discard(n); err != nil {
				return
			}
			w.WriteString("250 ok\r\n")
		case 'D':
			w.WriteString("354 go\r\n")
			w.Flush()
			for !bytes.Equal(l, []byte(".\r\n")) {
				if l, err = r.ReadSlice('\n'); err != nil {
					return
				}
			}
			w.WriteString("250 ok\r\n")
		default:
			w.WriteString("250 ok\r\n")
		}
	}
}

func benchmarkDeliver(b *testing.B, size int, noChunking bool) {
	d := smtp.Dialer{NoChunking: noChunking}
	c, err := d.Dial(b.Context(), sink(b))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	l := strings.Repeat("x", 76) + "\r\n"
	msg := strings.NewReader(strings.Repeat(l, size/len(l)))
	env := letter("b@example.com")
	b.SetBytes(msg.Size())
	b.ReportAllocs()
	for b.Loop() {
		msg.Seek(0, io.SeekStart)
		if err := c.Deliver(b.Context(), env, msg); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkDeliver sends messages one after the other on one connection.
func BenchmarkDeliver(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1KB", 1 << 10}, {"10KB", 10 << 10}, {"1MB", 1 << 20}, {"100MB", 100 << 20}} {
		b.Run(size.name+"/DATA", func(b *testing.B) { benchmarkDeliver(b, size.n, true) })
		b.Run(size.name+"/BDAT", func(b *testing.B) { benchmarkDeliver(b, size.n, false) })
	}
}
