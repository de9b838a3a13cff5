package pop3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
)

// TestSnapshot changes the mailbox under a session: numbers, sizes and ids stay.
func TestSnapshot(t *testing.T) {
	r := start(t, nil)
	r.fill("one\r\n", "three\r\n", "seven\r\n")
	c := r.login()
	r.fill("new\r\n")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 2, Last: 2}}, ""); err != nil {
		t.Fatal(err)
	}
	c.talk(`
		C: LIST
		S: +OK 3 messages (19 octets)
		S: 1 5
		S: 2 7
		S: 3 7
		S: .
		C: RETR 2
		S: -ERR No such message
		C: TOP 2 1
		S: -ERR No such message
		C: RETR 3
		S: +OK 7 octets
		S: seven
		S: .
		C: RETR 4
		S: -ERR No such message
		C: DELE 2
		S: +OK Message 2 deleted
		C: DELE 3
		S: +OK Message 3 deleted
		C: QUIT
		S: +OK ...`)
	r.login().talk(`
		C: UIDL
		S: +OK 2 messages (10 octets)
		S: 1 1.1
		S: 2 1.4
		S: .`)
}

// TestDropDeletesNothing ends sessions in every way but QUIT.
func TestDropDeletesNothing(t *testing.T) {
	const mark = "C: DELE 1\nS: +OK Message 1 deleted\n"
	for _, test := range []struct {
		name string
		end  func(r *rig, c *client)
	}{
		{"the client closes", func(r *rig, c *client) { c.Close() }},
		{"in the middle of QUIT", func(r *rig, c *client) { c.send("QUIT"); c.Close() }},
		{"QUIT ends with LF", func(r *rig, c *client) { c.send("QUIT\n"); c.Close() }},
		{"too many errors", func(r *rig, c *client) {
			c.send(strings.Repeat("XYZZY\r\n", 10))
			for range 10 {
				c.expect("-ERR Unknown command...")
			}
			c.eof()
		}},
		{"Shutdown", func(r *rig, c *client) { r.Shutdown(t.Context()) }},
		{"Close", func(r *rig, c *client) { r.Close() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := start(t, nil)
			r.fill("x\r\n")
			c := r.login()
			c.talk(mark)
			test.end(r, c)
			r.waitUnlocked() // the session is over
			if n := r.left(); n != 1 {
				t.Errorf("%d messages left, want 1", n)
			}
		})
	}
}

// waitUnlocked waits until no session has the maildrop.
func (r *rig) waitUnlocked() {
	r.t.Helper()
	unlock, err := r.inbox.(mailparts.Locker).Lock(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	unlock()
}

// migrated is a mailbox with unique-ids of an earlier server.
type migrated struct {
	mailparts.Mailbox
	ids  map[mailparts.UID]string
	errs *[]error // that the next calls yield
}

func (m migrated) UIDLs(context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) {
		for uid, id := range m.ids { // in no order
			if !yield(mailparts.UIDL{UID: uid, ID: id}, nil) {
				return
			}
		}
		if m.errs != nil && len(*m.errs) > 0 {
			err := (*m.errs)[0]
			*m.errs = (*m.errs)[1:]
			yield(mailparts.UIDL{}, err)
		}
	}
}

func TestMigratedUniqueIDs(t *testing.T) {
	ids := map[mailparts.UID]string{
		1:  "0000000a4f3b2c1d",
		2:  strings.Repeat("~", 70),
		3:  strings.Repeat("~", 71), // too long
		4:  "with space",
		5:  "",
		6:  "1.7", // what message 7 has
		8:  "8\r\n.",
		9:  "ü",
		99: "of a message that is gone",
	}
	r := start(t, func(s *pop3.Server) {
		s.Backend = wrapped{s.Backend, func(mb mailparts.Mailbox) mailparts.Mailbox { return migrated{mb, ids, nil} }}
	})
	for range 9 {
		r.fill("x\r\n")
	}
	c := r.login()
	for range 2 {
		c.talk(`
			C: UIDL
			S: +OK 9 messages (27 octets)
			S: 1 0000000a4f3b2c1d
			S: 2 ` + strings.Repeat("~", 70) + `
			S: 3 1.3
			S: 4 1.4
			S: 5 1.5
			S: 6 1.6
			S: 7 1.7
			S: 8 1.8
			S: 9 1.9
			S: .
			C: UIDL 1
			S: +OK 1 0000000a4f3b2c1d`)
	}
}

// TestUniqueIDsFail: a client that got other unique-ids for once would download
// all again, so it gets none.
func TestUniqueIDsFail(t *testing.T) {
	errs := []error{errors.New("the disk is on fire"), errors.ErrUnsupported}
	r := start(t, func(s *pop3.Server) {
		s.Backend = wrapped{s.Backend, func(mb mailparts.Mailbox) mailparts.Mailbox {
			return migrated{mb, map[mailparts.UID]string{1: "kept"}, &errs}
		}}
	})
	r.fill("x\r\n")
	r.login().talk(`
		C: UIDL
		S: -ERR [SYS/TEMP] Temporary failure, please try again later
		C: UIDL
		S: +OK 1 messages (3 octets)
		S: 1 kept
		S: .
		C: UIDL 1
		S: +OK 1 kept`)
}

// TestOctets retrieves messages that are hard to frame, and compares.
func TestOctets(t *testing.T) {
	for _, text := range []string{
		"",
		"\r\n",
		".",
		".\r\n",
		"no end",
		"Subject: x\r\n\r\n.\r\n..\r\n...\r\n.x\r\n",
		"a CR\r alone\r\r\n\r.\r\n",
		"the last is CR\r",
		"8 bits \xff\x00\x80\r\n",
		strings.Repeat("x", 100000),
		strings.Repeat(".\r\n", 30000),
		strings.Repeat("0123456789abcdefghij\r\n", 50000),
	} {
		r := start(t, nil)
		r.fill(text)
		c := r.login()
		c.talk(fmt.Sprintf("C: RETR 1\nS: +OK %d octets", len(text)))
		got := c.message()
		want := text
		if !strings.HasSuffix(text, "\r\n") && text != "" {
			want += "\r\n" // a multi-line reply has whole lines only
		}
		if got != want {
			t.Errorf("%.40q came back as %.40q", want, got)
		}
		c.talk("C: NOOP\nS: +OK")
	}
}

// message reads the rest of a multi-line reply and takes out the dots.
func (c *client) message() string {
	c.t.Helper()
	var b bytes.Buffer
	for {
		l, err := c.r.ReadBytes('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if string(l) == ".\r\n" {
			return b.String()
		}
		b.Write(bytes.TrimPrefix(l, []byte(".")))
	}
}

// TestTop cuts messages at all places, whatever the size of the blocks in which
// the store yields them.
func TestTop(t *testing.T) {
	for _, test := range []struct {
		name, text string
		tops       []string // for 0, 1, 2, ... lines
	}{
		{"usual", "A: 1\r\nB: 2\r\n\r\nx\r\n\r\ny\r\n", []string{"A: 1\r\nB: 2\r\n\r\n", "A: 1\r\nB: 2\r\n\r\nx\r\n", "A: 1\r\nB: 2\r\n\r\nx\r\n\r\n", "A: 1\r\nB: 2\r\n\r\nx\r\n\r\ny\r\n", "A: 1\r\nB: 2\r\n\r\nx\r\n\r\ny\r\n"}},
		{"no header", "\r\nx\r\ny\r\n", []string{"\r\n", "\r\nx\r\n"}},
		{"no body", "A: 1\r\n\r\n", []string{"A: 1\r\n\r\n", "A: 1\r\n\r\n"}},
		{"no empty line", "A: 1\r\nB: 2\r\n", []string{"A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"}},
		{"a line of one octet", "A\r\n\r\nx\r\n", []string{"A\r\n\r\n"}},
		{"CR is no line", "A: 1\r\r\n\rB: 2\r\n\r\nx\r\n", []string{"A: 1\r\r\n\rB: 2\r\n\r\n"}},
		{"last line without an end", "A: 1\r\n\r\nx\r\ny", []string{"A: 1\r\n\r\n", "A: 1\r\n\r\nx\r\n", "A: 1\r\n\r\nx\r\ny\r\n"}},
	} {
		for _, block := range []int{1, 2, 3, 5, 4096} {
			r := startFaulty(t, &faulty{body: func(body io.ReadCloser) (io.ReadCloser, error) {
				return broken{blocks{body, block}, body}, nil
			}})
			r.fill(test.text)
			c := r.login()
			for n, want := range test.tops {
				c.talk(fmt.Sprintf("C: TOP 1 %d\nS: +OK Top of message follows", n))
				if got := c.message(); got != want {
					t.Errorf("%s: TOP 1 %d in blocks of %d is %q, want %q", test.name, n, block, got, want)
				}
			}
		}
	}
}

// blocks yields at most n octets per Read.
type blocks struct {
	r io.Reader
	n int
}

func (b blocks) Read(p []byte) (int, error) { return b.r.Read(p[:min(len(p), b.n)]) }

// TestTopReadsNoMore counts what TOP takes of a large message.
func TestTopReadsNoMore(t *testing.T) {
	var read int
	r := startFaulty(t, &faulty{body: func(body io.ReadCloser) (io.ReadCloser, error) {
		return broken{counting{body, &read}, body}, nil
	}})
	r.fill("Subject: x\r\n\r\n" + strings.Repeat("0123456789\r\n", 100000))
	c := r.login()
	c.talk("C: TOP 1 10\nS: +OK ...")
	c.message()
	if read > 32<<10 {
		t.Errorf("TOP 1 10 read %d octets", read)
	}
}

type counting struct {
	r io.Reader
	n *int
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	*c.n += n
	return n, err
}

// TestLargeMaildrop streams 10,000 messages, pipelined.
func TestLargeMaildrop(t *testing.T) {
	const messages = 10000
	r := start(t, nil)
	for i := range messages {
		r.fill(fmt.Sprintf("Subject: %d\r\n\r\n.%d\r\n", i+1, i+1))
	}
	c := r.login()
	c.talk("C: LIST\nC: UIDL\nS: +OK 10000 messages ...")
	for i := range messages {
		c.expect(fmt.Sprintf("%d %d", i+1, len(fmt.Sprintf("Subject: %d\r\n\r\n.%d\r\n", i+1, i+1))))
	}
	c.talk("S: .\nS: +OK ...")
	for i := range messages {
		c.expect(fmt.Sprintf("%d 1.%d", i+1, i+1))
	}
	c.talk("S: .")
	go func() {
		for i := range messages {
			fmt.Fprintf(c.Conn, "RETR %d\r\nDELE %d\r\n", i+1, i+1)
		}
		io.WriteString(c.Conn, "QUIT\r\n")
	}()
	for i := range messages {
		c.expect("+OK ...")
		if got, want := c.message(), fmt.Sprintf("Subject: %d\r\n\r\n.%d\r\n", i+1, i+1); got != want {
			t.Fatalf("message %d is %q", i+1, got)
		}
		c.expect("+OK ...")
	}
	c.talk("S: +OK Goodbye, the maildrop has 0 messages (0 octets)\nS: EOF")
	if n := r.left(); n != 0 {
		t.Errorf("%d messages left", n)
	}
}
