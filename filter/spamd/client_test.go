package spamd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/textproto"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/spamd"
)

// request is what spamd is asked.
type request struct {
	line   string
	header textproto.MIMEHeader
	body   string
}

// fake is a spamd of the test's own: it reads a request and answers it. What
// returns "" is silent until the client hangs up.
type fake func(request) string

func (f fake) serve(t *testing.T, conn net.Conn) {
	defer conn.Close()
	r := textproto.NewReader(bufio.NewReader(conn))
	var req request
	var err error
	if req.line, err = r.ReadLine(); err != nil {
		return
	}
	if req.header, err = r.ReadMIMEHeader(); err != nil {
		t.Errorf("request: %v", err)
		return
	}
	size, _ := strconv.Atoi(req.header.Get("Content-length"))
	body := make([]byte, size)
	if _, err := io.ReadFull(r.R, body); err != nil {
		t.Errorf("request of %d octets: %v", size, err)
		return
	}
	req.body = string(body)
	if answer := f(req); answer != "" {
		io.WriteString(conn, answer)
		return
	}
	io.Copy(io.Discard, conn)
}

// client asks f through pipes.
func (f fake) client(t *testing.T) *spamd.Client {
	return &spamd.Client{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go f.serve(t, theirs)
		return ours, nil
	}}
}

// says is a spamd that gives every message this verdict and header.
func says(spam, header string) fake {
	return func(request) string { return response(spam, header) }
}

func response(spam, header string) string {
	return fmt.Sprintf("SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s\r\n\r\n%s", len(header), spam, header)
}

// inbox is the Deliverer behind the filter.
type inbox struct {
	env  *mailparts.Envelope
	msg  string
	seek bool
}

func (b *inbox) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	text, err := io.ReadAll(msg)
	if s, ok := msg.(io.Seeker); ok && err == nil {
		b.seek = true
		s.Seek(0, io.SeekStart)
		again, _ := io.ReadAll(msg)
		if !bytes.Equal(again, text) {
			err = errors.New("another message the second time")
		}
	}
	b.env, b.msg = env, string(text)
	return err
}

const (
	message = "Received: from x\r\nSubject: hello\r\n folded\r\n\r\nbody\r\nX-Spam-Flag: in the body\r\n"
	marked  = "X-Spam-Checker-Version: SpamAssassin 4.0.1\r\nX-Spam-Status: No, score=1.5 required=5.0\r\n\ttests=A,B\r\n"
)

func TestMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got request
		c := fake(func(r request) string {
			got = r
			return response("False ; 1.5 / 5.0", "Return-Path: <a@example.org>\r\n"+marked+"Subject: [SPAM] hello\r\n\r\n")
		}).client(t)
		c.User = "alice"
		var to inbox
		env := &mailparts.Envelope{ID: "1", From: "a@example.org", Attrs: map[string]string{"tenant": "x"}}
		if err := c.Wrap(&to).Deliver(t.Context(), env, iotest.OneByteReader(strings.NewReader(message))); err != nil {
			t.Fatal(err)
		}
		if to.msg != marked+message || !to.seek {
			t.Errorf("delivered %q", to.msg)
		}
		if want := map[string]string{"tenant": "x", "spam.score": "1.5", "spam.flag": "NO"}; !maps.Equal(to.env.Attrs, want) {
			t.Errorf("attributes %v, want %v", to.env.Attrs, want)
		}
		if len(env.Attrs) != 1 {
			t.Errorf("the caller's attributes were changed: %v", env.Attrs)
		}
		if got.line != "HEADERS SPAMC/1.5" || got.header.Get("User") != "alice" || got.body != "Return-Path: <a@example.org>\r\n"+message {
			t.Errorf("request %+v", got)
		}
	})
}

// What came from outside must not look like spamd's word, not to spamd and not
// when spamd is down.
func TestForgedFields(t *testing.T) {
	for _, c := range []struct{ what, msg, want string }{
		{"none", message, message},
		{"first", "X-Spam-Flag: NO\r\nSubject: a\r\n\r\nbody", "Subject: a\r\n\r\nbody"},
		{"last", "Subject: a\r\nX-Spam-Flag: NO\r\n\r\nbody", "Subject: a\r\n\r\nbody"},
		{"folded", "X-Spam-Status: No,\r\n score=-5\r\n\ttests=NONE\r\nSubject: a\r\n b\r\n\r\n", "Subject: a\r\n b\r\n\r\n"},
		{"two", "x-spam-flag: NO\r\nX-SPAM-SCORE: 1\r\nSubject: a\r\nX-Spam-Level : *\r\n\r\n", "Subject: a\r\n\r\n"},
		{"others", "X-Spam: a\r\nX-Spammer: b\r\nXX-Spam-Flag: c\r\n\r\n", "X-Spam: a\r\nX-Spammer: b\r\nXX-Spam-Flag: c\r\n\r\n"},
		{"in a folded line", "Subject: a\r\n X-Spam-Flag: NO\r\n\r\n", "Subject: a\r\n X-Spam-Flag: NO\r\n\r\n"},
		{"no body", "Subject: a\r\nX-Spam-Flag: NO\r\n", "Subject: a\r\n"},
		{"no line end", "Subject: a\r\nX-Spam-Flag: NO", "Subject: a\r\n"},
		{"nothing but", "X-Spam-Flag: NO", ""},
		{"empty", "", ""},
		{"no header", "\r\nX-Spam-Flag: NO\r\n", "\r\nX-Spam-Flag: NO\r\n"},
		{"LF", "X-Spam-Flag: NO\nSubject: a\n\nX-Spam-Flag: NO\n", "Subject: a\n\nX-Spam-Flag: NO\n"},
		{"long", "X-Spam-Flag: " + strings.Repeat("x", 10000) + "\r\nSubject: " + strings.Repeat("X-Spam-", 10000) + "\r\n\r\nbody",
			"Subject: " + strings.Repeat("X-Spam-", 10000) + "\r\n\r\nbody"},
		{"at the border of a piece", "A: " + strings.Repeat("x", 4096-3) + "X-Spam-Flag: a\r\nX-Spam-Flag: NO\r\n\r\n",
			"A: " + strings.Repeat("x", 4096-3) + "X-Spam-Flag: a\r\n\r\n"},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked string
				up := fake(func(r request) string {
					asked = strings.TrimPrefix(r.body, "Return-Path: <>\r\n")
					return response("True ; 9 / 5", "X-Spam-Flag: YES\r\n\r\n")
				}).client(t)
				var to inbox
				err := up.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(c.msg))
				if err != nil || to.msg != "X-Spam-Flag: YES\r\n"+c.want || asked != c.want {
					t.Errorf("up: asked %q, delivered %q, %v", asked, to.msg, err)
				}
				down := &spamd.Client{Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("down") }}
				err = down.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(c.msg))
				if err != nil || to.msg != c.want {
					t.Errorf("down: delivered %q, %v", to.msg, err)
				}
			})
		})
	}
}

func TestReject(t *testing.T) {
	for _, c := range []struct {
		at     float64
		spam   string
		refuse bool
		flag   string
	}{
		{at: 0, spam: "True ; 1000.0 / 5.0", flag: "YES"},
		{at: 10, spam: "True ; 9.9 / 5.0", flag: "YES"},
		{at: 10, spam: "True ; 10.0 / 5.0", refuse: true},
		{at: 10, spam: "Yes ; 10.1 / 5.0", refuse: true},
		{at: 3, spam: "False ; 4.0 / 5.0", refuse: true}, // the site's own limit
		{at: 10, spam: "False ; -2.6 / 5.0", flag: "NO"},
	} {
		synctest.Test(t, func(t *testing.T) {
			client := says(c.spam, "\r\n").client(t)
			client.RejectAt = c.at
			var to inbox
			err := client.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message))
			if !c.refuse {
				if err != nil || to.env == nil || to.env.Attrs[spamd.AttrFlag] != c.flag {
					t.Errorf("%s at %v: %v, %+v", c.spam, c.at, err, to.env)
				}
				return
			}
			e, ok := errors.AsType[*mailparts.Error](err)
			if !ok || e.Code != 550 || e.Status != "5.7.1" || to.env != nil {
				t.Errorf("%s at %v: %v", c.spam, c.at, err)
			}
		})
	}
}

// Whatever is wrong with spamd, mail passes as it came, or waits if it must not.
func TestFailures(t *testing.T) {
	ok := "SPAMD/1.1 0 EX_OK\r\n"
	for what, f := range map[string]fake{
		"silence":              func(request) string { return "" },
		"closed":               func(request) string { return "\r\n" },
		"another protocol":     func(request) string { return "220 mx.example.org ESMTP\r\n" },
		"no code":              func(request) string { return "SPAMD/1.1 x EX_OK\r\n\r\n" },
		"an error":             func(request) string { return "SPAMD/1.0 79 Timeout: (300 second timeout)\r\n" },
		"no verdict":           func(request) string { return ok + "Content-length: 2\r\n\r\n\r\n" },
		"no length":            func(request) string { return ok + "Spam: True ; 9 / 5\r\n\r\nX-Spam-Flag: YES\r\n\r\n" },
		"negative length":      func(request) string { return ok + "Content-length: -1\r\nSpam: True ; 9 / 5\r\n\r\n" },
		"huge length":          func(request) string { return ok + "Content-length: 99999999999\r\nSpam: True ; 9 / 5\r\n\r\n" },
		"length of no number":  func(request) string { return ok + "Content-length: ten\r\nSpam: True ; 9 / 5\r\n\r\n" },
		"verdict of no word":   says("Maybe ; 9 / 5", "\r\n"),
		"score of no number":   says("True ; much / 5", "\r\n"),
		"score of NaN":         says("True ; NaN / 5", "\r\n"),
		"infinite score":       says("True ; +Inf / 5", "\r\n"),
		"no score":             says("True", "\r\n"),
		"short body":           func(request) string { return strings.TrimSuffix(response("True ; 9 / 5", marked+"\r\n"), "\r\n") },
		"closed in the header": func(request) string { return ok + "Content-length: 10\r\n" },
		"an endless line":      func(request) string { return ok + strings.Repeat("x", 1<<20) },
		"endless lines":        func(request) string { return ok + strings.Repeat("A: b\r\n", 1<<16) },
		"endless fields":       says("True ; 9 / 5", strings.Repeat("X-Spam-Flag: YES\r\n", 1<<13)),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				c := f.client(t)
				c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				c.RejectAt = 5
				var to inbox
				start := time.Now()
				err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{ID: "q1"}, strings.NewReader(message))
				if err != nil || to.msg != message || to.env.Attrs != nil {
					t.Errorf("delivered %q with %v: %v", to.msg, to.env, err)
				}
				if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "id=q1") {
					t.Errorf("logged %q", log.String())
				}
				if took := time.Since(start); took > time.Minute || what != "silence" && took != 0 {
					t.Errorf("took %v", took)
				}

				c.FailClosed = true
				to = inbox{}
				err = c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message))
				if e, ok := errors.AsType[*mailparts.Error](err); !ok || e.Code != 451 || !e.Temporary() || e.Err == nil || to.env != nil {
					t.Errorf("closed: %v, delivered %q", err, to.msg)
				}
			})
		})
	}
}

// Fields that no message may hold are left out, the verdict counts all the same.
func TestOddFields(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{"X-Spam-Flag: YES\nX-Spam-Level: *\n\n", "X-Spam-Flag: YES\r\nX-Spam-Level: *\r\n"},
		{"X-Spam-Flag: YES", "X-Spam-Flag: YES\r\n"},
		{"Subject: a\r\nX-Spam-Flag: YES\r\n\r\nX-Spam-Level: in the body\r\n", "X-Spam-Flag: YES\r\n"},
		{"X-Spam-Report: \xe4\x00\x1b[2J\ta\rb\r\n\r\n", "X-Spam-Report: ???[2J\ta?b\r\n"},
		{"X-Spam-Report: a\r\n \r\n b\r\n\r\n", "X-Spam-Report: a\r\n b\r\n"},
		{"X-Spam-: a\r\n b\r\nX-Spam-No Name: a\r\nX-Spam-None\r\nX-Spam-Flag: YES\r\n\r\n", "X-Spam-Flag: YES\r\n"},
		{"X-Spam-Report: " + strings.Repeat("a", 5000) + "\r\n b\r\nX-Spam-Flag: YES\r\n " + strings.Repeat("c", 999) + "\r\n d\r\n\r\n", "X-Spam-Flag: YES\r\n d\r\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var to inbox
			err := says("True ; 9 / 5", c.header).client(t).Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message))
			if err != nil || to.msg != c.want+message || to.env.Attrs[spamd.AttrScore] != "9" {
				t.Errorf("%.60q: delivered %q, %v", c.header, to.msg, err)
			}
		})
	}
}

func TestMaxSize(t *testing.T) {
	asked := false
	f := fake(func(request) string { asked = true; return response("True ; 9 / 5", "\r\n") })
	big := "Subject: a\r\n\r\n" + strings.Repeat("0123456789", 60000)
	for _, c := range []struct {
		limit int64
		msg   string
		want  bool
	}{
		{0, big, false},
		{0, big[:512000], true},
		{0, big[:512001], false},
		{int64(len(message)), message, true},
		{int64(len(message)) - 1, message, false},
		{-1, big, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked = false
			client := f.client(t)
			client.MaxSize = c.limit
			var to inbox
			err := client.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(c.msg))
			if err != nil || to.msg != c.msg || asked != c.want {
				t.Errorf("%d octets, limit %d: asked %v, %v", len(c.msg), c.limit, asked, err)
			}
		})
	}
}

// A message that was not read to its end is none: not scanned, not delivered.
func TestReadError(t *testing.T) {
	broken := errors.New("the peer went away")
	for _, text := range []string{"", "Subject: a", "Subject: a\r\n", "X-Spam-Flag: a", message, message + strings.Repeat("x", 1<<20)} {
		c := &spamd.Client{Dial: func(context.Context, string, string) (net.Conn, error) {
			t.Error("spamd was asked")
			return nil, broken
		}}
		var to inbox
		err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) || to.env != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func TestTimeoutAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake(func(request) string { return "" }).client(t)
		c.Timeout = 3 * time.Second
		start := time.Now()
		if err := c.Wrap(new(inbox)).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}

		// A spamd that does not even read costs no more.
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			context.AfterFunc(t.Context(), func() { theirs.Close() })
			return ours, nil
		}
		start = time.Now()
		if err := c.Wrap(new(inbox)).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("took %v", took)
		}

		// A forced stop is no reason to let mail pass.
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		var to inbox
		if err := c.Wrap(&to).Deliver(ctx, &mailparts.Envelope{}, strings.NewReader(message)); !errors.Is(err, context.Canceled) || to.env != nil {
			t.Errorf("after a stop: %v", err)
		}
	})
}

func TestBadUser(t *testing.T) {
	c := says("False ; 0 / 5", "\r\n").client(t)
	c.User, c.FailClosed = "alice\r\nRemove: local", true
	if err := c.Wrap(new(inbox)).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message)); err == nil {
		t.Error("a request with a line more was sent")
	}
}

func TestSockets(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		listen := map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "spamd")}[network]
		l, err := net.Listen(network, listen)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				says("False ; 1.5 / 5.0", marked+"\r\n").serve(t, conn)
			}
		}()
		addr := l.Addr().String()
		if network == "unix" {
			addr = "unix:" + addr
		}
		var to inbox
		c := &spamd.Client{Addr: addr, FailClosed: true}
		if err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message)); err != nil || to.msg != marked+message {
			t.Errorf("%s: %q, %v", addr, to.msg, err)
		}
	}
}

// A message as big as may be goes through in both directions, by way of a file.
func TestBigMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := "Subject: a\r\nX-Spam-Flag: NO\r\n\r\n" + strings.Repeat("0123456789\r\n", 1<<17)
		want := strings.Replace(big, "X-Spam-Flag: NO\r\n", "", 1)
		c := fake(func(r request) string {
			if r.body != "Return-Path: <>\r\n"+want {
				t.Errorf("asked %d octets", len(r.body))
			}
			return response("False ; 1.5 / 5.0", marked+"\r\n")
		}).client(t)
		c.MaxSize = -1
		var to inbox
		if err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(big)); err != nil || to.msg != marked+want {
			t.Errorf("delivered %d octets, %v", len(to.msg), err)
		}
	})
}
