//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package smtp

// socketSilent would report whether nothing waits at the socket: here there is no
// way to look.
func (c *clientConn) socketSilent() bool { return true }
