package smtp_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts/smtp"
)

// countingListener counts the writes of the server's ends.
type countingListener struct {
	net.Listener
	writes *atomic.Int32
}

type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.writes}, err
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// dialCounted is dialServer, with a count of the server's writes.
func dialCounted(t *testing.T, s *smtp.Server) (*wire, *atomic.Int32) {
	t.Helper()
	s.Hostname = "mx.example.com"
	writes := new(atomic.Int32)
	return connectTo(t, listen(t, s, func(l net.Listener) error { return s.Serve(countingListener{l, writes}) })), writes
}

// RFC 2920 section 3.2: replies go out in one write when the input is drained.
// go-smtp needs 21 writes for MAIL and 20 RCPT.
func TestPipelinedCommandsAreOneWrite(t *testing.T) {
	for _, test := range []struct {
		name, send string
		replies    int
		writes     int32
	}{
		{"MAIL and 20 RCPT", "MAIL FROM:<a@example.org>\r\n" + strings.Repeat("RCPT TO:<b@example.com>\r\n", 20), 21, 1},
		{"a whole message but for DATA", "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n", 3, 1},
		{"the start of another command", "RSET\r\nRSET\r\nNO", 2, 1},
		{"errors", "AUTH\r\nRCPT\r\nDATA\r\n", 3, 1},
		{"QUIT", "RSET\r\nQUIT\r\n", 2, 1},
		// What must be the last of a group (section 3.1) is answered at once: items 5 and 6.
		{"NOOP", "NOOP\r\nNOOP\r\nRSET\r\n", 3, 3},
		{"HELO", "HELO client.example.org\r\nMAIL FROM:<a@example.org>\r\n", 2, 2},
		{"VRFY and EXPN", "VRFY a\r\nEXPN b\r\nRSET\r\n", 3, 3},
		{"an unknown command", "FOO\r\nRSET\r\n", 2, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, writes := dialCounted(t, &smtp.Server{Receiver: new(inbox)})
				c.play(t, "G: EHLO")
				synctest.Wait()
				writes.Store(0)
				c.send(t, test.send)
				for range test.replies {
					c.line(t)
				}
				synctest.Wait()
				if got := writes.Load(); got != test.writes {
					t.Errorf("%d writes, want %d", got, test.writes)
				}
			})
		})
	}
}

// A client that sends everything at once is served, as long as nothing is refused.
func TestEagerClient(t *testing.T) {
	b := new(inbox)
	c := dialServer(t, &smtp.Server{Receiver: b})
	c.send(t, "EHLO client.example.org\r\n"+strings.Repeat("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhello\r\n.\r\n", 3)+"QUIT\r\n")
	c.play(t, "S: 220 ...")
	for strings.HasPrefix(c.line(t), "250-") {
	}
	c.play(t, strings.Repeat(`
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`, 3)+`
		S: 221 ...
		S!
	`)
	if b.count() != 3 {
		t.Errorf("%d messages", b.count())
	}
}
