package imap_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/imap"
)

// bubble runs f in a bubble, in which the clock is synctest's, and which ends when all
// goroutines of the server have.
func bubble(t *testing.T, configure func(*imap.Server), f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, configure)
		defer r.Close()
		f(t, r)
	})
}

// patient gives a client all the time that it wants.
func patient(c *client) *client {
	c.SetDeadline(time.Time{})
	return c
}

const goodbye = "* BYE [UNAVAILABLE] The server is shutting down"

// In whatever state a client waits, it is told.
func TestShutdownOfIdleSessions(t *testing.T) {
	for name, prepare := range map[string]func(r *rig) *client{
		"greeted":   (*rig).dial,
		"logged in": (*rig).login,
		"selected":  (*rig).selecting,
		"in IDLE":   (*rig).idling,
		"authenticating": func(r *rig) *client {
			c := r.dial()
			io.WriteString(c, "a1 AUTHENTICATE PLAIN\r\n")
			if got := c.response(); got != "+ " {
				r.t.Errorf("got %q", got)
			}
			return c
		},
		"asked for a literal": func(r *rig) *client {
			c := r.dial()
			c.play("C: a1 LOGIN {5}\n\t\tS: + OK")
			return c
		},
		"inside a command": func(r *rig) *client {
			c := r.login()
			io.WriteString(c, "a1 SELE")
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				c := patient(prepare(r))
				synctest.Wait()
				began := time.Now()
				if err := r.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > time.Second {
					t.Errorf("Shutdown took %v", took)
				}
				if got := c.response(); got != goodbye {
					t.Errorf("got %q", got)
				}
				c.ends()
			})
		})
	}
}

// A message on its way is waited for, and answered.
func TestShutdownDuringAppend(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		c := patient(r.login())
		c.play("C: a1 APPEND INBOX {10}\n\t\tS: + OK")
		io.WriteString(c, "\r\nbod")
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- r.Shutdown(context.Background()) }()
		time.Sleep(time.Second)
		io.WriteString(c, "y two\r\n")
		c.play("S: a1 OK [APPENDUID 1 1] APPEND completed\n\t\tS: " + goodbye)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A client that does not read what it has asked for holds up Shutdown for as long as ctx
// says, and nobody else.
func TestShutdownDuringSlowFetch(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.fill("\r\n" + strings.Repeat("x", 1<<20))
		c := patient(r.selecting())
		io.WriteString(c, "a1 FETCH 1 BODY[]\r\n")
		synctest.Wait()
		r.fill("two\r\n") // the store is not locked
		if got := r.login().do("STATUS INBOX (MESSAGES)"); got[0] != "* STATUS INBOX (MESSAGES 2)" {
			t.Error(got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// A FETCH that a client reads to its end during Shutdown is whole.
func TestShutdownLetsFetchEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.fill("\r\n" + strings.Repeat("x", 1<<20))
		c := patient(r.selecting())
		io.WriteString(c, "a1 FETCH 1 BODY.PEEK[]\r\n")
		synctest.Wait()
		done := make(chan error, 1)
		go func() { done <- r.Shutdown(context.Background()) }()
		synctest.Wait()
		if got := c.response(); len(got) < 1<<20 {
			t.Errorf("got %d octets", len(got))
		}
		c.play("S: a1 OK FETCH completed\n\t\tS: " + goodbye)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A peer that does not read costs three minutes, not a goroutine for ever.
func TestStalledReader(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.fill("\r\n" + strings.Repeat("x", 1<<20))
		c := patient(r.selecting())
		began := time.Now()
		io.WriteString(c, "a1 FETCH 1 BODY[]\r\n")
		time.Sleep(5 * time.Minute)
		rest, err := io.ReadAll(c.r)
		if len(rest) > 256<<10 {
			t.Errorf("got %d octets, %v, after %v", len(rest), err, time.Since(began))
		}
		if log := r.log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("that the client has gone is no error of ours: %s", log)
		}
	})
}

// A slow reader gets what it waits for, though the whole of it takes longer than any one
// write may: here 64 KB a minute.
func TestSlowReader(t *testing.T) {
	for _, item := range []string{"BODY.PEEK[]", "BINARY.PEEK[1]", "BODY.PEEK[HEADER]"} {
		bubble(t, nil, func(t *testing.T, r *rig) {
			long := strings.Repeat("Subject: "+strings.Repeat("x", 69)+"\r\n", 10000)
			r.fill(long + "\r\n" + strings.Repeat(strings.Repeat("x", 78)+"\r\n", 10000))
			c := patient(r.selecting())
			io.WriteString(c, "a1 FETCH 1 "+item+"\r\n")
			var got int
			for b := make([]byte, 64<<10); ; {
				time.Sleep(time.Minute)
				n, err := c.Read(b)
				if got += n; strings.Contains(string(b[:n]), "\r\na1 OK") || strings.Contains(string(b[:n]), ")\r\na1 OK") {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v after %d octets", item, err, got)
				}
			}
			if got < 790000 {
				t.Errorf("%s: %d octets", item, got)
			}
		})
	}
}

func TestAutologout(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(r *rig) *client
		after   time.Duration
	}{
		"before log-in": {(*rig).dial, time.Minute},
		"selected":      {(*rig).selecting, 30 * time.Minute},
		"inside a message": {func(r *rig) *client {
			c := r.login()
			c.play("C: a1 APPEND INBOX {10}\n\t\tS: + OK")
			io.WriteString(c, "\r\nbod")
			return c
		}, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				began := time.Now()
				c := patient(test.prepare(r))
				if got := c.response(); got != "* BYE Autologout; you were idle for too long" {
					t.Errorf("got %q", got)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("after %v, want %v", took, test.after)
				}
				c.ends()
			})
		})
	}
}

// One octet a minute does not make the time to log in longer.
func TestLoginTimeout(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		began := time.Now()
		c := patient(r.dial())
		go func() {
			for {
				if _, err := io.WriteString(c, "a NOOP\r\n"); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		}()
		for strings.HasPrefix(c.response(), "a OK") {
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("after %v", took)
		}
		time.Sleep(20 * time.Second)
		c.Close()
	})
}

// What the client sent is gone with its connection: nothing is appended, no goroutine is
// left, and no message is locked.
func TestConnectionLost(t *testing.T) {
	for _, sent := range []string{
		"a1 APPEND INBOX {10+}\r\n\r\nbod", "a1 APPEND INBOX {5+}\r\n\r\nbod {10+}\r\n", "a1 APPEND INBOX {5+}\r\n\r\nbod (",
		"a1 IDLE\r\n", "a1 NOO", "a1 SEARCH SUBJECT {5}\r\n", "a1 FETCH 1 BODY[]\r\n", "a1 COMPRESS DEFLATE\r\nxxx",
	} {
		bubble(t, nil, func(t *testing.T, r *rig) {
			r.fill("\r\n" + strings.Repeat("x", 1<<20))
			c := patient(r.selecting())
			io.WriteString(c, sent)
			synctest.Wait()
			c.Close()
			synctest.Wait()
			if st, err := r.inbox.Status(t.Context()); err != nil || st.Messages != 1 {
				t.Errorf("%q: %d messages, %v", sent, st.Messages, err)
			}
			if log := r.log.String(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, "session ended without LOGOUT") {
				t.Errorf("%q: %s", sent, log)
			}
		})
	}
}
