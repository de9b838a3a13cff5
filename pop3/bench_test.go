package pop3_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
)

// message4K is a message of 4 KB with a dot to stuff.
var message4K = "Subject: benchmark\r\n\r\n.dot\r\n" + strings.Repeat("The quick brown fox jumps over the lazy dog, and then some more.\r\n", 61)

// skip reads a multi-line reply.
func skip(b *testing.B, r *bufio.Reader) {
	for {
		l, err := r.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if len(l) == 3 && l[0] == '.' {
			return
		}
	}
}

func benchmarkRetr(b *testing.B, batch int) {
	r := start(b, func(s *pop3.Server) { s.Logger = nil })
	const messages = 500
	for range messages {
		r.fill(message4K)
	}
	c := r.login()
	c.SetDeadline(time.Time{})
	w := bufio.NewWriter(c.Conn)
	b.SetBytes(int64(len(message4K)))
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		n := min(batch, b.N-done)
		for i := range n {
			fmt.Fprintf(w, "RETR %d\r\n", (done+i)%messages+1)
		}
		w.Flush()
		for range n {
			skip(b, c.r)
		}
		done += n
	}
}

// BenchmarkRetr retrieves messages of 4 KB over loopback.
func BenchmarkRetr(b *testing.B) {
	b.Run("one by one", func(b *testing.B) { benchmarkRetr(b, 1) })
	b.Run("pipelined by 50", func(b *testing.B) { benchmarkRetr(b, 50) })
}

// BenchmarkList lists a maildrop of 100,000 messages.
func BenchmarkList(b *testing.B) {
	const messages = 100000
	r := start(b, func(s *pop3.Server) { s.Logger = nil })
	_, err := r.inbox.Append(b.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for range messages {
			if !yield(mailparts.Incoming{Body: strings.NewReader("x\r\n")}, nil) {
				return
			}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, command := range []string{"LIST", "UIDL"} {
		b.Run(command, func(b *testing.B) {
			r.waitUnlocked()
			c := r.login()
			defer c.talk("C: QUIT\nS: +OK ...")
			c.SetDeadline(time.Time{})
			b.ReportAllocs()
			for b.Loop() {
				io.WriteString(c.Conn, command+"\r\n")
				skip(b, c.r)
			}
			b.ReportMetric(float64(messages)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
	b.Run("login", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.login().talk("C: QUIT\nS: +OK ...")
		}
	})
}
