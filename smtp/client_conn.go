package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// clientConn is a client's connection: every read and write has a deadline, and
// the context of the call under way interrupts both at once.
type clientConn struct {
	raw   net.Conn      // as dialled
	nc    net.Conn      // raw, or TLS on it
	block time.Duration // what the peer may take for one write; 0: for ever

	mu     sync.Mutex
	closed bool
	until  time.Time       // for reads
	ended  context.Context // the one that interrupts us; nil: none
}

// longAgo is a deadline that interrupts.
var longAgo = time.Unix(1, 0)

// bind lets ctx interrupt reads and writes until release is called.
func (c *clientConn) bind(ctx context.Context) (release func()) {
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(fired)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = ctx
		c.raw.SetDeadline(longAgo)
	})
	return func() {
		if stop() {
			return
		}
		<-fired
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = nil
	}
}

// within gives all reads from now on d in all: what a whole reply may take.
func (c *clientConn) within(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = clientDeadline(d)
}

func clientDeadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// arm sets deadlines under the lock, so that it cannot undo an interruption.
func (c *clientConn) arm(set func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return context.Cause(c.ended)
	}
	set()
	return nil
}

// cause is the end of the context where that is why err came.
func (c *clientConn) cause(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return context.Cause(c.ended)
	}
	return err
}

// Read implements io.Reader.
func (c *clientConn) Read(p []byte) (int, error) {
	if err := c.arm(func() { c.raw.SetReadDeadline(c.until) }); err != nil {
		return 0, err
	}
	n, err := c.nc.Read(p)
	return n, c.cause(err)
}

// clientWrite is how much of a message is one block, with a deadline of its own.
const clientWrite = 64 << 10

// Write implements io.Writer.
func (c *clientConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if err := c.arm(func() { c.raw.SetWriteDeadline(clientDeadline(c.block)) }); err != nil {
			return n, err
		}
		var m int
		m, err = c.nc.Write(p[n:min(len(p), n+clientWrite)])
		n += m
	}
	return n, c.cause(err)
}

// startTLS shakes hands within d. After an error the connection is of no use.
func (c *clientConn) startTLS(ctx context.Context, cfg *tls.Config, d time.Duration) error {
	if err := c.arm(func() { c.raw.SetDeadline(clientDeadline(d)) }); err != nil {
		return err
	}
	t := tls.Client(c.raw, cfg)
	if err := t.HandshakeContext(ctx); err != nil {
		return c.cause(err)
	}
	c.nc = t
	return nil
}

// tls is the state of TLS, nil without.
func (c *clientConn) tls() *tls.ConnectionState {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return nil
	}
	s := t.ConnectionState()
	return &s
}

// private reports whether a password in the clear would stay on this machine.
func (c *clientConn) private() bool {
	switch a := c.raw.RemoteAddr().(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}

// goodbye ends TLS, with a peer that has said its own.
func (c *clientConn) goodbye() { c.nc.Close() }

// close closes the connection without TLS's goodbye, which might wait for a peer
// that reads nothing.
func (c *clientConn) close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return c.raw.Close()
}

func (c *clientConn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
