package smtp

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime/debug"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/internal/serve"
)

// session is one connection. All of it runs on the goroutine of its serve.Conn.
type session struct {
	*settings
	ctx     context.Context
	conn    *serve.Conn
	in      *line.Reader
	out     replies
	peer    *mailparts.Peer // replaced, never changed
	remote  netip.AddrPort  // the peer's address, which XCLIENT changes
	local   netip.AddrPort  // the address that it connected to, likewise
	esmtp   bool            // EHLO or LHLO was the last greeting
	tx      *transaction    // nil: none is open
	refused int             // commands, for good, since the last accepted message
	junk    int             // commands that move no mail, likewise
	tarpit  tarpit
	barred  error // what the peer, which Admit has refused, is told; nil: it is welcome
	parting bool  // the peer said QUIT
	over    bool  // close the connection once out is flushed
	waits   bool  // for a command, and no read for it was under way yet
}

func newSession(ctx context.Context, c *settings, conn *serve.Conn) *session {
	s := &session{settings: c, ctx: ctx, conn: conn, remote: conn.Remote(), local: conn.Local()}
	s.out.w = s
	s.in = line.NewReader(s)
	s.peer = s.newPeer()
	return s
}

// newPeer is what is known of the peer before its first EHLO.
func (s *session) newPeer() *mailparts.Peer {
	p := &mailparts.Peer{Addr: s.remote, Local: s.local, TLS: s.conn.TLS()}
	p.Trusted = s.among(s.Trusted, p)
	p.Protocol = s.transmission(p, false)
	return p
}

// among reports whether p has the rights of prefixes. A client that a proxy told
// nothing of shows the proxy's address, and has none.
func (s *session) among(prefixes []netip.Prefix, p *mailparts.Peer) bool {
	return !s.conn.Unknown() && serve.Contains(prefixes, p.Addr.Addr())
}

// Read is where in's input comes from: it flushes the replies when the input is
// drained. Only execute does so before that (RFC 2920 section 3.2).
func (s *session) Read(p []byte) (int, error) {
	if err := s.out.flush(); err != nil {
		return 0, err
	}
	if s.waits {
		s.waits = false
		s.conn.Within(s.commandTimeout)
		s.conn.Idle(true)
	}
	return s.conn.Read(p)
}

// serve runs the session from greeting to end.
func (s *session) serve() {
	defer s.end()
	switch err := s.holdGreeting(); {
	case err == nil:
		s.greet()
	case err == errEarlyTalker:
		s.bar(err)
	default:
		s.lost(err)
	}
	for !s.over {
		if s.conn.ShuttingDown() {
			s.refuse("", errShutdown)
			return
		}
		l, err := s.readLine(maxAuthLine)
		if err != nil {
			s.badLine(l, err)
			continue
		}
		s.execute(l)
	}
}

// lostError is a command's answer that the connection has failed, and the command
// with it.
type lostError struct{ error }

// end is every way out of a session. A panic of a Receiver, an Authenticator or
// anything else that the wiring gave is answered here.
func (s *session) end() {
	if p := recover(); p != nil {
		s.panicked(p)
	}
	s.out.flush()
	s.in.Release()
	s.reset()
	if !s.parting && s.out.err == nil {
		s.conn.Linger() // a peer that is still sending must hear why
	}
}

// panicked hangs up after a panic, on whose stack it is called.
func (s *session) panicked(p any) {
	s.logger().Error("panic in a session", "panic", p, "stack", string(debug.Stack()))
	s.refuse("", errPanic)
}

// readLine waits for a line of the peer; meanwhile Shutdown may interrupt. A line
// that is here already costs no look at the clock.
func (s *session) readLine(max int) ([]byte, error) {
	s.waits = true
	l, err := s.in.ReadLine(max)
	if !s.waits {
		s.conn.Idle(false)
	}
	s.waits = false
	return l, err
}

// greet is RFC 5321 section 3.1, and RFC 7504 section 3 where no one receives.
func (s *session) greet() {
	switch {
	case s.Receiver == nil:
		s.out.plain(521, s.hostname+" does not accept mail")
	case !s.welcome():
	case s.LMTP:
		s.out.plain(220, s.hostname+" LMTP")
	default:
		s.out.plain(220, s.hostname+" ESMTP")
	}
}

// reset ends the transaction, if one is open, and forgets its origin.
func (s *session) reset() {
	s.forgetOrigin()
	if tx := s.tx; tx != nil {
		s.tx = nil
		tx.Close()
	}
}

// logger tells of which connection and message a record is.
func (s *session) logger() *slog.Logger {
	if !s.log.Enabled(s.ctx, slog.LevelError) {
		return s.log // nobody listens
	}
	l := s.log.With("protocol", s.protocol(), "remote", s.peer.Addr)
	if s.peer.User != "" {
		l = l.With("user", s.peer.User)
	}
	if s.tx != nil {
		l = l.With("id", s.tx.env.ID)
		if p := s.tx.env.Priority; p != 0 { // RFC 6710 section 4.1
			l = l.With("priority", p)
		}
	}
	return l
}
