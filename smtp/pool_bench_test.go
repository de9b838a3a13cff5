package smtp_test

import (
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// BenchmarkPool is messages of 1 KB over one connection to a Server in memory.
func BenchmarkPool(b *testing.B) {
	l := mailtest.NewListener()
	s := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.AsReceiver(discard)}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	d := &smtp.Dialer{Hostname: "client.example", NetDial: l.Dial}
	pool := smtp.Pool{MaxMessages: -1}
	env, msg := letter("b@example.com"), strings.NewReader("Subject: hi\r\n\r\n"+strings.Repeat("hello, hello, hello\r\n", 50))
	b.ReportAllocs()
	for b.Loop() {
		msg.Seek(0, io.SeekStart)
		if err := pool.Deliver(b.Context(), d, fakeAddr, env, msg); err != nil {
			b.Fatal(err)
		}
	}
	pool.Close()
	s.Close()
	<-done
}
