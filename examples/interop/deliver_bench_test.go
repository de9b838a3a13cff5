package interop_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/maildir"
)

// Bursts of deliveries take turns with those of who is measured beside us: a disk's speed
// changes by the minute, and with it every figure but the ratio.
const perBurst = 200

// BenchmarkDeliver is messages of 4 KB delivered durably to one Maildir by LMTP, with
// Postfix's smtp-source as the client. "of-dovecot" is our rate as a multiple of its.
//
//	go test ./examples/interop -run '^$' -bench 'Deliver$' -benchtime 15x
func BenchmarkDeliver(b *testing.B) {
	source := need(b, "smtp-source")[0]
	for _, writers := range []int{1, 16} {
		for _, keep := range []bool{false, true} {
			args := []string{"-L", "-s", strconv.Itoa(writers), "-m", strconv.Itoa(perBurst), "-l", "4096", "-f", "a@example.net", "-t", "alice@example.test"}
			connection := "new"
			if keep {
				args, connection = append(args, "-d"), "kept"
			}
			b.Run(fmt.Sprintf("writers=%d/connection=%s", writers, connection), func(b *testing.B) {
				burst := func(addr string) func() { return func() { run(b, "", source, append(args, addr)...) } }
				takingTurns(b, "dovecot", burst(startDelivering(b)), burst(dovecot(b, folder(b)).lmtp))
			})
		}
	}
}

// BenchmarkDeliverToStore is the same without LMTP, beside what the file system takes for
// a file, its fsync, a rename and an fsync of the folder.
//
//	go test ./examples/interop -run '^$' -bench DeliverToStore -benchtime 15x
func BenchmarkDeliverToStore(b *testing.B) {
	message := strings.Repeat("a line of a message of four kilobytes, by and by\r\n", 82)
	for _, writers := range []int{1, 16} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			mb := ourInbox(b, &maildir.Backend{Root: filepath.Join(folder(b), "mail")})
			files := folder(b)
			for _, sub := range []string{"tmp", "new"} {
				if err := os.Mkdir(filepath.Join(files, sub), 0o700); err != nil {
					b.Fatal(err)
				}
			}
			var n atomic.Int64
			takingTurns(b, "files", func() {
				atOnce(b, writers, func() error {
					_, err := mailparts.Append(context.Background(), mb, mailparts.Incoming{Body: strings.NewReader(message)})
					return err
				})
			}, func() {
				atOnce(b, writers, func() error { return writeDurably(files, fmt.Sprint(n.Add(1)), []byte(message)) })
			})
		})
	}
}

// takingTurns times our bursts and another's.
func takingTurns(b *testing.B, other string, ours, theirs func()) {
	var we, they time.Duration
	n := 0
	for b.Loop() {
		start := time.Now()
		ours()
		we += time.Since(start)
		start = time.Now()
		theirs()
		they += time.Since(start)
		n += perBurst
	}
	b.ReportMetric(float64(n)/we.Seconds(), "messages/s")
	b.ReportMetric(float64(n)/they.Seconds(), other+"/s")
	b.ReportMetric(they.Seconds()/we.Seconds(), "of-"+other)
	b.ReportMetric(0, "ns/op")
}

// atOnce does a burst by several writers.
func atOnce(b *testing.B, writers int, do func() error) {
	var begun atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for begun.Add(1) <= perBurst {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// writeDurably makes a file in tmp/, and moves it to new/.
func writeDurably(dir, name string, text []byte) error {
	f, err := os.Create(filepath.Join(dir, "tmp", name))
	if err != nil {
		return err
	}
	_, werr := f.Write(text)
	if err := cmp.Or(werr, f.Sync(), f.Close(), os.Rename(f.Name(), filepath.Join(dir, "new", name))); err != nil {
		return err
	}
	d, err := os.Open(filepath.Join(dir, "new"))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// startDelivering is our LMTP server on a Maildir.
func startDelivering(b testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	local := &lmtp.Local{Backend: &maildir.Backend{Root: filepath.Join(folder(b), "mail")}, Domains: []string{"example.test"}}
	s := &lmtp.Server{Hostname: "mda.example.test", Receiver: local}
	go s.Serve(l)
	b.Cleanup(func() { s.Close() })
	return l.Addr().String()
}
