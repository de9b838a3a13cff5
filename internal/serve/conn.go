package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// ErrShutdown is what an idle connection's Read returns once the server shuts
// down: the session says goodbye and ends.
var ErrShutdown = errors.New("server is shutting down")

// Defaults of a Conn, until its session sets others.
const (
	handshakeTimeout = time.Minute
	writeTimeout     = 3 * time.Minute
)

// Conn is a server's connection: every Read and Write has a deadline. One
// goroutine at a time may read and one may write.
type Conn struct {
	raw     net.Conn // as accepted
	nc      net.Conn // raw, or TLS on it
	cancel  context.CancelFunc
	remote  netip.AddrPort
	local   netip.AddrPort
	network netip.Prefix // what MaxConnsPerAddr counts

	mu      sync.Mutex
	idle    bool
	closing bool
	timeout time.Duration // of reads
	rolling bool
	until   time.Time // when not rolling
}

func newConn(nc net.Conn, cancel context.CancelFunc) *Conn {
	c := &Conn{raw: nc, nc: nc, cancel: cancel, timeout: handshakeTimeout, rolling: true}
	c.remote, c.local = addrPort(nc.RemoteAddr()), addrPort(nc.LocalAddr())
	if a := c.remote.Addr(); a.Is4() {
		c.network, _ = a.Prefix(32)
	} else if a.Is6() {
		c.network, _ = a.Prefix(64)
	}
	return c
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Remote is the peer's address, the zero value for a unix socket or a pipe.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Local is the address that the peer connected to.
func (c *Conn) Local() netip.AddrPort { return c.local }

// TLS is the state of TLS, nil without.
func (c *Conn) TLS() *tls.ConnectionState {
	if t, ok := c.nc.(*tls.Conn); ok {
		s := t.ConnectionState()
		return &s
	}
	return nil
}

// Within gives all reads from now on d in all: what a whole command may take.
func (c *Conn) Within(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rolling, c.until = false, time.Now().Add(d)
}

// Rolling gives each read from now on d of its own: what a block of data may take.
func (c *Conn) Rolling(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rolling, c.timeout = true, d
}

// Idle says whether the session waits for a command, and Shutdown may interrupt it.
func (c *Conn) Idle(idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = idle
}

// ShuttingDown reports whether Shutdown has begun.
func (c *Conn) ShuttingDown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// Read implements io.Reader.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.nc.Read(p)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && c.interrupted() {
		err = ErrShutdown
	}
	return n, err
}

// arm sets the deadline of the next read under the lock, so that it cannot undo
// the one that shutdown sets.
func (c *Conn) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing && c.idle {
		return ErrShutdown
	}
	until := c.until
	if c.rolling {
		until = time.Now().Add(c.timeout)
	}
	return c.nc.SetReadDeadline(until)
}

func (c *Conn) interrupted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing && c.idle
}

// Write implements io.Writer. A peer that takes nothing for three minutes is gone.
func (c *Conn) Write(p []byte) (int, error) {
	c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	return c.nc.Write(p)
}

// StartTLS shakes hands as the server. After an error the connection is of no
// use: going on in plaintext is not possible.
func (c *Conn) StartTLS(ctx context.Context, cfg *tls.Config) error {
	t := tls.Server(c.raw, cfg)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		c.raw.Close()
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc = t
	return nil
}

// shutdown interrupts the session if it is idle, or when it is so next.
func (c *Conn) shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	if c.idle {
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close cancels the session's context and closes the connection. It may be
// called from any goroutine and more than once.
func (c *Conn) Close() error {
	c.cancel()
	c.mu.Lock()
	nc := c.nc
	c.mu.Unlock()
	if nc == c.raw {
		return nc.Close()
	}
	// A TLS goodbye must not wait for a peer that reads nothing.
	c.raw.SetWriteDeadline(time.Now().Add(time.Second))
	return nc.Close()
}
