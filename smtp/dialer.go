package smtp

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
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
	// this machine. With it TLSOpportunistic is TLSMandatory, unless the server is
	// on this machine. See PasswordAuth.
	Auth func(mechanisms []string) (gosasl.Client, error)

	DialTimeout    time.Duration // for a connection [30 s]
	CommandTimeout time.Duration // for a reply [5 min]
	DataTimeout    time.Duration // for a block of the message to be taken [3 min]
	EndTimeout     time.Duration // for the reply to a whole message [10 min]

	// NoChunking sends messages by DATA to servers that offer CHUNKING (RFC 3030),
	// should its BDAT be broken. Only a BINARYMIME message goes by BDAT still, as it
	// can go by nothing else.
	NoChunking bool

	// NetDial connects; nil: net.Dialer. The network is "tcp" or "unix".
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	Logger  *slog.Logger // nil: discard
}

// Dial connects to addr, "host:port" or "unix:/path", and returns when the server
// is ready for mail: after its greeting, EHLO, STARTTLS and AUTH. Its errors are
// *mailparts.Error: those of the server as it said them, all others temporary.
func (d *Dialer) Dial(ctx context.Context, addr string) (*Client, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		return d.dial(ctx, "unix", path, "localhost")
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &mailparts.Error{Code: 451, Status: "4.3.5", Message: "Bad address of a server", Err: err}
	}
	return d.dial(ctx, "tcp", addr, cmp.Or(host, "localhost"))
}

// dial is Dial for a host whose address is known: host is its name in
// certificates and results.
func (d *Dialer) dial(ctx context.Context, network, addr, host string) (*Client, error) {
	c, err := d.open(ctx, network, addr, host, d.TLS)
	if mayFallBack(ctx, err) {
		serve.Logger(d.Logger).WarnContext(ctx, "TLS failed, going on in plaintext", "protocol", d.protocol(), "host", host, "addr", addr, "err", err)
		c, err = d.open(ctx, network, addr, host, TLSNone)
	}
	return c, err
}

// open connects once.
func (d *Dialer) open(ctx context.Context, network, addr, host string, mode TLSMode) (*Client, error) {
	nc, err := d.connect(ctx, network, addr)
	if err != nil {
		return nil, &mailparts.Error{Code: 451, Status: "4.4.1", Message: "No connection to " + host, Err: err}
	}
	c := d.client(nc, host)
	if err := d.prepare(ctx, c, mode); err != nil {
		return nil, c.end(err)
	}
	return c, nil
}

func (d *Dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if t := serve.Limit(d.DialTimeout, 30*time.Second); t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	if d.NetDial != nil {
		return d.NetDial(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func (d *Dialer) client(nc net.Conn, host string) *Client {
	conn := &clientConn{raw: nc, nc: nc, block: serve.Limit(d.DataTimeout, 3*time.Minute)}
	return &Client{
		conn:     conn,
		r:        line.NewReader(conn),
		w:        bufio.NewWriterSize(conn, clientBuffer),
		host:     host,
		lmtp:     d.LMTP,
		chunking: !d.NoChunking,
		replyIn:  serve.Limit(d.CommandTimeout, 5*time.Minute),
		resultIn: serve.Limit(d.EndTimeout, 10*time.Minute),
	}
}

// prepare takes a new connection to where it takes mail.
func (d *Dialer) prepare(ctx context.Context, c *Client, mode TLSMode) error {
	defer c.conn.bind(ctx)()
	if mode == TLSImplicit {
		if err := d.handshake(ctx, c, true); err != nil {
			return err
		}
	}
	if err := c.greeting(); err != nil {
		return err
	}
	name := serve.Hostname(d.Hostname)
	if err := c.hello(name); err != nil {
		return err
	}
	if mode == TLSOpportunistic || mode == TLSMandatory {
		must := mode == TLSMandatory || d.Auth != nil && !c.conn.private()
		secured, err := d.startTLS(ctx, c, must)
		if err != nil {
			return err
		}
		if secured { // RFC 3207 section 4.2
			if err := c.hello(name); err != nil {
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
