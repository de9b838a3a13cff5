package mailtest

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// socketBuffer is Listener.Buffer's default.
const socketBuffer = 64 << 10

// bufferedConn is one end of an in-memory connection.
type bufferedConn struct {
	in, out       *stream
	local, remote net.Addr
	abort         atomic.Bool // Close is a reset
}

func connPair(client, server net.Addr, buffer int) (c, s *bufferedConn) {
	up, down := newStream(buffer), newStream(buffer)
	return &bufferedConn{in: down, out: up, local: client, remote: server},
		&bufferedConn{in: up, out: down, local: server, remote: client}
}

func (c *bufferedConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *bufferedConn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close discards what came in and was not read: the peer's writes fail from now
// on. What was written can still be read.
func (c *bufferedConn) Close() error {
	if c.abort.Load() {
		c.out.reset()
	}
	c.out.end()
	c.in.refuse()
	return nil
}

// SetLinger is that of a net.TCPConn: after SetLinger(0) Close resets the
// connection, and the peer gets syscall.ECONNRESET instead of what it has not
// read. Any other value has no effect: nothing is ever on its way.
func (c *bufferedConn) SetLinger(sec int) error {
	c.abort.Store(sec == 0)
	return nil
}

// CloseWrite ends what the peer reads, as that of a net.TCPConn.
func (c *bufferedConn) CloseWrite() error {
	c.out.end()
	return nil
}

func (c *bufferedConn) LocalAddr() net.Addr  { return c.local }
func (c *bufferedConn) RemoteAddr() net.Addr { return c.remote }

func (c *bufferedConn) SetDeadline(t time.Time) error {
	c.in.readBy.set(t)
	c.out.writeBy.set(t)
	return nil
}

func (c *bufferedConn) SetReadDeadline(t time.Time) error {
	c.in.readBy.set(t)
	return nil
}

func (c *bufferedConn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy.set(t)
	return nil
}

// stream is one direction.
type stream struct {
	mu              sync.Mutex
	change          sync.Cond
	buf             []byte
	limit           int  // of buf
	ended           bool // the writer is done: EOF
	refused         bool // the reader is gone
	aborted         bool // the writer has reset the connection
	readBy, writeBy streamDeadline
}

func newStream(limit int) *stream {
	s := &stream{limit: limit}
	s.change.L = &s.mu
	s.readBy.s, s.writeBy.s = s, s
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.refused:
			return 0, net.ErrClosed
		case s.aborted:
			return 0, syscall.ECONNRESET
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			if len(s.buf) == 0 {
				s.buf = nil // an idle connection holds nothing
			}
			s.change.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.readBy.wait()
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.ended:
			return n, net.ErrClosed
		case s.refused:
			return n, io.ErrClosedPipe
		case s.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		}
		room := min(s.limit-len(s.buf), len(p)-n)
		s.buf = append(s.buf, p[n:n+room]...)
		if n += room; room > 0 {
			s.change.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		s.writeBy.wait()
	}
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.change.Broadcast()
}

func (s *stream) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted, s.buf = true, nil
	s.change.Broadcast()
}

func (s *stream) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused, s.buf = true, nil
	s.change.Broadcast()
}

// streamDeadline is one of a stream's two. Its fields are under the stream's lock.
type streamDeadline struct {
	s *stream
	t time.Time
}

func (d *streamDeadline) set(t time.Time) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.t = t
	d.s.change.Broadcast() // a read or write under way must look at it
}

func (d *streamDeadline) passed() bool { return !d.t.IsZero() && !time.Now().Before(d.t) }

// wait waits for a change or the deadline. Its timer lives no longer than it.
func (d *streamDeadline) wait() {
	if !d.t.IsZero() {
		timer := time.AfterFunc(time.Until(d.t), func() {
			d.s.mu.Lock()
			defer d.s.mu.Unlock()
			d.s.change.Broadcast()
		})
		defer timer.Stop()
	}
	d.s.change.Wait()
}
