package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/sasl"
)

// imapTwin is an IMAP server that is measured, on a Maildir of its own with the same
// messages as the other's.
type imapTwin struct {
	testing.TB // the row's
	all        testing.TB
	addr       string
	tree       string // alice's Maildir
	restart    func() // nil: it has a process for each session
	c          *imapConn
}

// imapTwins are ours and Dovecot, on INBOXes of n messages.
func imapTwins(b testing.TB, n int) (ours, theirs *imapTwin) {
	b.Helper()
	roots := [2]string{folder(b), folder(b)}
	fillTwins(b, filepath.Join(roots[0], "alice"), filepath.Join(roots[1], "alice"), n)
	backend := &swapped{root: roots[0]}
	backend.restart()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &imap.Server{Backend: backend, Auth: sasl.AuthenticatorFunc(anyAlice), AllowInsecureAuth: true}
	go s.Serve(l)
	b.Cleanup(func() { s.Close() })
	d := dovecot(b, roots[1], "mail_max_userip_connections = 1000")
	return &imapTwin{TB: b, all: b, addr: l.Addr().String(), tree: filepath.Join(roots[0], "alice"), restart: backend.restart},
		&imapTwin{TB: b, all: b, addr: d.imapAddr, tree: filepath.Join(roots[1], "alice")}
}

func anyAlice(_ context.Context, c *sasl.Credentials) (string, error) {
	if c.User != "alice" || c.Password != "secret" {
		return "", sasl.ErrDenied
	}
	return c.User, nil
}

// swapped is a maildir.Backend that forgets all that it knows at a restart, as a new
// process would.
type swapped struct {
	root string
	now  atomic.Pointer[maildir.Backend]
}

func (s *swapped) restart() { s.now.Store(&maildir.Backend{Root: s.root}) }

// Open implements mailparts.Backend.
func (s *swapped) Open(ctx context.Context, user string) (mailparts.Store, error) {
	return s.now.Load().Open(ctx, user)
}

// fillTwins makes two Maildirs of the same files, as Dovecot would have left them. An
// hour ago is when somebody changed them last.
func fillTwins(b testing.TB, one, other string, n int) {
	b.Helper()
	for _, dir := range []string{one, other} {
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
				b.Fatal(err)
			}
		}
	}
	for i := range n {
		text := imapMessage(i)
		lines := bytes.Count(text, []byte("\n"))
		flags := "S"
		if i%10 == 9 {
			flags = "" // one of ten is unseen
		}
		name := fmt.Sprintf("%d.M%dP4711Q%d.mail.example.org,S=%d,W=%d:2,%s", 1700000000+i, i%1000000, i, len(text), len(text)+lines, flags)
		file := filepath.Join(one, "cur", name)
		if err := errors.Join(os.WriteFile(file, text, 0o644), os.Link(file, filepath.Join(other, "cur", name))); err != nil {
			b.Fatal(err)
		}
	}
	hourAgo := time.Now().Add(-time.Hour)
	for _, dir := range []string{one, other} {
		for _, sub := range []string{"cur", "new", "tmp"} {
			if err := os.Chtimes(filepath.Join(dir, sub), hourAgo, hourAgo); err != nil {
				b.Fatal(err)
			}
		}
	}
}

var imapWords = strings.Fields("the quick brown fox jumps over lazy dog while mail servers exchange letters between distant hosts and queue them again")

// imapMessage is like those of the bench imapbench: of five, one has an attachment.
func imapMessage(i int) []byte {
	rnd := rand.New(rand.NewSource(int64(i)))
	var b bytes.Buffer
	day, min, sec := 1+i%28, i%60, i*7%60
	fmt.Fprintf(&b, "Return-Path: <s%d@example.net>\nReceived: from mx%d.example.net (mx%[2]d.example.net [192.0.2.%[3]d])\n\tby mail.example.org (Postfix) with ESMTPS id %08[4]X\n\tfor <user@example.org>; Mon, %02[5]d Mar 2025 10:%02[6]d:%02[7]d +0000 (UTC)\n", i%97, i%9, i%250, i, day, min, sec)
	re := ""
	if i%3 == 0 {
		re = "Re: "
	}
	fmt.Fprintf(&b, "From: \"Sender %d\" <s%[1]d@example.net>\nTo: User <user@example.org>, \"Other, %[2]d\" <o%[2]d@example.org>\nSubject: %[3]sMessage number %[4]d about topic %[5]d\nDate: Mon, %02[6]d Mar 2025 10:%02[7]d:%02[8]d +0000\nMessage-ID: <m%[4]d@example.net>\n", i%97, i%13, re, i, i%50, day, min, sec)
	if i%3 == 0 && i > 10 {
		fmt.Fprintf(&b, "In-Reply-To: <m%d@example.net>\nReferences: <m%d@example.net> <m%[1]d@example.net>\n", i-3, i-6)
	}
	b.WriteString("MIME-Version: 1.0\n")
	text := func(n int) {
		for end := b.Len() + n; b.Len() < end; {
			for range 11 {
				b.WriteString(imapWords[rnd.Intn(len(imapWords))])
				b.WriteByte(' ')
			}
			b.WriteByte('\n')
		}
	}
	if i%5 != 0 {
		b.WriteString("Content-Type: text/plain; charset=utf-8\n\n")
		text(3000)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n--b%[1]d\nContent-Type: multipart/alternative; boundary=c%[1]d\n\n--c%[1]d\nContent-Type: text/plain; charset=utf-8\n\n", i)
	text(1500)
	fmt.Fprintf(&b, "--c%d\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>", i)
	text(2000)
	fmt.Fprintf(&b, "</p>\n--c%d--\n--b%[1]d\nContent-Type: application/pdf; name=\"f%[1]d.pdf\"\nContent-Disposition: attachment; filename=\"f%[1]d.pdf\"\nContent-Transfer-Encoding: base64\n\n", i)
	for range 200 {
		for range 76 {
			b.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[rnd.Intn(64)])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "--b%d--\n", i)
	return b.Bytes()
}

// open logs in anew.
func (t *imapTwin) open() {
	t.Helper()
	t.hangUp()
	t.c = dialTwin(t)
}

func (t *imapTwin) hangUp() {
	if t.c != nil {
		t.c.do("LOGOUT")
		t.c.conn.Close()
		t.c = nil
	}
}

// begin has the server know nothing but what is on disk: no session is left.
func (t *imapTwin) begin() {
	t.hangUp()
	if t.restart != nil {
		t.restart()
	}
}

// forget takes that away, too.
func (t *imapTwin) forget() {
	t.begin()
	for _, pattern := range []string{"dovecot*", "mailparts*"} {
		files, _ := filepath.Glob(filepath.Join(t.tree, pattern))
		for _, f := range files {
			os.Remove(f)
		}
	}
}

// imapConn is a client that looks at no more than it must: where literals and responses
// end.
type imapConn struct {
	testing.TB
	conn   net.Conn
	r      *bufio.Reader
	octets int64 // that came
}

func dialTwin(t *imapTwin) *imapConn {
	t.Helper()
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.all.Cleanup(func() { conn.Close() })
	c := &imapConn{TB: t.TB, conn: conn, r: bufio.NewReaderSize(conn, 1<<20)}
	if _, err := c.r.ReadSlice('\n'); err != nil {
		t.Fatal(err)
	}
	c.do("LOGIN alice secret")
	return c
}

// do runs a command, and returns the last line of its untagged responses that has the text
// of keep.
func (c *imapConn) do(command string, keep ...string) string {
	c.Helper()
	c.send("a " + command + "\r\n")
	return c.wait(command, keep...)
}

func (c *imapConn) send(text string) {
	c.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.Fatal(err)
	}
}

// wait reads until a command's end, or with keep no more than one line that begins "* "
// and has it.
func (c *imapConn) wait(command string, keep ...string) (kept string) {
	c.Helper()
	for {
		line := c.line()
		switch {
		case bytes.HasPrefix(line, []byte("a ")):
			if !bytes.HasPrefix(line, []byte("a OK")) {
				c.Fatalf("%.80s: %s", command, line)
			}
			return kept
		case len(keep) > 0 && bytes.Contains(line, []byte(keep[0])):
			kept = string(line)
		}
	}
}

// line reads a line; of one that is long the end. A literal at its end is skipped.
func (c *imapConn) line() []byte {
	c.Helper()
	line, err := c.r.ReadSlice('\n')
	for err == bufio.ErrBufferFull {
		c.octets += int64(len(line))
		line, err = c.r.ReadSlice('\n')
	}
	if err != nil {
		c.Fatal(err)
	}
	c.octets += int64(len(line))
	if text, ok := bytes.CutSuffix(line, []byte("}\r\n")); ok {
		if i := bytes.LastIndexByte(text, '{'); i >= 0 {
			if n, err := strconv.Atoi(string(text[i+1:])); err == nil {
				if _, err := c.r.Discard(n); err != nil {
					c.Fatal(err)
				}
				c.octets += int64(n)
				return nil
			}
		}
	}
	return line
}

// awaitLine reads until a line that has a text.
func (c *imapConn) awaitLine(text string) {
	c.Helper()
	for !bytes.Contains(c.line(), []byte(text)) {
	}
}

// appendTo appends a message, after it was asked for.
func (c *imapConn) appendTo(mailbox, text string) {
	c.Helper()
	c.send(fmt.Sprintf("a APPEND %s {%d}\r\n", mailbox, len(text)))
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			c.Fatal(err)
		}
		if line[0] == '+' {
			break
		}
		if line[0] != '*' {
			c.Fatalf("APPEND: %s", line)
		}
	}
	c.send(text + "\r\n")
	c.wait("APPEND")
}

// median of durations, in milliseconds.
func median(ds []time.Duration) float64 {
	slices.Sort(ds)
	return float64(ds[len(ds)/2].Microseconds()) / 1000
}
