package smtp_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/smtp"
)

// A peer that reads nothing before it has sent all hears all the same, over a real
// socket, why the server has hung up.
func TestRefusalReachesAPeerThatSends(t *testing.T) {
	nonsense := strings.Repeat("NONSENSE\r\n", 400_000)
	message := "EHLO client.example.org\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
	for _, test := range []struct {
		name   string
		server *smtp.Server
		tls    bool
		send   string
		want   string // the last line
	}{
		{"too many errors", &smtp.Server{}, false, nonsense, "421 4.7.0 Too many errors, closing the connection"},
		{"under TLS", &smtp.Server{TLSConfig: testTLS()}, true, nonsense, "421 4.7.0 Too many errors, closing the connection"},
		{"refused at the greeting", &smtp.Server{Admit: (&bouncer{at: "greeting", err: errUnwelcome}).admit}, false, nonsense,
			"421 4.7.0 Too many errors, closing the connection"},
		{"421 at the greeting", &smtp.Server{Admit: (&bouncer{at: "greeting", err: errGoAway}).admit}, false, nonsense, "421 4.7.0 Go away"},
		{"far too big a message", &smtp.Server{MaxMessageBytes: 1000}, false,
			message + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 60<<10), "552 5.3.4 The message is too big"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := test.server
			s.Receiver, s.Hostname = new(inbox), "mx.example.com"
			done := make(chan error, 1)
			go func() {
				if test.tls {
					done <- s.ServeTLS(l)
				} else {
					done <- s.Serve(l)
				}
			}()
			defer func() { s.Close(); <-done }()
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			if test.tls {
				nc = tls.Client(nc, &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"})
			}
			defer nc.Close()
			nc.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(nc, test.send); err != nil {
				t.Fatal(err)
			}
			said, err := io.ReadAll(nc)
			lines := strings.Split(strings.TrimRight(string(said), "\r\n"), "\r\n")
			if last := lines[len(lines)-1]; last != test.want || err != nil {
				t.Errorf("heard %q last, and %v", last, err)
			}
		})
	}
}

// Who has said QUIT has heard all, and is not waited for.
func TestQuitDoesNotLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(inbox)
		s := &smtp.Server{Receiver: b, MaxConns: 1}
		l := startServer(t, s)
		c := connectTo(t, l)
		c.play(t, "G: EHLO\nC: QUIT\nS: 221 ...\nS!")
		synctest.Wait()
		connectTo(t, l).play(t, "S: 220 ...")
	})
}
