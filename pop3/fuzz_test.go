package pop3_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// FuzzSession sends whatever octets to a session. It must not panic or hang, must
// answer with lines that POP3 knows, and must not remove a message without QUIT.
func FuzzSession(f *testing.F) {
	const login = "USER alice\r\nPASS open sesame\r\n"
	for _, seed := range []string{
		"",
		"QUIT\r\n",
		login + "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nTOP 1 0\r\nDELE 1\r\nRSET\r\nNOOP\r\nQUIT\r\n",
		login + "DELE 1\r\nDELE 2\r\n",
		login + "LIST 1\nUIDL 2\r\r\nRETR 00000000000000000000001\r\nTOP 1 99999999999\r\n",
		"AUTH PLAIN AGFsaWNlAG9wZW4gc2VzYW1l\r\nDELE 2\r\nQUIT\r\n",
		"AUTH PLAIN\r\nAGFsaWNlAG9wZW4gc2VzYW1l\r\nSTAT\r\n",
		"AUTH LOGIN\r\n*\r\nAUTH LOGIN =\r\nCAPA\r\nSTLS\r\nCAPA\r\n",
		"USER " + strings.Repeat("x", 300) + "\r\nPASS\r\n\x00\xff\r\n",
		"1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n10\r\n11\r\n",
	} {
		f.Add([]byte(seed))
	}
	status := regexp.MustCompile(`^(\+OK( [ -~]*)?|-ERR [ -~]+|\+ [A-Za-z0-9+/]*=*)$`)
	quit := regexp.MustCompile(`(?i)QUIT *\r\n`)
	f.Fuzz(func(t *testing.T, input []byte) {
		r := startMemory(t, nil)
		r.fill("Subject: x\r\n\r\n.\r\n", "y")
		nc, err := r.connect()
		if err != nil {
			t.Fatal(err)
		}
		nc.SetDeadline(time.Now().Add(10 * time.Second))
		go func() {
			nc.Write(input)
			nc.(interface{ CloseWrite() error }).CloseWrite()
		}()
		checkReplies(t, nc, status)
		r.Close()
		if n := r.left(); n != 2 && !quit.Match(input) {
			t.Errorf("%d messages left without QUIT", n)
		}
	})
}

// checkReplies reads all that a server says until it closes. First lines of
// replies must match status; a line that does not must be inside a multi-line
// reply, which comes to its end.
func checkReplies(t *testing.T, c net.Conn, status *regexp.Regexp) {
	for r, multi := bufio.NewReader(c), false; ; {
		l, err := r.ReadBytes('\n')
		if err == io.EOF && len(l) == 0 {
			if multi {
				t.Error("a multi-line reply has no end")
			}
			return
		}
		if err != nil {
			t.Fatalf("after %q: %v", l, err)
		}
		l, ok := bytes.CutSuffix(l, []byte("\r\n"))
		switch {
		case !ok:
			t.Errorf("a line without CRLF: %q", l)
		case string(l) == ".":
			multi = false
		case !status.Match(l): // a line of the content
			multi = true
		case strings.HasSuffix(string(l), "Internal error"):
			t.Error("the server panicked")
		}
	}
}
