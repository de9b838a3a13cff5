package pop3_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/pop3"
)

const inUse = "-ERR [IN-USE] The maildrop is in use by another session"

// unsupported is a Locker that says that it is none.
type unsupported struct{ mailparts.Mailbox }

func (unsupported) Lock(context.Context) (func() error, error) { return nil, errors.ErrUnsupported }

// lockers are the kinds of mailboxes that a maildrop can be.
var lockers = map[string]func(*pop3.Server){
	"the mailbox's own lock": nil,
	"no lock of its own":     func(s *pop3.Server) { s.Backend = &faulty{Backend: s.Backend} },
	"ErrUnsupported": func(s *pop3.Server) {
		s.Backend = wrapped{s.Backend, func(mb mailparts.Mailbox) mailparts.Mailbox { return unsupported{mb} }}
	},
}

// TestExclusion lets a second session wait for ten seconds, and refuses it.
func TestExclusion(t *testing.T) {
	for name, configure := range lockers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startMemory(t, configure)
				first := r.login()
				second := r.dial()
				began := time.Now()
				second.talk("C: USER alice\nC: PASS open sesame\nS: +OK ...\nS: " + inUse)
				if d := time.Since(began); d != 10*time.Second {
					t.Errorf("waited %v, want 10s", d)
				}
				second.login("bob") // who is not affected
				first.talk("C: STAT\nS: +OK 0 0")
			})
		})
	}
}

// TestLockIsReleased ends a session in every way while another waits.
func TestLockIsReleased(t *testing.T) {
	for name, configure := range lockers {
		for way, end := range map[string]func(r *rig, c *client){
			"QUIT":    func(r *rig, c *client) { c.send("QUIT\r\n") },
			"closed":  func(r *rig, c *client) { c.Close() },
			"errors":  func(r *rig, c *client) { c.send("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n10\r\n") },
			"timeout": func(r *rig, c *client) {},
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := startMemory(t, func(s *pop3.Server) {
						if configure != nil {
							configure(s)
						}
						s.LockTimeout = -1 // as long as it takes
					})
					first, second := r.login(), r.dial()
					second.send("USER alice\r\nPASS open sesame\r\n")
					synctest.Wait()
					end(r, first)
					second.talk("S: +OK Send PASS\nS: +OK The maildrop has ...")
				})
			})
		}
	}
}

// TestQuitUnlocksFirst logs in again as soon as QUIT is answered.
func TestQuitUnlocksFirst(t *testing.T) {
	r := start(t, func(s *pop3.Server) { s.LockTimeout = time.Millisecond })
	for range 50 {
		r.login().talk("C: QUIT\nS: +OK Goodbye, ...")
	}
}

// TestPanicUnlocks is in the calls of the Backend that are made under the lock.
func TestPanicUnlocks(t *testing.T) {
	const login = "C: USER alice\nC: PASS open sesame\nS: +OK Send PASS\n"
	const bug = "S: -ERR [SYS/TEMP] Internal error\nS: EOF"
	for _, test := range []struct {
		name     string
		f        faulty
		dialogue string
	}{
		{"Status", faulty{status: errPanic}, login + bug},
		{"Messages", faulty{messages: errPanic}, login + bug},
		{"Body", faulty{body: func(io.ReadCloser) (io.ReadCloser, error) { panic(errPanic) }}, login + "S: +OK ...\nC: RETR 1\n" + bug},
		{"Expunge", faulty{expunge: func(mailparts.UIDSet) error { panic(errPanic) }}, login + "S: +OK ...\nC: DELE 1\nS: +OK ...\nC: QUIT\n" + bug},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startFaulty(t, &test.f)
			r.fill("x\r\n")
			for range 2 {
				r.dial().talk(test.dialogue)
			}
			if log := r.log.String(); !strings.Contains(log, errPanic.Error()) || !strings.Contains(log, "pop3_test.(*faultyMailbox)") {
				t.Errorf("the log does not tell what happened where:\n%s", log)
			}
		})
	}
}
