package interop_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// BenchmarkDiscard is messages accepted over SMTP and thrown away, with Postfix's
// smtp-source as the load on all, each session keeping its connection: how fast
// the protocol engine is when nothing is behind it.
//
//	mailparts, go-smtp  in this process, reading the message to its end
//	aiosmtpd            python3 -m aiosmtpd with its Sink handler
//	postfix-proxy       smtpd with smtpd_proxy_filter: each message goes on to smtp-sink, nothing to the disk
//	postfix-discard     smtpd with default_transport = discard: each message goes through the queue on disk
//
//	go test ./examples/interop -run '^$' -bench Discard -benchtime 3000x
func BenchmarkDiscard(b *testing.B) {
	source := need(b, "smtp-source")[0]
	for _, size := range []int{1 << 10, 10 << 10, 1 << 20} {
		for _, sessions := range []int{1, 10, 100} {
			for _, server := range []struct {
				name  string
				start func(testing.TB) string
			}{
				{"mailparts", startDiscarding},
				{"go-smtp", startGoSMTP},
				{"aiosmtpd", startAiosmtpd},
				{"postfix-proxy", startPostfixProxy},
				{"postfix-discard", startPostfixDiscard},
			} {
				b.Run(fmt.Sprintf("size=%d/sessions=%d/%s", size, sessions, server.name), func(b *testing.B) {
					addr := server.start(b)
					n := max(b.N*(10<<10)/max(size, 10<<10), 2*sessions) // as many octets as with 10 KB
					b.ResetTimer()
					run(b, "", source, "-d", "-s", strconv.Itoa(sessions), "-m", strconv.Itoa(n), "-l", strconv.Itoa(size),
						"-f", "a@example.net", "-t", "b@example.test", addr)
					b.StopTimer()
					b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// startDiscarding is our server before nothing.
func startDiscarding(b testing.TB) string {
	s := &smtp.Server{Hostname: "mx.example.test", MaxConnsPerAddr: -1, Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			_, err := io.Copy(io.Discard, msg)
			return err
		}))}
	return serveLoopback(b, s)
}

// discarding is a gosmtp.Session that does the same.
type discarding struct{}

func (discarding) Mail(string, *gosmtp.MailOptions) error { return nil }
func (discarding) Rcpt(string, *gosmtp.RcptOptions) error { return nil }
func (discarding) Data(r io.Reader) error                 { _, err := io.Copy(io.Discard, r); return err }
func (discarding) Reset()                                 {}
func (discarding) Logout() error                          { return nil }

func startGoSMTP(b testing.TB) string {
	s := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return discarding{}, nil }))
	s.Domain = "mx.example.test"
	return serveLoopback(b, s)
}

// serveLoopback runs a server, ours or go-smtp's, until b ends.
func serveLoopback(b testing.TB, s interface {
	Serve(net.Listener) error
	Close() error
}) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	b.Cleanup(func() { s.Close() })
	return l.Addr().String()
}

func startAiosmtpd(b testing.TB) string {
	python := need(b, "/usr/bin/python3")[0] // the one that Debian's packages are for
	if out, err := try("", python, "-c", "import aiosmtpd"); err != nil {
		missing(b, "aiosmtpd is not installed: "+out)
	}
	addr := freeAddr(b)
	start(b, python, "-m", "aiosmtpd", "-n", "-l", addr, "-c", "aiosmtpd.handlers.Sink")
	awaitPort(b, addr)
	return addr
}

// startPostfixProxy is Postfix that hands each message on while it comes.
func startPostfixProxy(b testing.TB) string {
	sink := need(b, "smtp-sink")[0]
	next := freeAddr(b)
	start(b, sink, "-u", "postfix", "-c", next, "256")
	awaitPort(b, next)
	return postfix(b, "relay_domains = example.test", "smtpd_proxy_filter = "+next, "default_process_limit = 200")
}

// startPostfixDiscard is Postfix that queues each message and then drops it.
func startPostfixDiscard(b testing.TB) string {
	return postfix(b, "relay_domains = example.test", "relay_transport = discard:", "default_transport = discard:", "default_process_limit = 200")
}
