package interop_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/queue"
	"github.com/mailparts/mailparts/smtp"
)

// BenchmarkAccept is messages of 4 KB accepted over SMTP and durable in the
// queue, by Postfix and by us, with Postfix's smtp-source as the load on both. A
// new connection for each message, and one kept by each session. Neither
// delivers meanwhile: Postfix holds the mail, our queue does not run.
//
//	go test ./examples/interop -run '^$' -bench Accept -benchtime 5000x
func BenchmarkAccept(b *testing.B) {
	source := need(b, "smtp-source")[0]
	for _, keep := range []bool{false, true} {
		for _, sessions := range []int{1, 10, 50} {
			for _, server := range []struct {
				name  string
				start func(testing.TB) string
			}{{"mailparts", startQueueing}, {"postfix", startHolding}} {
				connection := map[bool]string{false: "new", true: "kept"}[keep]
				b.Run(fmt.Sprintf("connection=%s/sessions=%d/%s", connection, sessions, server.name), func(b *testing.B) {
					addr := server.start(b)
					args := []string{"-s", strconv.Itoa(sessions), "-m", strconv.Itoa(max(b.N, sessions)), "-l", "4096",
						"-f", "a@example.net", "-t", "b@example.test", addr}
					if keep {
						args = append([]string{"-d"}, args...)
					}
					b.ResetTimer()
					run(b, "", source, args...)
					b.StopTimer()
					b.ReportMetric(float64(max(b.N, sessions))/b.Elapsed().Seconds(), "messages/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// startHolding is Postfix that accepts and holds.
func startHolding(b testing.TB) string {
	return postfix(b, "relay_domains = example.test", "smtpd_recipient_restrictions = static:HOLD, permit_mynetworks, reject",
		"default_process_limit = 100")
}

// startQueueing is our server with a queue that nobody empties.
func startQueueing(b testing.TB) string {
	spool, err := queue.Open(filepath.Join(folder(b), "spool"))
	if err != nil {
		b.Fatal(err)
	}
	deliver := mailparts.DelivererFunc(nil) // never called
	q := &queue.Queue{Spool: spool, Routes: queue.Routes{"example.test": deliver}}
	s := &smtp.Server{Hostname: "mx.example.test", Receiver: q, MaxConnsPerAddr: -1}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go s.Serve(l)
	b.Cleanup(func() {
		s.Close()
		spool.Close()
	})
	return l.Addr().String()
}
