//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package smtp

import (
	"syscall"
	"time"
)

// socketSilent reports whether nothing waits at the socket, not even the server's
// end. What is no socket cannot be asked, and is taken for silent.
func (c *clientConn) socketSilent() bool {
	s, ok := c.raw.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil || c.raw.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	silent := false
	err = raw.Read(func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
		silent = err == syscall.EAGAIN
		return true
	})
	return err == nil && silent
}
