package smtp

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/line"
	"github.com/mailparts/mailparts/internal/serve"
)

// Dialer connects to SMTP and LMTP servers. The zero value is ready for use: it
// speaks SMTP, under TLS where the server has it. It may be used by many
// goroutines at once.
//
// For every timeout 0 is the default in brackets and a negative value is none.
// They roll: each command and each block of a message has its own (RFC 5321
// section 4.5.3.2). A context bounds the whole.
type Dialer struct {
	Hostname string // in EHLO [os.Hostname]
	LMTP     bool   // RFC 2033

	TLS TLSMode // [TLSOpportunistic]
	// TLSConfig is cloned for each connection. A ServerName of "" is the host's.
	TLSConfig *tls.Config

	// Auth picks one of the server's mechanisms; nil: no AUTH. It is shown those
	// with which its credentials are safe: PLAIN and LOGIN only under TLS or on
	// this machine. With it TLSOpportunistic and TLSEncrypted are TLSMandatory,
	// unless the server is on this machine. See PasswordAuth.
	Auth func(mechanisms []string) (gosasl.Client, error)

	DialTimeout    time.Duration // for a connection [30 s]
	CommandTimeout time.Duration // for a reply [5 min]
	DataTimeout    time.Duration // for a block of the message to be taken [3 min]
	EndTimeout     time.Duration // for the reply to a whole message [10 min]

	// NoChunking sends messages by DATA to servers that offer CHUNKING (RFC 3030),
	// should its BDAT be broken. Only a BINARYMIME message goes by BDAT still, as it
	// can go by nothing else.
	NoChunking bool

	// LocalAddrs are the addresses to connect from: the first of the far side's
	// family, and the system's choice where it has none. Not for NetDial.
	LocalAddrs []netip.Addr
	// NetDial connects; nil: net.Dialer. The network is "tcp" or "unix". A connection
	// whose RemoteAddr is a loopback address or a unix socket's counts as one to this
	// machine, where a password may go in the clear: for a tunnel that begins here,
	// set TLS to TLSMandatory.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	Logger  *slog.Logger // nil: discard
}

// Dial connects to addr, "host:port" or "unix:/path", and returns when the server
// is ready for mail: after its greeting, EHLO, STARTTLS and AUTH. Its errors are
// *mailparts.Error: those of the server as it said them, all others temporary.
func (d *Dialer) Dial(ctx context.Context, addr string) (*Client, error) {
	a, err := parseClientAddr(addr)
	if err != nil {
		return nil, err
	}
	return d.dial(ctx, a, (*HostTLS)(nil).forDialer(d))
}

// clientAddr is where a server is: host is its name in certificates and results.
type clientAddr struct{ network, addr, host string }

func parseClientAddr(addr string) (clientAddr, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return clientAddr{"unix", path, "localhost"}, nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return clientAddr{}, &mailparts.Error{Code: 451, Status: "4.3.5", Message: "Bad address of a server", Err: err}
	}
	return clientAddr{"tcp", addr, cmp.Or(host, "localhost")}, nil
}

// isHere reports whether a is on this machine by its name.
func (a clientAddr) isHere() bool {
	ip, err := netip.ParseAddr(a.host)
	return a.network == "unix" || a.host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// dial connects to a and makes it ready.
func (d *Dialer) dial(ctx context.Context, a clientAddr, t *HostTLS) (*Client, error) {
	nc, err := d.connect(ctx, a)
	if err != nil {
		return nil, noConnection(a.host, err)
	}
	return d.ready(ctx, nc, a, t)
}

func noConnection(host string, err error) error {
	return &mailparts.Error{Code: 451, Status: "4.4.1", Message: "No connection to " + host, Err: err}
}

// ready makes a connection to a ready for mail. Where TLS fails that need not be,
// it goes on in plaintext, on a new one.
func (d *Dialer) ready(ctx context.Context, nc net.Conn, a clientAddr, t *HostTLS) (*Client, error) {
	c, err := d.open(ctx, nc, a.host, t)
	if !mayFallBack(ctx, err) {
		return c, err
	}
	serve.Logger(d.Logger).WarnContext(ctx, "TLS failed, going on in plaintext", "protocol", d.protocol(), "host", a.host, "addr", a.addr, "err", err)
	plain := *t
	plain.Mode = TLSNone
	return d.dial(ctx, a, &plain)
}

// open makes nc ready, or closes it.
func (d *Dialer) open(ctx context.Context, nc net.Conn, host string, t *HostTLS) (*Client, error) {
	c := d.client(nc, host)
	if err := d.prepare(ctx, c, t); err != nil {
		return nil, c.end(err)
	}
	return c, nil
}

func (d *Dialer) client(nc net.Conn, host string) *Client {
	conn := &clientConn{raw: nc, nc: nc, block: serve.Limit(d.DataTimeout, 3*time.Minute)}
	return &Client{
		conn:     conn,
		r:        line.NewReader(conn),
		w:        bufio.NewWriterSize(conn, clientBuffer),
		host:     host,
		name:     serve.Hostname(d.Hostname),
		lmtp:     d.LMTP,
		chunking: !d.NoChunking,
		replyIn:  serve.Limit(d.CommandTimeout, 5*time.Minute),
		resultIn: serve.Limit(d.EndTimeout, 10*time.Minute),
	}
}

// prepare takes a new connection to where it takes mail.
func (d *Dialer) prepare(ctx context.Context, c *Client, t *HostTLS) error {
	defer c.conn.bind(ctx)()
	if d.Auth != nil && (t.Mode == TLSOpportunistic || t.Mode == TLSEncrypted) && !c.conn.private() {
		strict := *t
		strict.Mode, t = TLSMandatory, &strict
	}
	if t.Mode == TLSImplicit {
		if err := t.handshake(ctx, c); err != nil {
			return err
		}
	}
	if err := c.greeting(); err != nil {
		return err
	}
	if err := c.hello(c.name); err != nil {
		return err
	}
	if t.Mode != TLSImplicit && t.Mode != TLSNone {
		secured, err := t.startTLS(ctx, c)
		if err != nil {
			return err
		}
		if secured { // RFC 3207 section 4.2
			if err := c.hello(c.name); err != nil {
				return err
			}
		}
	}
	if d.Auth == nil {
		return nil
	}
	return c.authenticate(d.Auth)
}

func (d *Dialer) protocol() string {
	if d.LMTP {
		return "lmtp"
	}
	return "smtp"
}
