package imap

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

// Server is an IMAP server. The zero value of every field works; for every limit 0 is
// the default in brackets and a negative value is none. Fields must not change once a
// Serve method has been called, and a Server must not be copied.
type Server struct {
	Addr      string            // [":143"; ":993" for ListenAndServeTLS]
	Hostname  string            // in the greeting [os.Hostname]
	Backend   mailparts.Backend // nil: nobody has mailboxes
	TLSConfig *tls.Config       // nil: no STARTTLS

	Auth       sasl.Authenticator // nil: no LOGIN, and no AUTHENTICATE without Mechanisms
	Mechanisms []sasl.Mechanism   // nil: sasl.Mechanisms(Auth)

	// AllowInsecureAuth lets passwords be shown without TLS: LOGIN and the mechanisms
	// that are Plaintext. It is for networks that nobody else can read (RFC 8314
	// section 4.1).
	AllowInsecureAuth bool

	// AcceptRawHeaders has APPEND take headers that are not US-ASCII from clients too that
	// have enabled neither UTF8=ACCEPT nor IMAP4rev2, against RFC 9755 section 4: those of
	// old mail and of spam are what such a client cannot move to the server otherwise.
	AcceptRawHeaders bool

	// ID is what the server says of itself (RFC 2971 section 3.3), such as "name" and
	// "version". nil: NIL.
	ID map[string]string

	// ProxyFrom is who must begin each connection with the PROXY protocol, version 1
	// or 2, before TLS: the client that it tells of is the connection's, for
	// MaxConnsPerAddr too. nil: nobody, and a header is no command.
	ProxyFrom []netip.Prefix

	// BaseContext and ConnContext are net/http's. A session's context ends with its
	// connection.
	BaseContext func(net.Listener) context.Context
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	MaxConns         int // [20000]
	MaxConnsPerAddr  int // per IPv4 address or IPv6 /64 [100]
	MaxErrors        int // malformed, unknown or misplaced commands in a row; before log-in, three [20]
	MaxLoginFailures int // failed LOGIN and AUTHENTICATE commands in a session [3]

	// MaxMessageSize is the longest message of APPEND, in octets (RFC 7889). [100 MB]
	MaxMessageSize int64
	// MaxCommandSize is what one command may have in literals that are no messages, in
	// octets. Before log-in it is 8 KB at most. [256 KB]
	MaxCommandSize int64

	// LoginTimeout is how long a client may take to log in. [1 min]
	LoginTimeout time.Duration
	// Timeout is the autologout timer: what a client may take to send its next
	// command, or in IDLE to end it. RFC 9051 section 5.4 wants half an hour at least.
	// [30 min]
	Timeout time.Duration

	Logger *slog.Logger // nil: discard

	engine serve.Engine
}

// The defaults of Server's limits.
const (
	defaultMaxConns         = 20000
	defaultMaxConnsPerAddr  = 100
	defaultMaxErrors        = 20
	defaultMaxLoginFailures = 3
	defaultMaxMessageSize   = 100 << 20
	defaultMaxCommandSize   = 256 << 10
	defaultLoginTimeout     = time.Minute
	defaultTimeout          = 30 * time.Minute
)

// ListenAndServe listens on Addr and serves there as Serve does.
func (s *Server) ListenAndServe() error {
	l, err := serve.Listen(cmp.Or(s.Addr, ":143"))
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe with TLS from the first octet (RFC 8314 section
// 3.2). It needs TLSConfig.
func (s *Server) ListenAndServeTLS() error {
	if s.TLSConfig == nil {
		return errNoTLSConfig
	}
	l, err := serve.Listen(cmp.Or(s.Addr, ":993"))
	if err != nil {
		return err
	}
	return s.ServeTLS(l)
}

// Serve accepts connections on l, which begin in plaintext, until Shutdown or Close, and
// then returns mailparts.ErrServerClosed. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, nil) }

// ServeTLS is Serve with TLS from the first octet. l is the listener below TLS. It needs
// TLSConfig.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.TLSConfig == nil {
		l.Close()
		return errNoTLSConfig
	}
	return s.serve(l, s.TLSConfig)
}

var errNoTLSConfig = errors.New("imap: TLS needs Server.TLSConfig")

func (s *Server) serve(l net.Listener, implicit *tls.Config) error {
	return s.engine.Serve(l, serve.Config{
		Protocol:        "imap",
		TLSConfig:       implicit,
		Busy:            "* BYE [UNAVAILABLE] Too many connections, please try again later\r\n",
		MaxConns:        serve.Limit(s.MaxConns, defaultMaxConns),
		MaxConnsPerAddr: serve.Limit(s.MaxConnsPerAddr, defaultMaxConnsPerAddr),
		ProxyFrom:       s.ProxyFrom,
		BaseContext:     s.BaseContext,
		ConnContext:     s.ConnContext,
		Logger:          serve.Logger(s.Logger),
		Handle:          func(ctx context.Context, c *serve.Conn) { newSession(ctx, s, c).serve() },
	})
}

// Shutdown stops listening, says BYE to idle clients, waits for commands that are being
// run, and closes what is left when ctx ends: then it returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error { return s.engine.Shutdown(ctx) }

// Close closes all listeners and connections at once.
func (s *Server) Close() error { return s.engine.Close() }
