package dnscheck

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	maxLine  = 512 // octets of a reply line: RFC 5321 section 4.5.3.1.5
	maxLines = 50  // of a greeting

	quitTimeout = 5 * time.Second
)

// greet reads the greeting of the server at addr. Ok means that it is one.
func (r *run) greet(ctx context.Context, addr netip.Addr, s *subject) (text string, ok bool) {
	r.slots <- struct{}{}
	defer func() { <-r.slots }()
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	conn, err := r.Dial(ctx, "tcp", net.JoinHostPort(addr.String(), "25"))
	if err != nil {
		if isTimeout(err) {
			s.find(Timeout, "There was no connection to %s within %v.", addr, r.Timeout)
		} else {
			s.find(Unreachable, "There is no connection to %s: %s.", addr, printable(err.Error()))
		}
		return "", false
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()

	replies := bufio.NewReaderSize(conn, maxLine)
	code, text, err := readReply(replies)
	switch {
	case isTimeout(err):
		s.find(Timeout, "The server at %s gave no greeting within %v.", addr, r.Timeout)
		return "", false
	case err != nil:
		s.find(Not220, "The server at %s gave no greeting: %v.", addr, err)
		return "", false
	}
	quit(ctx, conn, replies)
	if code != "220" {
		s.find(Not220, "The server at %s greets with %q.", addr, code+" "+text)
		return "", false
	}
	return text, true
}

// quit ends the session, also where the server has refused one (RFC 5321 sections
// 3.1 and 4.1.1.10).
func quit(ctx context.Context, conn net.Conn, replies *bufio.Reader) {
	conn.SetDeadline(time.Now().Add(quitTimeout))
	if ctx.Err() != nil {
		return
	}
	if _, err := io.WriteString(conn, "QUIT\r\n"); err == nil {
		readReply(replies)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.Timeout()
}

// readReply reads a reply of one line or many, and returns the text of the first.
func readReply(r *bufio.Reader) (code, text string, err error) {
	for range maxLines {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", "", fmt.Errorf("a line of more than %d octets", maxLine)
		case errors.Is(err, io.EOF):
			return "", "", errors.New("the connection was closed")
		case err != nil:
			return "", "", err
		}
		line = bytes.TrimRight(line, "\r\n")
		if !isReply(line) || code != "" && code != string(line[:3]) {
			return "", "", fmt.Errorf("%q is no reply", printable(string(line)))
		}
		if code == "" {
			code = string(line[:3])
			if len(line) > 4 {
				text = printable(string(line[4:]))
			}
		}
		if len(line) == 3 || line[3] == ' ' {
			return code, text, nil
		}
	}
	return "", "", fmt.Errorf("more than %d lines", maxLines)
}

// isReply reports whether line begins as the Reply-line of RFC 5321 section 4.2
// does.
func isReply(line []byte) bool {
	return len(line) >= 3 && '2' <= line[0] && line[0] <= '5' &&
		'0' <= line[1] && line[1] <= '9' && '0' <= line[2] && line[2] <= '9' &&
		(len(line) == 3 || line[3] == ' ' || line[3] == '-')
}

// printable is s with a "?" for what could do harm to a terminal or a log.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f {
			return '?'
		}
		return c
	}, s)
}
