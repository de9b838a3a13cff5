package smtp_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// What a server says while nobody asks, or that it is gone, is seen before the
// connection is used again: a stray 250 would be taken for the next command's, and
// in the end one for a RCPT for that of a message which the server refuses.
func TestPoolStrayReply(t *testing.T) {
	for name, stray := range map[string]string{"a reply": "250 2.0.0 OK\r\n", "a goodbye": "421 4.4.2 Idle for too long\r\n", "the end": ""} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			conns := make(chan *net.TCPConn, 2)
			go func() {
				for {
					nc, err := l.Accept()
					if err != nil {
						return
					}
					conns <- nc.(*net.TCPConn)
					go takeOneByBDAT(nc, nil)
				}
			}()
			var p smtp.Pool
			defer p.Close()
			d := &smtp.Dialer{Hostname: "client.example", TLS: smtp.TLSNone}
			for n := range 2 {
				if err := p.Deliver(t.Context(), d, l.Addr().String(), letter("b@example.com"), text("hello\r\n")); err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					break
				}
				nc := <-conns
				if fmt.Fprint(nc, stray); stray == "" {
					nc.CloseWrite()
				}
			}
			select {
			case <-conns:
			default:
				t.Error("the second message went over the first connection, which refuses it")
			}
		})
	}
}

// Under TLS what a server says may have come with its last reply, in a record of
// its own that nobody has looked into: then nothing waits at the socket.
func TestPoolStrayRecord(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var conns atomic.Int32
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			cork := &corked{Conn: nc}
			go takeOneByBDAT(tls.Server(cork, testTLS()), cork)
		}
	}()
	var p smtp.Pool
	defer p.Close()
	d := &smtp.Dialer{Hostname: "client.example", TLS: smtp.TLSImplicit, TLSConfig: &tls.Config{RootCAs: testCA(), ServerName: "mx.example.com"}}
	for range 2 {
		if err := p.Deliver(t.Context(), d, l.Addr().String(), letter("b@example.com"), text("hello\r\n")); err != nil {
			t.Error(err)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections: the first one, which refuses a second message, was used for it", n)
	}
}

// corked is a connection that can hold back what is written, to send it at once.
type corked struct {
	net.Conn
	corked bool
	held   []byte
}

func (c *corked) Write(p []byte) (int, error) {
	if c.corked {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *corked) uncork() {
	c.corked = false
	c.Conn.Write(c.held)
}

// takeOneByBDAT is a server that takes one message, by BDAT, and refuses the next.
// With a cork its answer to the first one is two, in one packet.
func takeOneByBDAT(nc net.Conn, cork *corked) {
	defer nc.Close()
	r := bufio.NewReader(nc)
	fmt.Fprint(nc, "220 mx\r\n")
	for taken := false; ; {
		line, err := r.ReadString('\n')
		var size int64
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "EHLO"):
			fmt.Fprint(nc, "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n")
			continue
		case strings.HasPrefix(line, "BDAT"):
			fmt.Sscanf(line, "BDAT %d", &size)
			io.CopyN(io.Discard, r, size)
			if taken {
				fmt.Fprint(nc, "554 no more\r\n")
				continue
			}
			taken = true
			if cork != nil {
				cork.corked = true
				fmt.Fprint(nc, "250 ok\r\n")
				fmt.Fprint(nc, "250 stray\r\n")
				cork.uncork()
				continue
			}
		}
		fmt.Fprint(nc, "250 ok\r\n")
	}
}
