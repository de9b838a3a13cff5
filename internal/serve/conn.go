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

// ErrWake is what a Read returns that Wake has interrupted.
var ErrWake = errors.New("woken")

// Defaults of a Conn, until its session sets others.
const (
	handshakeTimeout = time.Minute
	writeTimeout     = 3 * time.Minute
)

// rollingBlock is how many octets must come within the time of Rolling: a peer
// that sends one octet at a time does not hold a connection for ever.
const rollingBlock = 32 << 10

// Conn is a server's connection: every Read and Write has a deadline. One
// goroutine at a time may read and one may write.
type Conn struct {
	raw     net.Conn // as accepted
	nc      net.Conn // raw, or TLS on it
	shown   net.Conn // raw, or with the addresses that a proxy tells of
	unknown bool     // a proxy has told nothing of its client
	cancel  context.CancelFunc
	remote  netip.AddrPort
	local   netip.AddrPort
	network netip.Prefix // what MaxConnsPerAddr counts

	mu      sync.Mutex
	idle    bool
	closing bool
	hurry   chan struct{} // closed by shutdown; nil: nobody waits
	until   time.Time     // deadline of reads, when timeout is 0; zero: none
	light   bool          // Wake may interrupt: the session sleeps lightly
	woken   bool          // it has, and no Read has told yet

	timeout time.Duration // of Rolling
	left    time.Duration // of timeout, for the rest of the block
	block   int           // octets still to come in it
}

func newConn(nc net.Conn, cancel context.CancelFunc) *Conn {
	c := &Conn{raw: nc, nc: nc, shown: nc, cancel: cancel}
	c.Rolling(handshakeTimeout)
	c.remote, c.local = AddrPort(nc.RemoteAddr()), AddrPort(nc.LocalAddr())
	return c
}

// networkOf is an IPv4 address or an IPv6 network of 64 bits; of no address it is
// the zero value.
func networkOf(a netip.Addr) (network netip.Prefix) {
	switch {
	case a.Is4():
		network, _ = a.Prefix(32)
	case a.Is6():
		network, _ = a.Prefix(64) // without the zone
	}
	return network
}

// Contains reports whether a is in one of prefixes, whatever its zone. No address
// is in none.
func Contains(prefixes []netip.Prefix, a netip.Addr) bool {
	a = a.WithZone("")
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// AddrPort is a TCP address, the zero value for any other.
func AddrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Remote is the peer's address, the zero value for a unix socket or a pipe.
func (c *Conn) Remote() netip.AddrPort { return c.remote }

// Unknown reports whether Remote is a proxy's, which did not say whom it speaks
// for: a client that has none of the proxy's rights.
func (c *Conn) Unknown() bool { return c.unknown }

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
// Zero means no limit.
func (c *Conn) Within(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timeout, c.until = 0, time.Time{}
	if d > 0 {
		c.until = time.Now().Add(d)
	}
}

// Rolling gives the reads of each 32 KB from now on d to wait: what a block of
// data may take. The time between the reads is not the peer's and does not count.
// Zero means no limit.
func (c *Conn) Rolling(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
	c.timeout, c.left, c.block = d, d, rollingBlock
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
	start, err := c.arm()
	if err != nil {
		return 0, err
	}
	n, err := c.nc.Read(p)
	if c.timeout > 0 {
		c.roll(n, time.Since(start))
	}
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		if why := c.interrupted(); why != nil {
			err = why
		}
	}
	return n, err
}

// arm sets the deadline of the next read under the lock, so that it cannot undo
// the one that shutdown sets.
func (c *Conn) arm() (start time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.interruption(); err != nil {
		return start, err
	}
	until := c.until
	if c.timeout > 0 {
		start = time.Now()
		until = start.Add(c.left)
	}
	return start, c.nc.SetReadDeadline(until)
}

// roll counts n octets that were waited for, and begins the next block.
func (c *Conn) roll(n int, waited time.Duration) {
	c.left -= waited
	if c.block -= n; c.block <= 0 {
		c.left, c.block = c.timeout, rollingBlock
	}
}

func (c *Conn) interrupted() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interruption()
}

// interruption is why a read ends early, nil if it does not. The caller holds the lock.
func (c *Conn) interruption() error {
	switch {
	case c.closing && c.idle:
		return ErrShutdown
	case c.woken:
		c.woken = false
		return ErrWake
	}
	return nil
}

// Wakeable says whether Wake may interrupt a Read from now on.
func (c *Conn) Wakeable(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.light, c.woken = on, false
}

// Wake has the Read that waits return ErrWake, or the next one if none waits. It may be
// called from any goroutine, and does not block. No octet is lost.
func (c *Conn) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.light && !c.woken {
		c.woken = true
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
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
	c.raw.SetDeadline(time.Time{}) // ctx has the one that counts
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
	if c.hurry != nil && !c.closing {
		close(c.hurry)
	}
	c.closing = true
	if c.idle {
		c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close cancels the session's context and closes the connection, over TLS with a
// goodbye.
func (c *Conn) Close() error {
	c.cancel()
	return c.nc.Close()
}

// abort is Close from any goroutine: it waits for no peer, so without a goodbye.
func (c *Conn) abort() {
	c.cancel()
	c.raw.Close()
}
