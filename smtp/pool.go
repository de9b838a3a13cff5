package smtp

import (
	"context"
	"crypto/tls"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/serve"
)

// Pool keeps the connections over which a message was sent for those that follow
// at once. Relay and lmtp.Client have one each; by itself it is for who sends much
// mail to one server. The zero value is ready for use. A Pool may be used by many
// goroutines at once, and must not be copied after first use.
//
// A connection serves one message at a time. It is used again for the same host,
// address, TLSConfig and use of AUTH, if it meets what is demanded of TLS; the
// rest of a Dialer must be the same for all that use one Pool. A transaction that
// was left open is ended by RSET, in one write with the next MAIL where the server
// has PIPELINING. If an idle connection turns out to be gone, or to have been
// ended by 421, before its server was given any of the message, that goes over a
// new one, once. A server that says something while nobody asks, or is gone, is
// seen before the connection is used, where it is a socket and the system lets us
// look.
//
// An idle connection is ended by QUIT, and costs a timer and no goroutine.
type Pool struct {
	IdleTimeout    time.Duration // how long one is kept [5 s]; negative: not at all
	MaxIdle        int           // connections, in all; the longest idle goes [100]; negative: no limit
	MaxIdlePerHost int           // of them, to one host [10]; negative: no limit
	MaxMessages    int           // over one connection, fewer if its server says so (LIMITS: RFC 9422) [100]; negative: no limit

	mu     sync.Mutex
	idle   []*pooledConn // the longest idle first
	closed bool
}

// pooledConn is a connection with what decides whether it fits.
type pooledConn struct {
	*Client
	key   poolKey
	tls   HostTLS     // as it was demanded
	used  int         // messages
	timer *time.Timer // nil: it was never idle
}

// poolKey is what connections must have in common.
type poolKey struct {
	clientAddr
	lmtp, auth bool
	config     *tls.Config
}

func (d *Dialer) poolKey(a clientAddr, t *HostTLS) poolKey {
	return poolKey{a, d.LMTP, d.Auth != nil, t.Config}
}

// Deliver sends msg to all of env.To by way of addr, as Dialer.Dial and
// Client.Deliver do. A server that cannot be reached or does not let us in is a
// temporary failure, whatever it says: that is no fault of the mail.
func (p *Pool) Deliver(ctx context.Context, d *Dialer, addr string, env *mailparts.Envelope, msg io.Reader) error {
	a, err := parseClientAddr(addr)
	if err != nil {
		return err
	}
	if d.LMTP && env.RequireTLS && a.isHere() { // no network is between
		local := *env
		env, local.RequireTLS = &local, false
	}
	t := (*HostTLS)(nil).forDialer(d).forEnvelope(env)
	if conn := p.take(ctx, d.poolKey(a, t), t, env); conn != nil {
		if sent, gone := p.send(ctx, conn, env, msg); !gone {
			return sent.err()
		}
	}
	c, err := d.dial(ctx, a, t)
	if err != nil {
		return notLetIn(err, "4.3.5")
	}
	sent, _ := p.send(ctx, &pooledConn{Client: c, key: d.poolKey(a, t), tls: *t}, env, msg)
	return sent.err()
}

// notLetIn makes a server's lasting refusal of us a temporary one of mail.
func notLetIn(err error, status string) error {
	if e := mailparts.AsError(err); !e.Temporary() && e.Host != "" {
		return &mailparts.Error{Code: 451, Status: status, Message: e.Host + " does not let us in", Err: err}
	}
	return err
}

// send sends a message over conn and puts it back. gone reports that the
// connection ended, for a reason that is older than this message, before the
// server was given any of it.
func (p *Pool) send(ctx context.Context, conn *pooledConn, env *mailparts.Envelope, msg io.Reader) (d *clientDelivery, gone bool) {
	waited := conn.timer != nil
	conn.used++
	whole := false
	defer func() {
		if !whole { // msg panics, and the server waits for the rest
			conn.Close()
		}
	}()
	d = conn.transact(ctx, env, msg)
	whole = true
	gone = waited && !slices.Contains(d.begun(), true) && conn.err != nil && ctx.Err() == nil
	p.put(ctx, conn)
	return d, gone
}

// take returns the connection that was idle for the shortest time of those that
// will do for env, or nil.
func (p *Pool) take(ctx context.Context, key poolKey, t *HostTLS, env *mailparts.Envelope) *pooledConn {
	for _, conn := range p.candidates(key) {
		if !conn.meets(t) || !p.remove(conn) {
			continue
		}
		conn.timer.Stop()
		if !conn.conn.silent() { // it said goodbye, or what would be taken for the next command's reply
			conn.Close()
			continue
		}
		if !conn.Ready(rcptDomains(env)...) { // RFC 9422 section 4.3
			conn.Quit(ctx)
			continue
		}
		if t.verifies() {
			conn.secured = t.nameOf(conn.TLS(), t.config(conn.host))
		}
		return conn
	}
	return nil
}

func rcptDomains(env *mailparts.Envelope) []string {
	domains := make([]string, len(env.To))
	for i, to := range env.To {
		domains[i] = to.Addr.Domain()
	}
	return domains
}

// candidates are the connections that have key. What a policy's Verify says of
// them is asked without the lock.
func (p *Pool) candidates(key poolKey) (found []*pooledConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range slices.Backward(p.idle) {
		if conn.key == key {
			found = append(found, conn)
		}
	}
	return found
}

// meets reports whether a connection for t might not have been better.
func (conn *pooledConn) meets(t *HostTLS) bool {
	s := conn.TLS()
	switch t.Mode {
	case TLSNone:
		return true
	case TLSOpportunistic:
		return s != nil || conn.tls.Mode == TLSOpportunistic
	case TLSEncrypted:
		return s != nil
	}
	if t.standard() && conn.tls.standard() && conn.tls.verifies() {
		return true
	}
	return s != nil && t.verify(*s, t.config(conn.host)) == nil
}

// remove takes conn out of those that are idle. It is whoever does that who may
// use it.
func (p *Pool) remove(conn *pooledConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, conn)
	if i < 0 {
		return false
	}
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

// put keeps conn, or ends it and whichever has to go for it.
func (p *Pool) put(ctx context.Context, conn *pooledConn) {
	end := conn
	if conn.reusable(p.MaxMessages) {
		end = p.keep(conn)
	}
	if end != nil {
		end.Quit(ctx)
	}
}

// reusable reports whether another message may go over conn. An answer to nothing
// would be taken for that of the next command.
func (conn *pooledConn) reusable(most int) bool {
	if most = serve.Limit(most, 100); most > 0 && conn.used >= most {
		return false
	}
	return conn.Ready() && conn.r.Buffered() == 0
}

// keep adds conn to those that are idle, and returns the one that is too many.
func (p *Pool) keep(conn *pooledConn) (end *pooledConn) {
	timeout := serve.Limit(p.IdleTimeout, 5*time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || timeout == 0 || p.crowded(conn.host) {
		return conn
	}
	if most := serve.Limit(p.MaxIdle, 100); most > 0 && len(p.idle) >= most {
		end = p.idle[0]
		p.idle = slices.Delete(p.idle, 0, 1)
		end.timer.Stop()
	}
	conn.timer = time.AfterFunc(timeout, func() {
		if p.remove(conn) {
			conn.Quit(context.Background())
		}
	})
	p.idle = append(p.idle, conn)
	return end
}

// crowded reports whether host has as many idle connections as it may.
func (p *Pool) crowded(host string) bool {
	most, n := serve.Limit(p.MaxIdlePerHost, 10), 0
	for _, conn := range p.idle {
		if conn.host == host {
			n++
		}
	}
	return most > 0 && n >= most
}

// Close ends the idle connections and waits for it, five seconds at most. From
// then on every connection is ended after its message; Deliver goes on working.
// The error is nil.
func (p *Pool) Close() error {
	p.mu.Lock()
	ending := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, conn := range ending {
		conn.timer.Stop()
		all.Go(func() { conn.Quit(context.Background()) })
	}
	all.Wait()
	return nil
}
