package smtp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const clientChunk = 128 << 10 // as the client cuts

// chunked is a server that takes messages by BDAT.
type chunked struct {
	extensions []string
	lmtp       bool
	reply      func(n int, last bool) string // to chunk n of a message; nil: 250
	done       chan struct{}

	said     []string // commands
	content  strings.Builder
	messages []string
}

func (s *chunked) start(t testing.TB) *smtp.Dialer {
	l := mailtest.NewListener()
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		if err := s.serve(nc); err != nil && err != io.EOF {
			t.Errorf("server: %v", err)
		}
	}()
	t.Cleanup(func() { l.Close(); <-s.done })
	return &smtp.Dialer{NetDial: l.Dial, LMTP: s.lmtp}
}

func (s *chunked) serve(nc net.Conn) error {
	r := bufio.NewReader(nc)
	io.WriteString(nc, "220 mx\r\n")
	n, rcpts := 0, 0
	for {
		l, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		l = strings.TrimSuffix(l, "\r\n")
		s.said = append(s.said, l)
		verb, arg, _ := strings.Cut(l, " ")
		reply := "250 ok\r\n"
		switch verb {
		case "EHLO", "LHLO":
			reply = "250-mx\r\n250-CHUNKING\r\n250 " + strings.Join(append([]string{"SIZE"}, s.extensions...), "\r\n250 ") + "\r\n"
			reply = strings.Replace(reply, "250 SIZE\r\n250 ", "250-SIZE\r\n250 ", 1)
		case "MAIL", "RSET":
			s.content.Reset()
			n, rcpts = 0, 0
		case "RCPT":
			rcpts++
		case "BDAT":
			size, last := 0, strings.HasSuffix(arg, " LAST")
			fmt.Sscan(arg, &size)
			if _, err := io.CopyN(&s.content, r, int64(size)); err != nil {
				return err
			}
			if s.reply != nil {
				reply = s.reply(n, last) + "\r\n"
			}
			if n++; last && strings.HasPrefix(reply, "250") {
				s.messages = append(s.messages, s.content.String())
			}
			if last && s.lmtp {
				reply = strings.Repeat(reply, rcpts)
			}
		}
		if _, err := io.WriteString(nc, reply); err != nil {
			return err
		}
	}
}

// lines is a message of n octets.
func lines(n int) string {
	const l = "a line of a message, and then one more, and so on until it is enough.\r\n"
	return strings.Repeat(l, n/len(l)+1)[:n-2] + "\r\n"
}
