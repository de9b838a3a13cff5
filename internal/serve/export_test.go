package serve

import (
	"io"
	"net"
)

// ReadProxy is readProxy, with the addresses of its header, nil where it tells none.
func ReadProxy(r io.Reader) (remote, local net.Addr, err error) {
	h, err := readProxy(r)
	return h.remote, h.local, err
}

// MaxProxyV2 is the longest header of version 2 that is taken.
const MaxProxyV2 = maxProxyV2
