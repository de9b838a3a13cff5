package mailtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/mailtest"
)

// playBoth plays a script on both sides of a connection.
func playBoth(t *testing.T, client, server mailtest.Script, tcp bool) (clientErr, serverErr error) {
	t.Helper()
	c, s := socketPair(t, tcp)
	trust := mailtest.NewSink(t)
	cp := &mailtest.Player{Conn: c, TLSConfig: trust.TLSConfig, Timeout: time.Minute}
	sp := &mailtest.Player{Conn: s, Server: true, TLSConfig: mailtest.ServerTLS(trust), Timeout: time.Minute}
	var both sync.WaitGroup
	both.Go(func() {
		clientErr = cp.Play(t.Context(), client)
		cp.Conn.Close()
	})
	both.Go(func() {
		serverErr = sp.Play(t.Context(), server)
		sp.Conn.Close()
	})
	both.Wait()
	return clientErr, serverErr
}

func socketPair(t *testing.T, tcp bool) (c, s net.Conn) {
	t.Helper()
	if !tcp {
		return listenerPair(t, mailtest.NewListener())
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if s, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return c, s
}

// A script that holds for both sides is its own test.
var coherent = map[string]mailtest.Script{
	"a session": `
		# RFC 5321 appendix D.1, abridged
		S: 220 foo.com Simple Mail Transfer Service Ready
		C: EHLO bar.com
		S: 250-foo.com greets bar.com
		S: 250 HELP
		C: MAIL FROM:<Smith@bar.com>

		S: 250 OK
		C: QUIT
		S: 221 foo.com Service closing transmission channel
		S! close
		C! close
	`,
	"wildcards": `
		S: 220 ... ESMTP...
		C: EHLO ...
		S: 250 OK queued as ...
	`,
	"octets": `
		S> 220 \x66\x6fo\r\n
		C> \0\xff\t\\\q
		C: the end of a line
	`,
	"slowly":                   "S. 0s 220 foo.com\nC. 0s EHLO x",
	"spoilt by the server":     "S: 220 go\nT!",
	"spoilt by the client":     "S: 220 go\nT?",
	"half-close of the client": "C: EHLO x\nC! half-close\nS: 250 OK\nS! close",
	"half-close of the server": "S: 220 foo.com\nS! half-close\nC: EHLO x\nC! close",
	"close of the client":      "S: 220 foo.com\nC! close",
	"floods that end":          "S: 220 foo.com\nC: EHLO x\nC! half-close\nS! close",
	"a pause":                  "S: 220 foo.com\nW: 1ms\nC: EHLO x",
}

func TestScriptsOfBothSides(t *testing.T) {
	for name, script := range coherent {
		for how, tcp := range map[string]bool{"TCP": true, "memory": false} {
			t.Run(name+"/"+how, func(t *testing.T) {
				c, s := playBoth(t, script, script, tcp)
				if c != nil || s != nil {
					t.Errorf("client: %v, server: %v", c, s)
				}
			})
		}
	}
}

// G: is what everyone does.
func TestG(t *testing.T) {
	for name, test := range map[string]struct{ client, server mailtest.Script }{
		"to the end":          {"G: QUIT", "G: QUIT\nS: 221 bye"},
		"step by step":        {"G: EHLO\nG: MAIL\nG: RCPT\nG: DATA\nG: .\nG: QUIT", "G: QUIT\nS: 221 bye"},
		"all but":             {"G: DATA", "G: DATA\nS: 354 go"},
		"each":                {"G: .", "G: EHLO\nS: 250 x\nG: MAIL\nS: 250 x\nG: RCPT\nS: 250 x\nG: DATA\nS: 354 go\nG: .\nS: 250 x"},
		"after lines":         {"S: 220 ...\nC: HELO x\nS: 250 ...\nC: MAIL FROM:<>\nS: 250 ...\nG: .", "G: .\nS: 250 x"},
		"two messages":        {"G: .\nG: .\nG: QUIT", "G: .\nS: 250 x\nG: .\nS: 250 x\nG: QUIT\nS: 221 x"},
		"another verb":        {"G: EHLO\nC: STARTTLS\nS: 220 go\nT:\nG: EHLO\nG: RCPT", "G: STARTTLS\nS: 220 go\nT:\nG: RCPT\nS: 250 x"},
		"HELO":                {"G: HELO\nG: MAIL", "S: 220 x\nC: HELO client.example.org\nS: 250 x\nG: MAIL\nS: 250 x"},
		"not implemented":     {"G: EHLO\nC: VRFY x\nS: 502 ...\nC: .\nS: 500 ...\nG: RCPT", "G: RCPT\nS: 250 x"},
		"commands as content": {"G: DATA\nC: QUIT\nC: RSET\nC: ..\nC: .\nS: 250 ...\nG: QUIT", "G: QUIT\nS: 221 x"},
		"RSET":                {"G: RCPT\nC: RSET\nS: 250 ...\nG: RCPT", "G: EHLO\nS: 250 x\nG: RSET\nS: 250 x\nG: RCPT\nS: 250 x"},
		"LMTP, by recipient": {"G: LHLO\nG: RCPT\nC: RCPT TO:<c@example.com>\nS: 250 ...\nG: DATA\nG: .\nS: 250 ...\nG: QUIT",
			"G: QUIT\nS: 221 x"},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := playBoth(t, test.client, test.server, false)
			if c != nil || s != nil {
				t.Errorf("client: %v, server: %v", c, s)
			}
		})
	}
}

// A side that does not keep to the script is told of, with the line.
func TestScriptIsNotKept(t *testing.T) {
	for name, test := range map[string]struct {
		client, server mailtest.Script
		want           string // of the client's error
	}{
		"another line":         {"S: 220 x", "S: 221 x", `line 1 of the script, "S: 220 x": got "221 x"`},
		"which line":           {"\n# a remark\nS: 220 x\nS: 221 x", "S: 220 x\nS: 222 x", `line 4 of the script, "S: 221 x": got "222 x"`},
		"a wildcard too far":   {"S: 220 ... ESMTP", "S: 220 mx.example.com SMTP", `got "220 mx.example.com SMTP"`},
		"overlapping parts":    {"S: 22...2 x", "S: 22 x", `got "22 x"`},
		"the order of parts":   {"S: ...b...a...", "S: a b", `got "a b"`},
		"LF alone":             {"S: 220 x", `S> 220 x\n`, `must end with CRLF`},
		"no line":              {"S: 220 x", "S> 22", `got "22", and then EOF`},
		"other octets":         {"S> 220", "S> 221", `got "221"`},
		"too few octets":       {"S> 220", "S> 22", `got "22", and then unexpected EOF`},
		"no end":               {"S!", "S: 220 x", `got "220 x\r\n"`},
		"a refusal":            {"G: MAIL", "G: MAIL\nS: 550 no", `MAIL: got "550 no"`},
		"a greeting":           {"G: EHLO", "S: 554 no", `got "554 no"`},
		"no such stage":        {"G: NOOP", "S: 220 x", `no stage of a client's`},
		"a handshake fails":    {"S: 220 x\nT:", "S: 220 x\nC> \\x16\nS: 250 x\nC*", `tls: first record does not look like a TLS handshake`},
		"a handshake succeeds": {"S: 220 x\nT!", "S: 220 x\nT:", `the handshake succeeds`},
		"nothing to repeat":    {"C*", "C*", `nothing to repeat`},
		"no letter":            {"X: x", "", `line 1 of the script, "X: x": no such line`},
		"no sign":              {"C; x", "", `no such line`},
		"too short":            {"C", "", `no such line`},
		"no duration":          {"W: soon", "", `invalid duration`},
		"no interval":          {"C. EHLO x", "", `invalid duration`},
		"no end of its kind":   {"C! hang up", "", `not close, half-close or reset`},
		"half an escape":       {`C: \xf`, "", `\x without two digits`},
		"no verb":              {"G:", "", `no such line`},
	} {
		t.Run(name, func(t *testing.T) {
			err, _ := playBoth(t, test.client, test.server, false)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	_, err := playBoth(t, "S: 220 ...\nC: QUIT\nS: 221 ...", "G: MAIL", false)
	if err == nil || !strings.Contains(err.Error(), "the client has quit") {
		t.Errorf("a client that quits before its time: %v", err)
	}
}

func TestScriptReset(t *testing.T) {
	for how, tcp := range map[string]bool{"TCP": true, "memory": false} {
		t.Run(how, func(t *testing.T) {
			c, s := socketPair(t, tcp)
			p := &mailtest.Player{Conn: s, Server: true}
			if err := p.Play(t.Context(), "S! reset"); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
		})
	}
}

// A Player waits as long as its Timeout, and its context, say.
func TestPlayerEnds(t *testing.T) {
	for name, script := range map[string]mailtest.Script{
		"line": "S: 220 x", "octets": "S> 220 x", "end": "S!", "anything": "S*", "pause": "W:", "flood": `C* NOOP\r\n`,
		"drip": "C. 1m " + mailtest.Script(strings.Repeat("x", 100)), "go": "G: EHLO", "handshake": "T:", "handshake of an age": "T!",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := listenerPair(t, mailtest.NewListener())
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				err := (&mailtest.Player{Conn: c}).Play(ctx, script)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, _ := listenerPair(t, mailtest.NewListener())
		start := time.Now()
		err := (&mailtest.Player{Conn: c, Timeout: time.Minute}).Play(t.Context(), "C: EHLO x\nW: 1h\nS: 250 x")
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour+time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Floods and drains end with the connection, and octets drip.
func TestFloodsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := listenerPair(t, mailtest.NewListener())
		start := time.Now()
		time.AfterFunc(time.Hour, func() { s.Close() })
		if err := (&mailtest.Player{Conn: c}).Play(t.Context(), `C* NOOP\r\n`); err != nil || time.Since(start) != time.Hour {
			t.Errorf("a flood: %v after %v", err, time.Since(start))
		}
		if err := (&mailtest.Player{Conn: c}).Play(t.Context(), `S*`); err != nil {
			t.Errorf("a drain: %v", err)
		}
		c, s = listenerPair(t, mailtest.NewListener())
		go io.Copy(io.Discard, s)
		start = time.Now()
		if err := (&mailtest.Player{Conn: c}).Play(t.Context(), `C. 1s NOOP`); err != nil || time.Since(start) != 6*time.Second {
			t.Errorf("a drip: %v after %v", err, time.Since(start))
		}
		c.Close()
	})
}

// fakeTB is a test that may fail.
type fakeTB struct {
	testing.TB
	errors []string
	ends   []func()
	mu     sync.Mutex
}

func (t *fakeTB) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = append(t.errors, format)
}

func (t *fakeTB) Cleanup(f func()) { t.ends = append(t.ends, f) }

// end runs what a test does at its end, and returns what was wrong with it.
func (t *fakeTB) end() []string {
	for _, f := range t.ends {
		f()
	}
	return t.errors
}

func TestScriptServer(t *testing.T) {
	const once = "S: 220 x\nC: QUIT\nS: 221 x"
	for name, test := range map[string]struct {
		scripts []mailtest.Script
		clients []mailtest.Script
		failed  bool
	}{
		"as written":          {[]mailtest.Script{once, "S: 421 x"}, []mailtest.Script{"S: 220 x\nC: QUIT\nS: 221 x\nS!", "S: 421 x\nS!"}, false},
		"not as written":      {[]mailtest.Script{once}, []mailtest.Script{"C: EHLO x"}, true},
		"one that never came": {[]mailtest.Script{once, once}, []mailtest.Script{"G: QUIT"}, true},
		"one too many":        {[]mailtest.Script{once}, []mailtest.Script{"G: EHLO", "C! close"}, true},
		"a client that waits": {[]mailtest.Script{"S: 220 x\nC: QUIT"}, []mailtest.Script{"S: 220 x"}, true},
		"waiting for no one":  {[]mailtest.Script{"S: 220 x\nW:", "C*"}, []mailtest.Script{"S: 220 x", "C: EHLO x"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &fakeTB{TB: t}
				s := mailtest.NewScriptServer(fake, test.scripts...)
				for _, script := range test.clients {
					c, err := s.Dial(t.Context(), "", "")
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					(&mailtest.Player{Conn: c, Timeout: time.Second}).Play(t.Context(), script)
					synctest.Wait()
				}
				if errs := fake.end(); (len(errs) > 0) != test.failed {
					t.Errorf("errors: %q", errs)
				}
			})
		})
	}
}

func TestScriptServerOverTCP(t *testing.T) {
	s := mailtest.NewScriptServer(t, "S: 220 x\nC: STARTTLS\nS: 220 go\nT:\nC: QUIT\nS: 221 x")
	nc, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	p := &mailtest.Player{Conn: nc, TLSConfig: s.TLSConfig, Timeout: 10 * time.Second}
	if err := p.Play(t.Context(), "S: 220 x\nC: STARTTLS\nS: 220 go\nT:\nC: QUIT\nS: 221 x\nS!"); err != nil {
		t.Error(err)
	}
}

// A catalogue's scripts are scripts, and its names tell them apart.
func TestCatalogues(t *testing.T) {
	names := map[string]bool{}
	check := func(kind, name, about string, script mailtest.Script) {
		if names[kind+name] || name == "" || about == "" {
			t.Errorf("%s %q: no name of its own, or nothing about it", kind, name)
		}
		names[kind+name] = true
		if err := mailtest.CheckScript(script); err != nil {
			t.Errorf("%s %q: %v", kind, name, err)
		}
	}
	for _, b := range mailtest.BadServers() {
		check("server", b.Name, b.About, b.Script)
	}
	for _, b := range mailtest.BadClients() {
		check("client", b.Name, b.About, b.Script)
	}
}
