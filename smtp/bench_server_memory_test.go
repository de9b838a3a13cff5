package smtp_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// scripted is a connection without a network: its peer sends group after group of
// octets, each when the one before has been read, and takes all replies. It counts
// the calls that would be system calls.
type scripted struct {
	group         func(i int) string // "" is the end
	text          string             // of the group, not read yet
	i             int
	reads, writes int
	refused       string
	closed        chan struct{}
}

func (c *scripted) Read(p []byte) (int, error) {
	c.reads++
	if c.text == "" {
		c.text = c.group(c.i)
		c.i++
	}
	if c.text == "" {
		return 0, io.EOF
	}
	n := copy(p, c.text)
	c.text = c.text[n:]
	return n, nil
}

func (c *scripted) Write(p []byte) (int, error) {
	c.writes++
	if p[0] > '3' {
		c.refused = string(p)
	}
	return len(p), nil
}

func (c *scripted) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

func (*scripted) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }
func (*scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }

// once is a net.Listener with one connection.
type once struct {
	conns chan net.Conn
	end   chan struct{}
}

func (l once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.end:
		return nil, net.ErrClosed
	}
}

func (l once) Close() error   { return nil }
func (l once) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

// serveScript runs a server for one scripted connection, to its end.
func serveScript(b testing.TB, serve func(net.Listener) error, group func(i int) string) *scripted {
	b.Helper()
	c := &scripted{group: group, closed: make(chan struct{})}
	l := once{make(chan net.Conn, 1), make(chan struct{})}
	l.conns <- c
	served := make(chan error, 1)
	go func() { served <- serve(l) }()
	<-c.closed
	close(l.end)
	<-served
	if c.refused != "" {
		b.Fatalf("refused: %q", c.refused)
	}
	return c
}

func benchServer() *smtp.Server {
	return &smtp.Server{Receiver: mailparts.AsReceiver(discard), Hostname: "localhost", MaxMessageBytes: -1}
}

func benchGoSMTP() *gosmtp.Server {
	s := gosmtp.NewServer(goSMTPBackend{})
	s.Domain = "localhost"
	s.EnableBINARYMIME = true
	return s
}

// serveBoth runs one script on our server and on go-smtp's.
func serveBoth(b *testing.B, f func(b *testing.B, serve func(net.Listener) error)) {
	b.Run("mailparts", func(b *testing.B) {
		s := benchServer()
		s.Extensions = []string{"BINARYMIME"}
		f(b, s.Serve)
	})
	b.Run("go-smtp", func(b *testing.B) { f(b, benchGoSMTP().Serve) })
}

// block is 256 KB of lines.
const blockSize = 78 * 3361

var block = strings.Repeat(strings.Repeat("x", 76)+"\r\n", 3361)

// BenchmarkDataBody is the octets of one big message by DATA.
func BenchmarkDataBody(b *testing.B) {
	serveBoth(b, func(b *testing.B, serve func(net.Listener) error) {
		b.SetBytes(blockSize)
		serveScript(b, serve, func(i int) string {
			switch i {
			case 0:
				return "EHLO localhost\r\n"
			case 1:
				return toDATA
			case b.N + 2:
				return ".\r\n"
			case b.N + 3:
				return ""
			}
			return block
		})
	})
}

// BenchmarkBDATBody is the octets of one big message by BDAT, in chunks of 256 KB:
// a text, whose line ends are looked at, and a BINARYMIME message.
func BenchmarkBDATBody(b *testing.B) {
	for name, param := range map[string]string{"text": "", "binary": " BODY=BINARYMIME"} {
		chunk := fmt.Sprintf("BDAT %d\r\n%s", blockSize, block)
		b.Run(name, func(b *testing.B) {
			serveBoth(b, func(b *testing.B, serve func(net.Listener) error) {
				b.SetBytes(blockSize)
				serveScript(b, serve, func(i int) string {
					switch i {
					case 0:
						return "EHLO localhost\r\n"
					case 1:
						return "MAIL FROM:<a@example.org>" + param + "\r\nRCPT TO:<b@example.com>\r\n"
					case b.N + 2:
						return "BDAT 0 LAST\r\n"
					case b.N + 3:
						return ""
					}
					return chunk
				})
			})
		})
	}
}

// BenchmarkTransaction is messages of 1 KB, pipelined as far as RFC 2920 lets a
// client: to DATA, and by BDAT with its chunk.
func BenchmarkTransaction(b *testing.B) {
	text := strings.Repeat(strings.Repeat("x", 62)+"\r\n", 16)
	b.Run("DATA", func(b *testing.B) {
		benchTransactions(b, []string{toDATA, text + ".\r\n"})
	})
	b.Run("BDAT", func(b *testing.B) {
		benchTransactions(b, []string{fmt.Sprintf("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT %d LAST\r\n%s", len(text), text)})
	})
}

func benchTransactions(b *testing.B, groups []string) {
	serveBoth(b, func(b *testing.B, serve func(net.Listener) error) {
		b.ReportAllocs()
		c := serveScript(b, serve, func(i int) string {
			if i == 0 {
				return "EHLO localhost\r\n"
			}
			if i--; i == b.N*len(groups) {
				return ""
			}
			return groups[i%len(groups)]
		})
		b.ReportMetric(float64(c.reads+c.writes)/float64(b.N), "syscalls/msg")
	})
}
