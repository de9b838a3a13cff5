package imap

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/serve"
)

// state is where a session stands (RFC 9051 section 3).
type state uint8

const (
	notAuthenticated state = 1 << iota
	authenticated
	selectedState
)

// forever stands for no Timeout.
const forever = 100 * 365 * 24 * time.Hour

// Bounds of commands before log-in, and of what is dropped of commands that are too long.
const (
	maxLiteralsBefore = 8 << 10
	maxErrorsBefore   = 3
	maxSkip           = 16 << 20
)

// session is one connection. It runs on one goroutine.
type session struct {
	srv  *Server
	ctx  context.Context
	conn *serve.Conn
	in   *wire.Reader
	out  *wire.Writer
	log  *slog.Logger

	began   time.Time
	state   state
	user    string
	store   mailparts.Store
	able    able      // what store can do
	box     *selected // nil unless state is selectedState
	enabled enabled

	// Of the command that is being run.
	tag   string
	verb  string
	byUID bool   // its UID form
	code  string // response code of its OK, without brackets
	text  string // of its OK; "": completed

	answered         bool // its run has sent the tagged response
	showCapabilities bool // in its OK

	idling     *idler // nil: not in IDLE
	identified bool   // by ID
	compressed bool   // COMPRESS is active

	errors    int // in a row
	failures  int // of logins
	ended     bool
	receiving bool // a message: Shutdown waits for it
	linger    bool // the server has the last word: see serve.Conn.Linger
	partway   bool // inside a literal that is being sent: no response may begin
}

// enabled is what a client has asked for (RFC 5161).
type enabled struct {
	condstore, qresync bool // RFC 7162
	utf8               bool // RFC 9755
	rev2               bool // RFC 9051
}

func newSession(ctx context.Context, srv *Server, c *serve.Conn) *session {
	s := &session{srv: srv, ctx: ctx, conn: c, state: notAuthenticated, began: time.Now()}
	s.log = serve.Logger(srv.Logger).With("protocol", "imap", "remote", c.Remote())
	s.out = wire.NewWriter(c)
	s.in = wire.NewReader(s)
	s.in.Limits = wire.Limits{Line: wire.MaxLine, Literals: maxLiteralsBefore, Message: 0, Skip: maxSkip}
	s.in.Continue = s.askForLiteral
	return s
}

// serve greets, and answers commands until one ends the session or the connection fails.
func (s *session) serve() {
	defer s.end()
	s.out.Print("* OK [CAPABILITY ")
	s.capabilities()
	s.out.Print("] ", serve.Hostname(s.srv.Hostname), " IMAP server ready\r\n")
	for !s.ended {
		if err := s.step(); err != nil {
			s.lose(err)
			return
		}
	}
}

// step reads a command and answers it. Its error is of the connection.
func (s *session) step() error {
	s.conn.Within(s.timeout())
	text, err := s.in.Command(s.isMessage)
	s.tag, s.verb, s.code, s.text = "", "", "", ""
	s.byUID, s.answered, s.showCapabilities = false, false, false
	switch {
	case err == nil:
		err = s.execute(text)
		if lost, ok := err.(*lostConnection); ok {
			return lost.err
		}
		if rerr := s.in.Refuse(); rerr != nil { // a message that nobody wanted
			if rerr == wire.ErrFlood && !s.answered {
				s.answer(err)
			}
			return rerr
		}
	case isRefused(err):
		s.tag = string(tagOf(text))
		err = refusedCommand(err)
	default:
		return err
	}
	if !s.answered {
		s.answer(err)
	}
	return nil
}

// timeout is what the client may take for its next command.
func (s *session) timeout() time.Duration {
	if s.state == notAuthenticated {
		if d := serve.Limit(s.srv.LoginTimeout, defaultLoginTimeout); d > 0 {
			return max(d-time.Since(s.began), time.Millisecond)
		}
		return forever
	}
	if d := serve.Limit(s.srv.Timeout, defaultTimeout); d > 0 {
		return d
	}
	return forever
}

// Read is what the command reader reads from: before the session waits for the client,
// the client gets all that it has been answered. In IDLE, what interrupts the wait is done
// here, and the reader does not hear of it.
func (s *session) Read(p []byte) (int, error) {
	for {
		if err := s.out.Flush(); err != nil {
			return 0, err
		}
		s.conn.Idle(!s.receiving)
		n, err := s.conn.Read(p)
		s.conn.Idle(false)
		if n > 0 || err == nil || s.idling == nil {
			return n, err
		}
		if err := s.stir(err); err != nil {
			return 0, err
		}
	}
}

// askForLiteral is Reader.Continue.
func (s *session) askForLiteral() error {
	s.out.Print("+ OK\r\n")
	return nil // the next Read sends it
}

// lose ends a session whose connection has failed, or must look as if it had.
func (s *session) lose(err error) {
	switch {
	case errors.Is(err, serve.ErrShutdown):
		s.bye("[UNAVAILABLE] The server is shutting down")
		s.log.Info("session ended by shutdown")
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.bye("Autologout; you were idle for too long")
		s.log.Info("session timed out", "user", s.user)
	case errors.Is(err, wire.ErrFlood):
		s.bye("[LIMIT] Too much input")
		s.log.Warn("session ended: endless command", "user", s.user)
	default:
		s.log.Info("session ended without LOGOUT", "user", s.user, "err", err)
	}
}

// bye says why the server ends the session.
func (s *session) bye(text string) {
	if !s.partway && !s.linger {
		s.out.Print("* BYE ", text, "\r\n")
	}
	s.ended, s.linger = true, true
}

// end leaves nothing unsent, whatever ended the session.
func (s *session) end() {
	if p := recover(); p != nil {
		s.log.Error("panic in a session", "panic", p, "stack", string(debug.Stack()))
		s.bye("[SERVERBUG] Internal error")
	}
	s.out.Flush()
	s.in.Release()
	if s.linger {
		s.conn.Linger()
	}
}

// savedUIDs is what "$" stands for (RFC 5182).
func (s *session) savedUIDs() mailparts.UIDSet { return s.box.view.uids.Intersect(s.box.saved) }
