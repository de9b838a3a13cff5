package mailtest

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"sync"
)

// Listener is a net.Listener in memory. Deadlines of its connections follow the
// clock of testing/synctest, and nothing of it outlives a bubble. Use NewListener.
//
// A connection has what one of TCP has that matters to a protocol: octets that
// were written before Close can still be read, CloseWrite ends one direction, and
// after SetLinger(0) Close is a reset. And it is buffered, as sockets are, which
// those of net.Pipe are not: there a Write waits for the Read that takes it, so
// that a client that pipelines its commands and a server that answers the first
// of them wait for each other for ever, and no peer can write a last word and go
// away.
//
// The fields must not change once someone has dialled.
type Listener struct {
	Address netip.AddrPort // what Addr tells, for show only; not valid: 127.0.0.1:25
	Buffer  int            // octets that each end may write before the other reads; 0: 64 KB

	mu      sync.Mutex
	wake    sync.Cond
	waiting []*bufferedConn
	closed  bool
	clients uint16
}

// NewListener returns a Listener to which anyone may dial.
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

// DialFrom is Dial from another address, and a port of which no other of the last
// 50000 connections is. An Addr that is not valid is that of a unix socket: none.
func (l *Listener) DialFrom(ctx context.Context, from netip.Addr) (net.Conn, error) {
	return l.DialFromPort(ctx, netip.AddrPortFrom(from, 0))
}

// DialFromPort is DialFrom with a port, 0 for any.
func (l *Listener) DialFromPort(ctx context.Context, from netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.Addr(), Err: net.ErrClosed}
	}
	var remote, local net.Addr = memoryAddr{}, memoryAddr{}
	if from.Addr().IsValid() {
		if from.Port() == 0 {
			l.clients = (l.clients + 1) % 50000
			from = netip.AddrPortFrom(from.Addr(), 10000+l.clients)
		}
		remote = net.TCPAddrFromAddrPort(from)
		local = l.Addr()
	}
	client, server := connPair(remote, local, cmp.Or(l.Buffer, socketBuffer))
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
func (l *Listener) Addr() net.Addr {
	if l.Address.IsValid() {
		return net.TCPAddrFromAddrPort(l.Address)
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25}
}

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "memory" }
