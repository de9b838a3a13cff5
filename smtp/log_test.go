package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// logbook is a log that a test reads while the server writes.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logbook) want(t *testing.T, parts ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.SplitSeq(l.text.String(), "\n") {
		found := 0
		for _, p := range parts {
			if strings.Contains(line, p) {
				found++
			}
		}
		if found == len(parts) {
			return
		}
	}
	t.Errorf("no record with all of %q in\n%s", parts, l.text.String())
}

// ERROR is for what is broken or full here: a stranger must not fill that log.
func TestLogLevelOfRefusals(t *testing.T) {
	var (
		cause   = errors.New("no such key")
		unknown = &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
		quota   = &mailparts.Error{Code: 452, Status: "4.2.2", Message: "Over quota"}
		full    = &mailparts.Error{Code: 452, Status: "4.3.1", Message: "Disk full", Err: cause}
	)
	for _, test := range []struct {
		name  string
		err   error
		level string
	}{
		{"permanent", unknown, "INFO"},
		{"permanent with a cause", &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user", Err: cause}, "INFO"},
		{"permanent, wrapped", fmt.Errorf("users: %w", unknown), "INFO"},
		{"temporary", quota, "INFO"},
		{"temporary with a cause", full, "ERROR"},
		{"closing", &mailparts.Error{Code: 421, Status: "4.7.0", Message: "Go away"}, "INFO"},
		{"not an Error", cause, "ERROR"},
		{"one of two, permanent", mailparts.RcptErrors{unknown, nil}, "INFO"},
		{"one of two, temporary", mailparts.RcptErrors{nil, quota}, "INFO"},
		{"one of two, not an Error", mailparts.RcptErrors{nil, cause}, "ERROR"},
		{"one of two is missing", mailparts.RcptErrors{nil}, "ERROR"},
		{"both, one with a cause", mailparts.RcptErrors{quota, full}, "ERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := new(logbook)
				r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
					io.Copy(io.Discard, msg)
					return test.err
				})
				refuse := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
					if _, each := test.err.(mailparts.RcptErrors); !each && to.Addr == "c@example.com" {
						return test.err
					}
					return nil
				})
				c := dialServer(t, &smtp.Server{Receiver: mailparts.Chain(r, refuse), Logger: slog.New(slog.NewTextHandler(log, nil))})
				c.send(t, "EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n.\r\nQUIT\r\n")
				io.Copy(io.Discard, c)
				synctest.Wait()
				log.want(t, test.level, "refused")
				if other := map[string]string{"INFO": "ERROR", "ERROR": "level=INFO msg=refused"}[test.level]; strings.Contains(log.String(), other) {
					t.Errorf("%s in\n%s", other, log)
				}
			})
		})
	}
}

func TestLog(t *testing.T) {
	for _, test := range []struct {
		name, script string
		early        bool // Deliver returns before it has read the message
		err          error
		want         []string
	}{
		{"accepted", "C: .\nS: 250 ...", false, nil, []string{"INFO", "accepted", "id=", "from=a@example.org", "recipients=1", "size=7"}},
		{"broken", "C: .\nS: 451 ...", false, errors.New("disk is on fire"), []string{"ERROR", "refused", "id=", "disk is on fire"}},
		{
			"broken, and the peer is gone", "", true, errors.New("disk is on fire"),
			[]string{"ERROR", "refused", "id=", "disk is on fire"},
		},
		{
			"policy", "C: .\nS: 550 ...", true, &mailparts.Error{Code: 550, Message: "No", Err: errors.New("score 17")},
			[]string{"INFO", "refused", "id=", "score 17"},
		},
		{"peer is gone", "", false, nil, []string{"ERROR", "accepted a message that did not arrive", "id="}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
					if test.early {
						msg.Read(make([]byte, 1))
					} else {
						io.Copy(io.Discard, msg)
					}
					return test.err
				})
				log := new(logbook)
				c := dialServer(t, &smtp.Server{Receiver: r, Logger: slog.New(slog.NewTextHandler(log, nil))})
				c.play(t, toData+"C: hello\n"+test.script)
				c.Close()
				synctest.Wait()
				log.want(t, append(test.want, "protocol=smtp", "remote=127.0.0.1:")...)
			})
		})
	}
}
