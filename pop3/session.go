package pop3

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/internal/serve"
)

// The longest lines that are read, in octets with the CRLF.
const (
	maxCommand = 255   // RFC 2449 section 4
	maxAuth    = 12288 // AUTH and what follows it: more than any mechanism's messages need
)

// state is where a session stands (RFC 1939 section 3). UPDATE is none: it lasts
// as long as QUIT does.
type state uint8

const (
	authorization state = 1 << iota
	transaction
)

// forever stands for no Timeout.
const forever = 100 * 365 * 24 * time.Hour

// session is one connection. It runs on one goroutine.
type session struct {
	srv  *Server
	ctx  context.Context
	conn *serve.Conn
	in   *line.Reader
	out  writer
	log  *slog.Logger

	timeout time.Duration
	state   state
	name    string // what USER gave, until the next command
	account string // who was proved last: in TRANSACTION, who is logged in
	drop    *maildrop
	args    [3][]byte

	unlock   func() error // nil: nothing is locked
	errors   int          // in a row
	failures int          // of logins
	ended    bool         // after the reply
	partway  bool         // in a multi-line reply: no other reply may begin
}

func newSession(ctx context.Context, srv *Server, c *serve.Conn) *session {
	s := &session{srv: srv, ctx: ctx, conn: c, state: authorization}
	s.log = serve.Logger(srv.Logger).With("protocol", "pop3", "remote", c.Remote())
	if s.timeout = serve.Limit(srv.Timeout, defaultTimeout); s.timeout == 0 {
		s.timeout = forever
	}
	s.out.dst = c
	s.in = line.NewReader(s)
	return s
}

// serve greets, and answers commands until one ends the session or the connection
// fails. A timestamp in angle brackets in the greeting would offer APOP.
func (s *session) serve() {
	defer s.end()
	s.out.print("+OK ", serve.Hostname(s.srv.Hostname), " POP3 server ready\r\n")
	for !s.ended {
		l, err := s.readLine()
		if err == nil {
			err = s.execute(l)
		}
		if lost, ok := err.(*lostConnection); ok {
			s.lose(lost.err)
			return
		}
		s.answer(err)
	}
}

// answer replies to a command that returned err, and does the accounts.
func (s *session) answer(err error) {
	if err == nil {
		s.errors = 0
		return
	}
	code, text := replyTo(err)
	switch err := err.(type) {
	case syntaxError:
		s.errors++
		if limit := serve.Limit(s.srv.MaxErrors, defaultMaxErrors); limit > 0 && s.errors >= limit {
			s.log.Info("session ended after too many errors", "last", err)
			text += tooMany
			s.ended = true
		}
	case *failedLogin:
		s.failures++
		s.log.Warn("login failed", "mechanism", err.mechanism, "err", err.err)
		if limit := serve.Limit(s.srv.MaxLoginFailures, defaultMaxLoginFailures); limit > 0 && s.failures >= limit {
			text += tooMany
			s.ended = true
		}
	default:
		s.errors = 0
		if strings.HasPrefix(code, "[SYS/") {
			s.log.Error("command failed", "user", s.account, "err", err)
		}
	}
	s.out.print("-ERR ", code, text, "\r\n")
}

// Read is what the line reader reads from: before the session waits for the
// client, the client gets all that it has been answered. Replies to pipelined
// commands so go out together (RFC 2449 section 6.6).
func (s *session) Read(p []byte) (int, error) {
	if err := s.out.flush(); err != nil {
		return 0, err
	}
	s.conn.Idle(true)
	defer s.conn.Idle(false)
	return s.conn.Read(p)
}

// lose ends a session whose connection has failed, or must look as if it had.
func (s *session) lose(err error) {
	switch {
	case errors.Is(err, serve.ErrShutdown):
		// RFC 1939 knows no reply without a command. As the reply to the command
		// that the client sends next, it is the truth.
		s.out.print("-ERR [SYS/TEMP] The server is shutting down\r\n")
		s.log.Info("session ended by shutdown")
	case errors.Is(err, os.ErrDeadlineExceeded):
		// RFC 1939 section 3: "without … sending any response".
		s.log.Info("session timed out")
	default:
		s.log.Info("session ended without QUIT", "err", err)
	}
}

// end leaves nothing locked and nothing unsent, whatever ended the session. The
// maildrop is free when the client hears of the end, and can log in again at once.
func (s *session) end() {
	if p := recover(); p != nil {
		s.log.Error("panic in a session", "panic", p, "stack", string(debug.Stack()))
		if !s.partway {
			s.out.print("-ERR [SYS/TEMP] Internal error\r\n")
		}
	}
	s.release()
	s.out.flush()
	s.in.Release()
}

// release unlocks the maildrop, once.
func (s *session) release() {
	if s.unlock == nil {
		return
	}
	unlock := s.unlock
	s.unlock = nil
	if err := unlock(); err != nil {
		s.log.Error("cannot unlock the maildrop", "err", err)
	}
}
