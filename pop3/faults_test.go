package pop3_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
)

// TestNoMaildrop is what a user gets whose maildrop cannot be opened. The proof
// was good, so that it is no failed login, and another try is welcome.
func TestNoMaildrop(t *testing.T) {
	const temporary = "-ERR [SYS/TEMP] Temporary failure, please try again later"
	for _, test := range []struct {
		name string
		f    faulty
		want string
	}{
		{"Open", faulty{open: errDisk}, temporary},
		{"Open: no user", faulty{open: mailparts.ErrNoUser}, "-ERR [SYS/PERM] There is no maildrop for this user"},
		{"Open: not permitted", faulty{open: mailparts.ErrPermission}, "-ERR [SYS/PERM] Not permitted"},
		{"Open: with a word", faulty{open: &mailparts.Error{Code: 450, Message: "Moving house", Err: errDisk}}, "-ERR [SYS/TEMP] Moving house"},
		{"Mailbox", faulty{mailbox: errDisk}, temporary},
		{"Mailbox: locked elsewhere", faulty{mailbox: mailparts.ErrLocked}, "-ERR [IN-USE] The maildrop is in use by another session"},
		{"Status", faulty{status: errDisk}, temporary},
		{"Messages", faulty{messages: errDisk}, temporary},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startFaulty(t, &test.f)
			r.fill("one\r\n", "two\r\n")
			c := r.dial()
			for range 4 { // more than MaxLoginFailures, and nothing is left locked
				c.talk("C: USER alice\nS: +OK Send PASS\nC: PASS open sesame\nS: " + test.want + "\nC: STAT\nS: -ERR Not permitted in this state")
			}
		})
	}
	t.Run("no Backend", func(t *testing.T) {
		r := start(t, func(s *pop3.Server) { s.Backend = nil })
		r.dial().talk("C: USER alice\nS: +OK Send PASS\nC: PASS open sesame\nS: " + temporary)
		if log := r.log.String(); !strings.Contains(log, `msg="command failed"`) || !strings.Contains(log, "user=alice ") {
			t.Errorf("the log does not tell whose maildrop it is:\n%s", log)
		}
	})
}

// broken is a body that fails after its first octets.
type broken struct {
	io.Reader
	io.Closer
}

func failAfter(n int64, err error) func(io.ReadCloser) (io.ReadCloser, error) {
	return func(body io.ReadCloser) (io.ReadCloser, error) {
		return broken{io.MultiReader(io.LimitReader(body, n), failing{err}), body}, nil
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestUnreadableMessage finds out in time: the session goes on.
func TestUnreadableMessage(t *testing.T) {
	for _, test := range []struct {
		name string
		body func(io.ReadCloser) (io.ReadCloser, error)
		want string
	}{
		{"gone", func(io.ReadCloser) (io.ReadCloser, error) { return nil, mailparts.ErrNoMessage }, "-ERR No such message"},
		{"Body fails", func(io.ReadCloser) (io.ReadCloser, error) { return nil, errDisk }, "-ERR [SYS/TEMP] Temporary failure, please try again later"},
		{"the first Read fails", failAfter(0, errDisk), "-ERR [SYS/TEMP] Temporary failure, please try again later"},
		{"empty without a word", failAfter(0, io.EOF), "-ERR [SYS/TEMP] Temporary failure, please try again later"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startFaulty(t, &faulty{body: test.body})
			r.fill("Subject: x\r\n\r\ny\r\n")
			r.login().talk("C: RETR 1\nC: TOP 1 1\nC: STAT\nS: " + test.want + "\nS: " + test.want + "\nS: +OK 1 17")
		})
	}
}

// TestTruncatedMessage finds out too late. A truncated message must not come to
// a proper end, and no reply may follow it.
func TestTruncatedMessage(t *testing.T) {
	text := "Subject: x\r\n\r\n" + strings.Repeat("0123456789\r\n", 10000)
	for _, test := range []struct {
		name string
		body func(io.ReadCloser) (io.ReadCloser, error)
	}{
		{"an error", failAfter(50000, errDisk)},
		{"an error at the end of a line", failAfter(14+12*3000, errDisk)},
		{"short without a word", failAfter(50000, io.EOF)},
		{"LF alone", func(body io.ReadCloser) (io.ReadCloser, error) {
			return broken{io.MultiReader(io.LimitReader(body, 60000), strings.NewReader("\n.\n"), body), body}, nil
		}},
		{"a panic", func(body io.ReadCloser) (io.ReadCloser, error) {
			return broken{io.MultiReader(io.LimitReader(body, 50000), panicking{}), body}, nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startFaulty(t, &faulty{body: test.body})
			r.fill(text)
			c := r.login()
			c.talk("C: STAT\nC: DELE 1\nC: RSET\nC: RETR 1\nC: NOOP\nS: +OK ...\nS: +OK ...\nS: +OK ...\nS: +OK ...")
			got, err := io.ReadAll(c.r)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.HasSuffix(got, []byte("\r\n.\r\n")) || bytes.Contains(got, []byte("-ERR")) || bytes.Contains(got, []byte("+OK")) {
				t.Errorf("a truncated message ends with %q", got[len(got)-20:])
			}
			if !bytes.HasPrefix([]byte(text), got[:min(len(got), 30000)]) {
				t.Error("what came is not the beginning of the message")
			}
		})
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic(errPanic) }

// TestFailedUpdate is QUIT when nothing can be removed.
func TestFailedUpdate(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errDisk, "-ERR [SYS/TEMP] Some deleted messages were not removed"},
		{mailparts.ErrReadOnly, "-ERR [SYS/PERM] Some deleted messages were not removed"},
	} {
		r := startFaulty(t, &faulty{expunge: func(mailparts.UIDSet) error { return test.err }})
		r.fill("one\r\n", "two\r\n")
		r.login().talk("C: DELE 1\nC: QUIT\nS: +OK ...\nS: " + test.want + "\nS: EOF")
		if n := r.left(); n != 2 {
			t.Errorf("%d messages left, want 2", n)
		}
		r.login() // the maildrop is free
	}
}

// TestOneExpunge removes what is marked in one call, and nothing else.
func TestOneExpunge(t *testing.T) {
	var calls []string
	r := startFaulty(t, &faulty{expunge: func(uids mailparts.UIDSet) error {
		calls = append(calls, uids.String())
		return nil
	}})
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n")
	r.login().talk("C: DELE 5\nC: DELE 2\nC: DELE 1\nC: QUIT\nS: +OK ...\nS: +OK ...\nS: +OK ...\nS: +OK Goodbye, the maildrop has 2 messages (6 octets)\nS: EOF")
	r.login().talk("C: QUIT\nS: +OK Goodbye, the maildrop has 2 messages (6 octets)\nS: EOF")
	if got := strings.Join(calls, " "); got != "1:2,5" {
		t.Errorf("Expunge was called for %q, want once for 1:2,5", got)
	}
}
