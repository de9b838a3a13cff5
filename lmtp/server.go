package lmtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// Server is an LMTP server (RFC 2033): smtp.Server without what LMTP has no use
// for, and with one reply per recipient. The zero value of every field works; for
// every limit 0 is the default in brackets and a negative value is none. Fields
// must not change once a Serve has begun.
//
// Who may connect may deliver, to anyone, so Addr must not be where strangers
// are (RFC 2033 section 5): a unix socket, a loopback address, or one with Auth.
type Server struct {
	Addr      string             // of ListenAndServe, "host:port" or "unix:/path" ["localhost:24"]
	Hostname  string             // in the greeting, LHLO and Received [os.Hostname]
	Receiver  mailparts.Receiver // nil: no mail
	TLSConfig *tls.Config        // nil: no STARTTLS

	Auth        sasl.Authenticator // nil: no AUTH
	RequireAuth bool               // MAIL needs AUTH
	RequireTLS  bool               // MAIL and AUTH need TLS

	// The promises of Receiver, who must begin with the PROXY protocol, who may use
	// XCLIENT and XFORWARD, and who is let in: as in smtp.Server.
	Extensions []string
	ProxyFrom  []netip.Prefix
	XFrom      []netip.Prefix
	Admit      func(ctx context.Context, p *mailparts.Peer) error

	// BaseContext and ConnContext are net/http's. ctx ends with the connection.
	BaseContext func(net.Listener) context.Context
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	MaxConns, MaxConnsPerAddr int   // [1000, none]: the peers are few, and ours
	MaxMessageBytes           int64 // [50 MB] of content, without the Received field
	MaxRecipients             int   // [1000] per message
	MaxErrors                 int   // [10] commands refused for good since the last message that was accepted
	MaxJunk                   int   // [none] commands that move no mail, such as NOOP and RSET, since then

	CommandTimeout time.Duration // for a whole command line to come [5 min]
	DataTimeout    time.Duration // for every 32 KB of a message [3 min]

	Logger *slog.Logger // nil: discard

	once   sync.Once
	engine smtp.Server
}

// server is the engine, with the fields as they are at the first Serve.
func (s *Server) server() *smtp.Server {
	s.once.Do(func() {
		e := &s.engine
		e.LMTP = true
		e.Addr, e.Hostname = cmp.Or(s.Addr, "localhost:24"), s.Hostname
		e.Receiver, e.TLSConfig = s.Receiver, s.TLSConfig
		e.Auth, e.RequireAuth, e.RequireTLS = s.Auth, s.RequireAuth, s.RequireTLS
		e.Extensions, e.ProxyFrom, e.XFrom, e.Admit = s.Extensions, s.ProxyFrom, s.XFrom, s.Admit
		e.BaseContext, e.ConnContext = s.BaseContext, s.ConnContext
		e.MaxConns, e.MaxConnsPerAddr = s.MaxConns, cmp.Or(s.MaxConnsPerAddr, -1)
		e.MaxMessageBytes, e.MaxRecipients, e.MaxErrors = s.MaxMessageBytes, s.MaxRecipients, s.MaxErrors
		e.MaxJunk = cmp.Or(s.MaxJunk, -1)
		e.CommandTimeout, e.DataTimeout = s.CommandTimeout, s.DataTimeout
		e.Logger = s.Logger
	})
	return &s.engine
}

// ListenAndServe listens on Addr and serves until Shutdown or Close; the error is
// then mailparts.ErrServerClosed.
func (s *Server) ListenAndServe() error { return s.server().ListenAndServe() }

// Serve accepts connections on l, which it closes, until Shutdown or Close; the
// error is then mailparts.ErrServerClosed. One Server may serve many listeners.
func (s *Server) Serve(l net.Listener) error { return s.server().Serve(l) }

// ServeTLS is Serve with TLS from the first octet. It needs a TLSConfig.
func (s *Server) ServeTLS(l net.Listener) error { return s.server().ServeTLS(l) }

// Shutdown stops listening, says goodbye to idle peers, waits for those that are
// busy, and closes what is left when ctx ends: then it returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error { return s.server().Shutdown(ctx) }

// Close closes all listeners and connections at once.
func (s *Server) Close() error { return s.server().Close() }

// ListenAndServe receives mail for d at addr, "host:port" or "unix:/path", by
// LMTP.
func ListenAndServe(addr string, d mailparts.Deliverer) error {
	return (&Server{Addr: addr, Receiver: mailparts.AsReceiver(d)}).ListenAndServe()
}
