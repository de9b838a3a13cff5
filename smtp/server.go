package smtp

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
	"github.com/mailparts/mailparts/sasl"
)

// Server is an ESMTP server, or with LMTP an LMTP one. The zero value of every
// field works; for every limit 0 is the default in brackets and a negative value
// is none. Fields must not change once a Serve has begun.
//
// A message is answered with what Transaction.Data returned. An [mailparts.Error]
// goes to the peer as it stands, and with Code 421 it ends the connection, unless
// it has a Host, whose connection that was: then it is 451. Any other error is logged and answered 451 without a word of it; a panic is logged
// and answered 421. LMTP has one reply per recipient. SMTP has one for all, so
// [mailparts.RcptErrors] that differ cannot be told, and Server answers what loses
// no mail: a temporary failure, if there is one, and the peer sends to everyone
// again; else a permanent one, and the sender learns from the peer's bounce that
// not everyone has the message. A Receiver avoids both by refusing at RCPT.
//
// A Data that returns nil before it has read io.EOF has accepted a message that
// it did not want to see: the rest is read and dropped, and 250 sent at its end.
type Server struct {
	Addr      string             // ListenAndServe's [":25", with LMTP "localhost:24"]; "unix:/path" is a socket
	Hostname  string             // in the greeting, EHLO and Received [os.Hostname]
	Receiver  mailparts.Receiver // nil: 521 and no mail (RFC 7504)
	TLSConfig *tls.Config        // nil: no STARTTLS
	LMTP      bool               // RFC 2033: ListenAndServe refuses TCP's port 25 for it

	// Mechanisms that show a password are offered under TLS only, or with
	// AllowInsecureAuth.
	Auth        sasl.Authenticator // nil: no AUTH, unless there are Mechanisms
	Mechanisms  []sasl.Mechanism   // nil: sasl.Mechanisms(Auth)
	RequireAuth bool               // MAIL needs AUTH: RFC 6409
	RequireTLS  bool               // MAIL and AUTH need TLS: RFC 3207 section 4

	// AllowInsecureAuth lets mechanisms that show a password be used without TLS. It
	// is for networks that nobody else can read (RFC 8314 section 4.1).
	AllowInsecureAuth bool

	// Extensions are promises that only Receiver, and what lies behind it, can keep:
	// EHLO keywords with their parameters, as EHLO shows them ("DSN", "DELIVERBY 240";
	// "FUTURERELEASE 604800" gets its date then). Those are DSN, REQUIRETLS, BINARYMIME, DELIVERBY, MT-PRIORITY, FUTURERELEASE and
	// RRVS; the table in the package comment tells what each one promises. All other
	// extensions are offered without being named, each where it is legal and has a
	// use. Serve returns an error for one that it does not know, or with parameters
	// that it has not.
	Extensions []string

	// Domain completes an address of MAIL or RCPT that has none, as some clients of
	// a submission server send them (RFC 6409 section 6.1). "": it is refused. RCPT's
	// "postmaster" stays as it is (RFC 5321 section 4.5.1). Serve returns an error for
	// one that is no domain in US-ASCII.
	Domain string

	Trusted   []netip.Prefix // may relay without AUTH: Peer.Trusted
	ProxyFrom []netip.Prefix // must begin with the PROXY protocol, version 1 or 2; a client that it tells nothing of has no rights by address
	XFrom     []netip.Prefix // may use XCLIENT and XFORWARD (Postfix's XCLIENT_README and XFORWARD_README)

	// Admit has its say before the greeting, and each time the Peer is known better:
	// after EHLO or HELO, STARTTLS, AUTH and XCLIENT. An error refuses the peer: at
	// the greeting with 554 (RFC 5321 section 3.1), or if it is temporary as it
	// stands, later as the answer to that command, and one of Code 421 ends the
	// connection. Who is refused at EHLO or AUTH is who it was before: without that
	// name, or not authenticated. After STARTTLS no reply is due; all commands that
	// follow but QUIT are refused instead, as they are after the greeting. nil: everyone.
	Admit func(ctx context.Context, p *mailparts.Peer) error

	// Verify, Expand and Flush answer VRFY, EXPN and ETRN (RFC 1985). nil: 252, which
	// tells nothing, 502 and 502. They wait for TLS and AUTH as MAIL does.
	//
	// Verify returns a mailbox and Expand those on a list, each as "Name <local@domain>"
	// or the address alone (RFC 5321 section 3.5), of 500 octets at most. A name that
	// may mean several is an *mailparts.Error of Code 553. Flush begins to send what
	// waits for node: a domain, "@" and a domain for all below it too, or "#" and the
	// name of a queue. An *mailparts.Error whose Code is 251 or 252, from Flush 253 too,
	// is no refusal: it is said in the place of 250.
	Verify func(ctx context.Context, p *mailparts.Peer, name string) (string, error)
	Expand func(ctx context.Context, p *mailparts.Peer, list string) ([]string, error)
	Flush  func(ctx context.Context, p *mailparts.Peer, node string) error

	// BaseContext and ConnContext are net/http's. ctx ends with the connection.
	BaseContext func(net.Listener) context.Context
	ConnContext func(ctx context.Context, c net.Conn) context.Context

	MaxConns, MaxConnsPerAddr int   // [1000, 20]; an address is an IPv6 network of 64 bits
	MaxMessageBytes           int64 // [50 MB] of content, without the Received field
	MaxRecipients             int   // [1000] per message
	MaxErrors                 int   // [10] commands refused for good since the last message that was accepted
	MaxJunk                   int   // [100] commands that move no mail, such as NOOP and RSET, since then

	// CommandTimeout is for a whole command line to come [5 min]. DataTimeout is for
	// every 32 KB of a message [3 min]; the time that Receiver takes does not count.
	CommandTimeout, DataTimeout time.Duration

	// BannerDelay is how long the greeting is held back [0]. Who talks before it does
	// not wait for replies, as programs do that only send spam, and is refused with
	// 554. ErrorDelay is how long a peer waits for a reply that refuses, once it had
	// three of them since its last accepted message [0]; the replies to what it
	// pipelined wait together, but for those that RFC 2920 section 3.2 does not let be held back.
	BannerDelay, ErrorDelay time.Duration

	// NormalizeLines makes a CR or LF alone in a message a CRLF, as some clients of
	// a submission server need. Without it such a message is refused: on its way
	// through servers that disagree on what ends a line, it smuggles others in.
	NormalizeLines bool

	Logger *slog.Logger // nil: discard

	minDiscard int64 // [minDiscard], for tests that need not send as much
	engine     serve.Engine
}

// ListenAndServe listens on Addr and serves until Shutdown or Close; the error is
// then mailparts.ErrServerClosed.
func (s *Server) ListenAndServe() error {
	addr := cmp.Or(s.Addr, ":25")
	if s.LMTP {
		addr = cmp.Or(s.Addr, "localhost:24")
	}
	if s.LMTP && isSMTPPort(addr) {
		return errLMTPPort
	}
	l, err := serve.Listen(addr)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// ListenAndServeTLS is ListenAndServe with TLS from the first octet (RFC 8314
// section 3.3), on ":465" if Addr is empty. It needs a TLSConfig.
func (s *Server) ListenAndServeTLS() error {
	if s.TLSConfig == nil {
		return errNoTLSConfig
	}
	l, err := serve.Listen(cmp.Or(s.Addr, ":465"))
	if err != nil {
		return err
	}
	return s.ServeTLS(l)
}

// Serve accepts connections on l, which it closes, until Shutdown or Close; the
// error is then mailparts.ErrServerClosed. One Server may serve many listeners.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, nil) }

// ServeTLS is Serve with TLS from the first octet. It needs a TLSConfig.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.TLSConfig == nil {
		l.Close()
		return errNoTLSConfig
	}
	return s.serve(l, s.TLSConfig)
}

func (s *Server) serve(l net.Listener, implicit *tls.Config) error {
	c, err := s.settings()
	if err != nil {
		l.Close()
		return err
	}
	return s.engine.Serve(l, serve.Config{
		Protocol:        c.protocol(),
		TLSConfig:       implicit,
		Busy:            "421 4.3.2 " + c.hostname + " Too many connections, try again later\r\n",
		MaxConns:        serve.Limit(s.MaxConns, 1000),
		MaxConnsPerAddr: serve.Limit(s.MaxConnsPerAddr, 20),
		ProxyFrom:       s.ProxyFrom,
		BaseContext:     s.BaseContext,
		ConnContext:     s.ConnContext,
		Logger:          c.log,
		Handle:          func(ctx context.Context, conn *serve.Conn) { newSession(ctx, c, conn).serve() },
	})
}

// Shutdown stops accepting, says 421 to idle peers, waits for commands and
// messages under way to be answered, and when ctx ends closes what is left and
// returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error { return s.engine.Shutdown(ctx) }

// Close closes all listeners and connections at once.
func (s *Server) Close() error { return s.engine.Close() }

// ListenAndServe receives mail for d at addr.
func ListenAndServe(addr string, d mailparts.Deliverer) error {
	return (&Server{Addr: addr, Receiver: mailparts.AsReceiver(d)}).ListenAndServe()
}

// settings is a Server with its defaults applied.
type settings struct {
	*Server
	hostname                    string
	maxMessage                  int64
	maxRecipients               int
	maxErrors, maxJunk          int
	commandTimeout, dataTimeout time.Duration
	promises                    map[string]string // Extensions: keyword and parameters
	log                         *slog.Logger
}

func (s *Server) settings() (*settings, error) {
	promises, err := parsePromises(s.Extensions)
	if err == nil {
		err = checkDomain(s.Domain)
	}
	if err != nil {
		return nil, err
	}
	return &settings{
		Server:         s,
		hostname:       serve.Hostname(s.Hostname),
		maxMessage:     serve.Limit(s.MaxMessageBytes, 50<<20),
		maxRecipients:  serve.Limit(s.MaxRecipients, 1000),
		maxErrors:      serve.Limit(s.MaxErrors, 10),
		maxJunk:        serve.Limit(s.MaxJunk, 100),
		commandTimeout: serve.Limit(s.CommandTimeout, 5*time.Minute),
		dataTimeout:    serve.Limit(s.DataTimeout, 3*time.Minute),
		promises:       promises,
		log:            serve.Logger(s.Logger),
	}, nil
}

// protocol is the name in logs and for sasl.Conn.
func (s *settings) protocol() string {
	if s.LMTP {
		return "lmtp"
	}
	return "smtp"
}

// mechanisms is what AUTH takes on this connection.
func (s *settings) mechanisms() []sasl.Mechanism {
	if s.Mechanisms != nil || s.Auth == nil {
		return s.Mechanisms
	}
	return sasl.Mechanisms(s.Auth)
}
