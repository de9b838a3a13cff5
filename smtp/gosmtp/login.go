package gosmtp

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
)

// login is the Session of one connection. The connection's end may come on
// another goroutine than its commands: mu keeps them apart.
type login struct {
	be  gosmtp.Backend
	log *slog.Logger // may be nil

	mu      sync.Mutex
	session gosmtp.Session // nil: none yet, or no more
	ended   bool
}

type loginKey struct{}

// loginOf is the login of the connection that ctx belongs to.
func loginOf(ctx context.Context) *login { return ctx.Value(loginKey{}).(*login) }

// greeted opens a Session for who has said EHLO, and ends that of who has to say
// it again, after STARTTLS.
func (l *login) greeted(p *mailparts.Peer) error {
	if p.Hello == "" {
		l.logout()
		return nil
	}
	return l.do(func(gosmtp.Session) error { return nil })
}

// do calls f with the Session, and opens one if there is none.
func (l *login) do(f func(gosmtp.Session) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return context.Canceled
	}
	if l.session == nil {
		s, err := l.be.NewSession(new(gosmtp.Conn))
		if err != nil {
			return err
		}
		l.session = s
	}
	return f(l.session)
}

func (l *login) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != nil {
		l.session.Reset()
	}
}

// logout ends the Session, if there is one.
func (l *login) logout() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.session; s != nil {
		l.session = nil
		s.Logout()
	}
}

// end is logout for good. It runs on a goroutine of its own, whose panic would end
// the program.
func (l *login) end() {
	defer func() {
		if p := recover(); p != nil && l.log != nil {
			l.log.Error("panic in Logout", "protocol", "smtp", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.logout()
}
