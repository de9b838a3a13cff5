package smtp_test

import (
	"context"
	"errors"
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
