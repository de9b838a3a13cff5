package smtp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// discard takes every message.
var discard = mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
	_, err := io.Copy(io.Discard, msg)
	return err
})

// serveTCP serves on loopback and returns the address.
func serveTCP(tb testing.TB, serve func(net.Listener) error, closeServer func() error) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go serve(l)
	tb.Cleanup(func() { closeServer() })
	return l.Addr().String()
}

func oursTCP(tb testing.TB) string {
	s := &smtp.Server{Receiver: mailparts.AsReceiver(discard), Hostname: "localhost", MaxMessageBytes: -1, MaxConns: -1, MaxConnsPerAddr: -1}
	return serveTCP(tb, s.Serve, s.Close)
}

// goSMTPBackend takes every message for go-smtp.
type goSMTPBackend struct{}

func (goSMTPBackend) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return goSMTPBackend{}, nil }
func (goSMTPBackend) Mail(string, *gosmtp.MailOptions) error          { return nil }
func (goSMTPBackend) Rcpt(string, *gosmtp.RcptOptions) error          { return nil }
func (goSMTPBackend) Reset()                                          {}
func (goSMTPBackend) Logout() error                                   { return nil }
func (goSMTPBackend) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

func goSMTPTCP(tb testing.TB) string {
	s := gosmtp.NewServer(goSMTPBackend{})
	s.Domain = "localhost"
	return serveTCP(tb, s.Serve, s.Close)
}

// both runs a benchmark on our server and on go-smtp's.
func both(b *testing.B, f func(b *testing.B, addr string)) {
	b.Run("mailparts", func(b *testing.B) { f(b, oursTCP(b)) })
	b.Run("go-smtp", func(b *testing.B) { f(b, goSMTPTCP(b)) })
}

// sender is a client that costs as little as it can.
type sender struct {
	net.Conn
	r *bufio.Reader
}

func newSender(tb testing.TB, addr string) *sender {
	tb.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	s := &sender{nc, bufio.NewReader(nc)}
	s.expect(tb, 1)
	s.say(tb, "EHLO localhost\r\n", 0)
	for {
		l, err := s.r.ReadSlice('\n')
		if err != nil {
			tb.Fatal(err)
		}
		if l[3] == ' ' {
			return s
		}
	}
}

func (s *sender) say(tb testing.TB, text string, replies int) {
	if _, err := io.WriteString(s, text); err != nil {
		tb.Fatal(err)
	}
	s.expect(tb, replies)
}

func (s *sender) expect(tb testing.TB, replies int) {
	for range replies {
		l, err := s.r.ReadSlice('\n')
		if err != nil || l[0] > '3' {
			tb.Fatalf("%q, %v", l, err)
		}
	}
}

const toDATA = "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"

// BenchmarkAccept is messages of 4 KB over loopback, in one session and in ten.
func BenchmarkAccept(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 76)+"\r\n", 52) + ".\r\n"
	for _, sessions := range []int{1, 10} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			both(b, func(b *testing.B, addr string) {
				b.ReportAllocs()
				messages := make(chan struct{}, b.N)
				for range b.N {
					messages <- struct{}{}
				}
				close(messages)
				var all sync.WaitGroup
				for range sessions {
					all.Go(func() {
						s := newSender(b, addr)
						defer s.Close()
						for range messages {
							s.say(b, toDATA, 3)
							s.say(b, text, 1)
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			})
		})
	}
}

// BenchmarkBigMessage is one message of 100 MB.
func BenchmarkBigMessage(b *testing.B) {
	block := []byte(strings.Repeat(strings.Repeat("x", 76)+"\r\n", 3361)) // 256 KB
	both(b, func(b *testing.B, addr string) {
		s := newSender(b, addr)
		defer s.Close()
		b.SetBytes(int64(400 * len(block)))
		b.ReportAllocs()
		for b.Loop() {
			s.say(b, toDATA, 3)
			for range 400 {
				s.Write(block)
			}
			s.say(b, ".\r\n", 1)
		}
	})
}

// BenchmarkEightBigMessages is eight of them at once: the heap must not grow with
// their size.
func BenchmarkEightBigMessages(b *testing.B) {
	block := []byte(strings.Repeat(strings.Repeat("x", 76)+"\r\n", 3361))
	both(b, func(b *testing.B, addr string) {
		b.SetBytes(int64(8 * 400 * len(block)))
		for b.Loop() {
			peak := heapPeak(func() {
				var all sync.WaitGroup
				for range 8 {
					all.Go(func() {
						s := newSender(b, addr)
						defer s.Close()
						s.say(b, toDATA, 3)
						for range 400 {
							s.Write(block)
						}
						s.say(b, ".\r\n", 1)
					})
				}
				all.Wait()
			})
			b.ReportMetric(float64(peak)/1e6, "MB-heap")
		}
	})
}

// heapPeak is by how much the heap grows while f runs.
func heapPeak(f func()) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, peak := m.HeapInuse, m.HeapInuse
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return peak - before
		case <-tick.C:
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}
	}
}
