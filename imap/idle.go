package imap

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/serve"
)

const (
	// stillHere is how often the server says something in IDLE, lest middleboxes forget
	// the connection.
	stillHere = 4 * time.Minute
	// idlePoll is how often it looks at a mailbox that cannot be watched.
	idlePoll = 30 * time.Second
)

const errDone badCommand = "Expected DONE"

// errGone ends an IDLE on a mailbox that is no longer there. The client knows.
var errGone = errors.New("imap: the selected mailbox is gone")

// idler is an IDLE that is under way. It has no goroutine and no timer of its own: the
// deadline of the read that waits for DONE is the next thing to do, and the store's wake
// ends that read early.
type idler struct {
	until time.Time // the autologout timer
	still time.Time // when to say something
	poll  bool      // look from time to time
}

// idle is IDLE (RFC 2177, RFC 9051 section 6.3.13).
func (s *session) idle(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	now := time.Now()
	s.idling = &idler{until: now.Add(s.timeout()), still: now.Add(stillHere)}
	defer func() {
		s.idling = nil
		s.conn.Wakeable(false)
	}()
	if s.box != nil {
		ctx, cancel := context.WithCancel(s.ctx)
		defer cancel()
		if err := s.watch(ctx); err != nil {
			return err
		}
		// What came before the watch began is told first.
		if s.update(true); s.ended {
			return nil
		}
	}
	s.out.Print("+ idling\r\n")
	s.conn.Within(s.idling.wait(now))
	l, err := s.in.Line()
	switch {
	case s.ended:
		s.answered = true
		return nil
	case isRefused(err):
		return refusedCommand(err)
	case err != nil:
		return &lostConnection{err}
	case !strings.EqualFold(string(l), "DONE"):
		return errDone
	}
	return nil
}

// watch has the store interrupt the session's reads until ctx is done.
func (s *session) watch(ctx context.Context) error {
	s.conn.Wakeable(true)
	err := errors.ErrUnsupported
	if w, ok := s.box.mb.(mailparts.Watcher); ok {
		err = w.Watch(ctx, s.conn.Wake)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		s.idling.poll, err = true, nil
	}
	return err
}

// wait is how long to wait for the next thing to do.
func (i *idler) wait(now time.Time) time.Duration {
	d := min(i.until.Sub(now), i.still.Sub(now))
	if i.poll {
		d = min(d, idlePoll)
	}
	return max(d, time.Millisecond)
}

// stir does what a read in IDLE was interrupted for, unless it was for the end of the
// session: then its error is cause.
func (s *session) stir(cause error) error {
	i, now := s.idling, time.Now()
	switch {
	case cause == serve.ErrWake:
	case !errors.Is(cause, os.ErrDeadlineExceeded) || !now.Before(i.until):
		return cause
	case !now.Before(i.still):
		s.out.Print("* OK Still here\r\n")
		i.still = now.Add(stillHere)
	}
	if s.box != nil {
		s.box.look = true
		if s.update(true); s.ended {
			return errGone
		}
	}
	s.conn.Within(i.wait(now))
	return nil
}
