package serve

import (
	"context"
	"time"
)

// Bounds of Linger. More octets than these can be under way only from a peer that
// does not stop to read.
const (
	lingerTime   = 2 * time.Second
	lingerOctets = 16 << 20
)

// Linger ends what the peer reads, and drops what it still sends, for two seconds
// and 16 MB at most, until it closes. A connection that is closed with octets
// unread is reset, and the reset kills in the peer's buffer the words that it was
// to hear last. During a shutdown, nobody waits.
func (c *Conn) Linger() {
	if !c.closeWrite() {
		return
	}
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.idle = true // shutdown may interrupt
	c.raw.SetReadDeadline(time.Now().Add(lingerTime))
	c.mu.Unlock()
	b := make([]byte, 8<<10)
	for dropped := 0; dropped < lingerOctets; {
		n, err := c.raw.Read(b) // under TLS, too: nobody looks at it
		if err != nil {
			return
		}
		dropped += n
	}
}

// closeWrite ends what the peer reads, if that is possible.
func (c *Conn) closeWrite() bool {
	type writeCloser interface{ CloseWrite() error }
	if t, ok := c.nc.(writeCloser); ok && c.nc != c.raw && t.CloseWrite() != nil {
		return false
	}
	w, ok := c.raw.(writeCloser)
	return ok && w.CloseWrite() == nil
}

// Pause waits for d, or until Shutdown begins or ctx ends. It is not the peer's
// time, and does not count in Within.
func (c *Conn) Pause(ctx context.Context, d time.Duration) {
	hurry := c.hurried()
	if hurry == nil {
		return
	}
	start := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() {
		c.until = c.until.Add(time.Since(start))
	}
}

// hurried is closed when Shutdown begins, and nil when it has.
func (c *Conn) hurried() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	if c.hurry == nil {
		c.hurry = make(chan struct{})
	}
	return c.hurry
}
