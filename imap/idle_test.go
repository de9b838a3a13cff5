package imap_test

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// idling connects alice, selects INBOX and begins IDLE, without a deadline of the client's.
func (r *rig) idling() *client {
	r.t.Helper()
	c := r.selecting()
	c.SetDeadline(time.Time{})
	c.play(`
		C: A002 IDLE
		S: + idling
	`)
	return c
}

// RFC 2177 section 3.
func TestIdle(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n", "3\r\n", "4\r\n")
	c := r.idling()
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 4, Last: 4}}, ""); err != nil {
		t.Fatal(err)
	}
	c.play(`
		S: * 4 EXPUNGE
	`)
	r.fill("5\r\n")
	c.play(`
		S: * 4 EXISTS
		S: * 4 RECENT
		C: DONE
		S: A002 OK IDLE completed
		C: A003 NOOP
		S: A003 OK NOOP completed
	`)
}

// What was pending is told at once.
func TestGoIMAPDefectIdlePending(t *testing.T) {
	r := start(t, nil)
	c := r.selecting()
	r.fill("1\r\n")
	c.play(`
		C: a1 IDLE
		S: * 1 EXISTS
		S: * 1 RECENT
		S: + idling
		C: DONE
		S: a1 OK IDLE completed
	`)
}

func TestGoIMAPDefectLowerCaseDone(t *testing.T) {
	c := start(t, nil).login()
	c.play(`
		C: a1 idle
		S: + idling
		C: done
		S: a1 OK IDLE completed
		C: a2 IDLE x
		S: a2 BAD Unexpected text after the command
		C: a3 IDLE
		S: + idling
		C: a4 NOOP
		S: a3 BAD Expected DONE
		C: a5 NOOP
		S: a5 OK NOOP completed
	`)
	io.WriteString(c, "a6 IDLE\r\nDONE\r\na7 NOOP\r\n")
	c.play(`
		S: + idling
		S: a6 OK IDLE completed
		S: a7 OK NOOP completed
	`)
}

// A DONE that comes in pieces, with news between them, is one.
func TestIdleDoneInPieces(t *testing.T) {
	r := start(t, nil)
	c := r.idling()
	io.WriteString(c, "DO")
	r.fill("1\r\n")
	c.play(`
		S: * 1 EXISTS
		S: * 1 RECENT
	`)
	io.WriteString(c, "NE\r\n")
	if got := c.response(); got != "A002 OK IDLE completed" {
		t.Error(got)
	}
}

func TestIdleFlagChanges(t *testing.T) {
	for name, configure := range map[string]func(*imap.Server){
		"watched": func(*imap.Server) {},
		"polled":  func(s *imap.Server) { s.Backend = plainBackend{s.Backend} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, configure)
				defer r.Close()
				r.fill("1\r\n")
				c := r.idling()
				began := time.Now()
				set := mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}
				if _, _, err := r.inbox.SetFlags(t.Context(), mailparts.AllUIDs(), set); err != nil {
					t.Fatal(err)
				}
				if got := c.response(); !strings.HasPrefix(got, `* 1 FETCH (FLAGS (\Seen`) {
					t.Error(got)
				}
				if took := time.Since(began); name == "watched" && took != 0 || took > 30*time.Second {
					t.Errorf("after %v", took)
				}
				c.Close()
			})
		})
	}
}

// The server says something every four minutes, and ends what nobody ends.
func TestIdleAutologout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, func(s *imap.Server) { s.Timeout = 10 * time.Minute })
		defer r.Close()
		c := r.idling()
		began := time.Now()
		for _, want := range []struct {
			text  string
			after time.Duration
		}{
			{"* OK Still here", 4 * time.Minute},
			{"* OK Still here", 8 * time.Minute},
			{"* BYE Autologout; you were idle for too long", 10 * time.Minute},
		} {
			if got := c.response(); got != want.text || time.Since(began) != want.after {
				t.Errorf("%s after %v", got, time.Since(began))
			}
		}
		c.Close()
	})
}

func TestIdleMailboxDeleted(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("box")
	c := r.login()
	c.do("SELECT box")
	c.play(`
		C: a1 IDLE
		S: + idling
	`)
	if err := r.store.(mailparts.Manager).Delete(t.Context(), "box"); err != nil {
		t.Fatal(err)
	}
	if got := c.response(); got != "* BYE [UNAVAILABLE] The selected mailbox was deleted" {
		t.Error(got)
	}
	if rest, err := io.ReadAll(c.r); len(rest) > 0 || err != nil {
		t.Errorf("and then %q, %v", rest, err)
	}
}

func TestIdleShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		c := r.idling()
		synctest.Wait()
		began := time.Now()
		if err := r.Shutdown(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("Shutdown: %v after %v", err, time.Since(began))
		}
		if got := c.response(); got != "* BYE [UNAVAILABLE] The server is shutting down" {
			t.Error(got)
		}
		c.Close()
	})
}

// Many deliveries at once, and a session that idles again and again: no message is missed.
func TestIdleMissesNothing(t *testing.T) {
	const messages = 100
	r := start(t, nil)
	c := r.idling()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range messages {
			r.fill("x\r\n")
		}
	}()
	for {
		l := c.response()
		if l == "* 100 EXISTS" {
			break
		}
		if strings.HasSuffix(l, " EXISTS") {
			io.WriteString(c, "DONE\r\nA003 IDLE\r\n")
		}
	}
	<-done
}
