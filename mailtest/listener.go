package mailtest

import (
	"context"
	"net"
	"net/netip"
	"sync"
)

// Listener is a net.Listener in memory. Unlike those of net.Pipe its connections
// are buffered, as sockets are, so that both ends may write before they read.
// Deadlines follow the clock of testing/synctest, and nothing of it outlives a
// bubble. Use NewListener.
type Listener struct {
	mu      sync.Mutex
	wake    sync.Cond
	waiting []*bufferedConn
	closed  bool
	clients uint16
}

// NewListener returns a Listener whose address is 127.0.0.1:25, for show only.
func NewListener() *Listener {
	l := new(Listener)
	l.wake.L = &l.mu
	return l
}

// Dial connects to l from 127.0.0.1. Its parameters after ctx are ignored: it
// stands in for a net.Dialer's DialContext.
func (l *Listener) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return l.DialFrom(ctx, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// DialFrom is Dial from another address. An Addr that is not valid is that of a
// unix socket: none.
func (l *Listener) DialFrom(ctx context.Context, from netip.Addr) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.Addr(), Err: net.ErrClosed}
	}
	var remote, local net.Addr = memoryAddr{}, memoryAddr{}
	if from.IsValid() {
		l.clients++
		remote = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 10000+l.clients%50000))
		local = l.Addr()
	}
	client, server := connPair(remote, local)
	l.waiting = append(l.waiting, server)
	l.wake.Signal()
	return client, nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) == 0 && !l.closed {
		l.wake.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "memory", Addr: l.Addr(), Err: net.ErrClosed}
	}
	c := l.waiting[0]
	l.waiting = l.waiting[1:]
	return c, nil
}

// Close implements net.Listener. Connections that nobody has accepted are closed.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.waiting {
		c.Close()
	}
	l.waiting = nil
	l.wake.Broadcast()
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }
