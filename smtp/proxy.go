package smtp

import (
	"context"
	"io"
	"reflect"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// Proxy is a Receiver that passes each command on to another server, the next
// hop, and its answers back: nothing is taken responsibility for here. In front
// of an MTA it is what a before-queue filter sits in, as Postfix's
// smtpd_proxy_filter and its content filters do it: what the chain of filters
// around it refuses is refused while the peer is still there, and nobody has to
// bounce it.
//
//	s := &smtp.Server{Receiver: mailparts.Chain(&smtp.Proxy{Addr: "localhost:10025"}, check)}
//
// What the next hop says, the peer is told, for each recipient and for the
// message. A next hop that cannot be reached, or does not let us in, is a
// temporary failure. It has to offer what the Server does: a Proxy's
// Server.Extensions are to be some of its. If a filter changes the Envelope with the
// message, the next hop hears all of it anew, before the message.
//
// The next hop is told by XFORWARD whom the mail is from, where it offers that and
// takes what it is told. It sees mail of its own clients in all that comes, so it
// must trust us to have checked what the peer may send.
type Proxy struct {
	Addr   string // "host:port" or "unix:/path" of the next hop
	Dialer Dialer // TLS, AUTH and timeouts of the connections to it
	Pool   Pool   // keeps them for the next message
}

var _ mailparts.Receiver = (*Proxy)(nil)

// Mail implements mailparts.Receiver.
func (p *Proxy) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	addr, err := parseClientAddr(p.Addr)
	if err != nil {
		return nil, err
	}
	t := (*HostTLS)(nil).forDialer(&p.Dialer).forEnvelope(env)
	key := p.Dialer.poolKey(addr, t)
	if conn := p.Pool.take(ctx, key, t, env); conn != nil {
		tx, err := p.begin(ctx, conn, env)
		if err == nil || conn.err == nil || ctx.Err() != nil {
			return tx, err
		} // else it had ended while it was idle
	}
	c, err := p.Dialer.dial(ctx, addr, t)
	if err != nil {
		return nil, nextHopDown(err)
	}
	return p.begin(ctx, &pooledConn{Client: c, key: key, tls: *t}, env)
}

// begin opens the transaction on conn, or puts conn back.
func (p *Proxy) begin(ctx context.Context, conn *pooledConn, env *mailparts.Envelope) (mailparts.Transaction, error) {
	conn.used++
	err := p.introduce(ctx, conn, env.Peer)
	if err == nil {
		err = conn.Mail(ctx, env)
	}
	if err != nil {
		p.put(ctx, conn)
		return nil, err
	}
	return &proxyTransaction{proxy: p, conn: conn, env: env, said: *env}, nil
}

// introduce tells whom the next message is from.
func (p *Proxy) introduce(ctx context.Context, conn *pooledConn, peer *mailparts.Peer) error {
	if _, ok := conn.Extension("XFORWARD"); !ok || peer == nil {
		return nil
	}
	if conn.inMail { // XFORWARD has no place in a transaction that was left
		if err := conn.Reset(ctx); err != nil {
			return err
		}
	}
	err := conn.XForward(ctx, peer)
	if conn.err != nil {
		return nextHopDown(err)
	}
	if err != nil { // a Postfix without IPv6 takes no such address
		serve.Logger(p.Dialer.Logger).WarnContext(ctx, "the next hop does not hear whom a message is from", "protocol", "smtp", "host", conn.host, "err", err)
	}
	return nil
}

// nextHopDown is a failure before the mail was spoken of: no fault of the peer's.
func nextHopDown(err error) error {
	return &mailparts.Error{Code: 451, Status: "4.3.5", Message: "The next server cannot take mail now", Err: err}
}

// proxyTransaction is a transaction with the next hop.
type proxyTransaction struct {
	proxy *Proxy
	conn  *pooledConn
	env   *mailparts.Envelope
	said  mailparts.Envelope // as the next hop has heard it
}

// Rcpt implements mailparts.Transaction.
func (t *proxyTransaction) Rcpt(ctx context.Context, to *mailparts.Rcpt) error {
	err := t.conn.Rcpt(ctx, to)
	if err == nil {
		t.said.To = append(t.said.To, *to)
	}
	return err
}

// Data implements mailparts.Transaction. The peer gets its 354 once the next hop
// has said so: Client.Data reads msg only then.
func (t *proxyTransaction) Data(ctx context.Context, msg io.Reader) error {
	if t.changed() {
		if err := t.proxy.introduce(ctx, t.conn, t.env.Peer); err != nil {
			return err
		}
		return t.conn.Deliver(ctx, t.env, msg)
	}
	return t.conn.data(ctx, msg, func(i int, r clientReply) {
		mailparts.Report(ctx, t.env.To[i], t.conn.receipt(t.env, r))
	})
}

// changed reports whether a filter has changed what the next hop was told.
func (t *proxyTransaction) changed() bool {
	now := *t.env
	now.ID, now.Peer, now.Attrs = t.said.ID, t.said.Peer, t.said.Attrs // which nobody is told
	return !reflect.DeepEqual(now, t.said)
}

// Close implements mailparts.Transaction. A transaction that is still open ends
// with the connection's next one.
func (t *proxyTransaction) Close() { t.proxy.put(context.Background(), t.conn) }

// put keeps conn, unless its server limits the domains of a session: nobody knows
// at MAIL whether it has room for those to come.
func (p *Proxy) put(ctx context.Context, conn *pooledConn) {
	if conn.limits.domains > 0 {
		conn.Client.Close()
		return
	}
	p.Pool.put(ctx, conn)
}
