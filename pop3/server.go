package pop3

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/sasl"
)

// Server is a POP3 server. The zero value of every field works; for every limit
// 0 is the default in brackets and a negative value is none. Fields must not
// change once a Serve method has been called, and a Server must not be copied.
type Server struct {
	Addr      string            // [":110"; ":995" for ListenAndServeTLS]
	Hostname  string            // in the greeting [os.Hostname]
	Backend   mailparts.Backend // nil: nobody has a maildrop
	TLSConfig *tls.Config       // nil: no STLS

	Auth       sasl.Authenticator // nil: no USER, and no AUTH without Mechanisms
	Mechanisms []sasl.Mechanism   // nil: sasl.Mechanisms(Auth)

	// AllowInsecureAuth lets passwords be shown without TLS: USER with PASS and
	// the mechanisms that are Plaintext. It is for networks that nobody else can
	// read (RFC 8314 section 4.1).
	AllowInsecureAuth bool

	// ProxyFrom is who must begin each connection with the PROXY protocol, version 1
	// or 2, before TLS: the client that it tells of is the connection's, for
	// MaxConnsPerAddr too. nil: nobody, and a header is no command.
	ProxyFrom []netip.Prefix

	// BaseContext and ConnContext are net/http's. A session's context ends with
	// its connection.
	BaseContext func(net.Listener) context.Context
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	MaxConns         int // [1000]
	MaxConnsPerAddr  int // per IPv4 address or IPv6 /64 [20]
	MaxErrors        int // malformed, unknown or misplaced commands in a row [10]
	MaxLoginFailures int // failed PASS and AUTH commands in a session [3]

	// Timeout is the autologout timer: what a client may take to send its next
	// command. RFC 1939 section 3 wants ten minutes at least. [10 min]
	Timeout time.Duration
	// LockTimeout is how long a login waits for a maildrop that another session
	// has locked, before it is refused with [IN-USE] (RFC 2449 section 8.1.2). [10 s]
	LockTimeout time.Duration

	Logger *slog.Logger // nil: discard

	engine serve.Engine
	locks  locks
}

// The defaults of Server's limits.
const (
	defaultMaxConns         = 1000
	defaultMaxConnsPerAddr  = 20
	defaultMaxErrors        = 10
	defaultMaxLoginFailures = 3
	defaultTimeout          = 10 * time.Minute
	defaultLockTimeout      = 10 * time.Second
)

// ListenAndServe listens on Addr and serves there as Serve does.
func (s *Server) ListenAndServe() error {
	l, err := serve.Listen(cmp.Or(s.Addr, ":110"))
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe with TLS from the first octet (RFC 8314
// section 3.2). It needs TLSConfig.
func (s *Server) ListenAndServeTLS() error {
	if s.TLSConfig == nil {
		return errNoTLSConfig
	}
	l, err := serve.Listen(cmp.Or(s.Addr, ":995"))
	if err != nil {
		return err
	}
	return s.ServeTLS(l)
}

// Serve accepts connections on l, which begin in plaintext, until Shutdown or
// Close, and then returns mailparts.ErrServerClosed. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, nil) }

// ServeTLS is Serve with TLS from the first octet. l is the listener below TLS.
// It needs TLSConfig.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.TLSConfig == nil {
		l.Close()
		return errNoTLSConfig
	}
	return s.serve(l, s.TLSConfig)
}

var errNoTLSConfig = errors.New("pop3: TLS needs Server.TLSConfig")

func (s *Server) serve(l net.Listener, implicit *tls.Config) error {
	return s.engine.Serve(l, serve.Config{
		Protocol:        "pop3",
		TLSConfig:       implicit,
		Busy:            "-ERR [SYS/TEMP] Too many connections, please try again later\r\n",
		MaxConns:        serve.Limit(s.MaxConns, defaultMaxConns),
		MaxConnsPerAddr: serve.Limit(s.MaxConnsPerAddr, defaultMaxConnsPerAddr),
		ProxyFrom:       s.ProxyFrom,
		BaseContext:     s.BaseContext,
		ConnContext:     s.ConnContext,
		Logger:          serve.Logger(s.Logger),
		Handle:          func(ctx context.Context, c *serve.Conn) { newSession(ctx, s, c).serve() },
	})
}

// Shutdown stops listening, tells idle clients that the server goes down, waits
// for commands that are being run, and closes what is left when ctx ends: then
// it returns ctx's error. What clients have marked as deleted stays: only QUIT
// deletes.
func (s *Server) Shutdown(ctx context.Context) error { return s.engine.Shutdown(ctx) }

// Close closes all listeners and connections at once.
func (s *Server) Close() error { return s.engine.Close() }
