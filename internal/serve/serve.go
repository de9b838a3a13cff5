// Package serve is what the servers of all protocols share: the accept loop,
// limits on connections, TLS, deadlines, graceful shutdown and logging. A
// protocol gives it one function, which runs a connection from greeting to end.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
)

// Config is one Serve's share of a protocol server's exported fields.
type Config struct {
	Protocol  string      // in logs: "smtp"
	TLSConfig *tls.Config // not nil: TLS from the first octet
	Busy      string      // written to who comes over a limit, with CRLF: "421 4.3.2 …"

	MaxConns, MaxConnsPerAddr int // Limit has been applied; 0: none

	// ProxyFrom is who must begin each connection with a header of the PROXY
	// protocol, before TLS. It counts in MaxConns; in MaxConnsPerAddr the client does
	// that it tells of.
	ProxyFrom []netip.Prefix

	BaseContext func(net.Listener) context.Context
	ConnContext func(context.Context, net.Conn) context.Context
	Logger      *slog.Logger // not nil

	// Handle runs a connection and returns when it is over; c is closed then.
	Handle func(ctx context.Context, c *Conn)
}

// Engine runs the connections of one protocol server. Its zero value is ready.
type Engine struct {
	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	conns     map[*Conn]struct{}
	perAddr   map[netip.Prefix]int
	gone      chan struct{} // closed when the last conn ends after closing
}

// Serve accepts connections on l until Shutdown or Close, and then returns
// mailparts.ErrServerClosed. It closes l.
func (e *Engine) Serve(l net.Listener, cfg Config) error {
	defer l.Close()
	if !e.add(l) {
		return mailparts.ErrServerClosed
	}
	base := context.Background()
	if cfg.BaseContext != nil {
		base = cfg.BaseContext(l)
	}
	var delay time.Duration
	for {
		nc, err := l.Accept()
		if err != nil {
			if e.isClosing() {
				return mailparts.ErrServerClosed
			}
			if !isTemporary(err) {
				e.remove(l)
				return err
			}
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			cfg.Logger.Error("accept failed, trying again", "protocol", cfg.Protocol, "err", err, "delay", delay)
			time.Sleep(delay)
			continue
		}
		delay = 0
		e.start(base, nc, &cfg)
	}
}

// start runs nc on a goroutine of its own, or turns it away.
func (e *Engine) start(base context.Context, nc net.Conn, cfg *Config) {
	ctx, cancel := context.WithCancel(base)
	c := newConn(nc, cancel)
	proxy := Contains(cfg.ProxyFrom, c.remote.Addr())
	if !proxy {
		c.network = networkOf(c.remote.Addr())
	}
	if why := e.admit(c, cfg); why != "" {
		c.turnAway(why, cfg)
		c.abort()
		return
	}
	go func() {
		defer e.end(c)
		defer func() {
			if p := recover(); p != nil {
				cfg.Logger.Error("panic in a session", "protocol", cfg.Protocol, "remote", c.Remote(), "panic", p, "stack", string(debug.Stack()))
			}
		}()
		if proxy && !e.unwrap(c, cfg) {
			return
		}
		if cfg.ConnContext != nil {
			ctx = cfg.ConnContext(ctx, c.shown)
		}
		if cfg.TLSConfig != nil {
			if err := c.StartTLS(ctx, cfg.TLSConfig); err != nil {
				cfg.Logger.Info("TLS handshake failed", "protocol", cfg.Protocol, "remote", c.Remote(), "err", err)
				return
			}
		}
		cfg.Handle(ctx, c)
	}()
}

// turnAway says that there is no place for c.
func (c *Conn) turnAway(why string, cfg *Config) {
	cfg.Logger.Warn("connection refused", "protocol", cfg.Protocol, "remote", c.Remote(), "why", why)
	// A few octets into an empty socket buffer: this does not wait for the peer,
	// but where the listener is of TLS, whose connections shake hands first.
	c.raw.SetDeadline(time.Now().Add(time.Second))
	if cfg.TLSConfig == nil {
		c.raw.Write([]byte(cfg.Busy))
	}
}

// unwrap reads the header of a proxy's connection and finds the client a place.
func (e *Engine) unwrap(c *Conn, cfg *Config) (ok bool) {
	proxy := c.Remote()
	if err := c.readProxy(); err != nil {
		if err != ErrShutdown {
			cfg.Logger.Warn("connection of a proxy closed", "protocol", cfg.Protocol, "remote", proxy, "err", err)
		}
		return false
	}
	if !e.place(c, cfg) {
		c.turnAway(manyOfOne, cfg)
		return false
	}
	return true
}

func (e *Engine) add(l net.Listener) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return false
	}
	if e.listeners == nil {
		e.listeners = map[net.Listener]struct{}{}
		e.conns = map[*Conn]struct{}{}
		e.perAddr = map[netip.Prefix]int{}
	}
	e.listeners[l] = struct{}{}
	return true
}

func (e *Engine) remove(l net.Listener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, l)
}

func (e *Engine) isClosing() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closing
}

// manyOfOne is why MaxConnsPerAddr refuses.
const manyOfOne = "too many connections from one address"

// admit counts c, or says why not.
func (e *Engine) admit(c *Conn, cfg *Config) (why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closing:
		return "shutting down"
	case cfg.MaxConns > 0 && len(e.conns) >= cfg.MaxConns:
		return "too many connections"
	case !e.fits(c, cfg):
		return manyOfOne
	}
	e.conns[c] = struct{}{}
	e.count(c)
	return ""
}

// place counts c's network, which a proxy has told since admit, or reports that
// there is no place in it.
func (e *Engine) place(c *Conn, cfg *Config) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.fits(c, cfg) {
		c.network = netip.Prefix{} // it has not been counted
		return false
	}
	e.count(c)
	return true
}

func (e *Engine) fits(c *Conn, cfg *Config) bool {
	return cfg.MaxConnsPerAddr <= 0 || !c.network.IsValid() || e.perAddr[c.network] < cfg.MaxConnsPerAddr
}

func (e *Engine) count(c *Conn) {
	if c.network.IsValid() {
		e.perAddr[c.network]++
	}
}

// end closes c and forgets it.
func (e *Engine) end(c *Conn) {
	c.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c)
	if c.network.IsValid() {
		if e.perAddr[c.network]--; e.perAddr[c.network] == 0 {
			delete(e.perAddr, c.network)
		}
	}
	e.checkGone()
}

// checkGone tells Shutdown that the last connection has ended.
func (e *Engine) checkGone() {
	if e.gone != nil && len(e.conns) == 0 {
		close(e.gone)
		e.gone = nil
	}
}

// Shutdown stops accepting, interrupts idle connections with ErrShutdown so that
// their sessions say goodbye, waits for the busy ones, and closes what is left
// when ctx ends: then it returns ctx's error.
func (e *Engine) Shutdown(ctx context.Context) error {
	gone, conns := e.close()
	for _, c := range conns {
		c.shutdown()
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	err := ctx.Err()
	e.Close()
	return err
}

// Close closes all listeners and connections at once and cancels the sessions'
// contexts. It gives them a second to end.
func (e *Engine) Close() error {
	gone, conns := e.close()
	for _, c := range conns {
		c.abort()
	}
	select {
	case <-gone:
	case <-time.After(time.Second):
	}
	return nil
}

// close stops the listeners and returns the connections, and a channel that
// closes when there are none.
func (e *Engine) close() (gone chan struct{}, conns []*Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closing = true
	for l := range e.listeners {
		l.Close()
	}
	e.listeners = nil
	for c := range e.conns {
		conns = append(conns, c)
	}
	if e.gone == nil {
		e.gone = make(chan struct{})
	}
	gone = e.gone
	e.checkGone()
	return gone, conns
}

// isTemporary tells a lack of file descriptors from a listener that is gone.
func isTemporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

// Limit is a limit as the servers' fields have it: zero means def, a negative
// value means none, which is 0 here.
func Limit[T ~int | ~int64](v, def T) T {
	switch {
	case v == 0:
		return def
	case v < 0:
		return 0
	}
	return v
}

// Logger returns l, or one that discards.
func Logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// Hostname returns h, or else the machine's name.
func Hostname(h string) string {
	if h == "" {
		h, _ = os.Hostname()
	}
	if h == "" {
		h = "localhost"
	}
	return h
}

// Listen listens on addr: "host:port", or "unix:/path", whose file it replaces
// if nobody listens there any more.
func Listen(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		return net.Listen("tcp", addr)
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
	} else if fi, err := os.Lstat(path); err == nil && fi.Mode()&os.ModeSocket != 0 {
		os.Remove(path)
	}
	return net.Listen("unix", path)
}
