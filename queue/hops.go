package queue

import (
	"io"

	"github.com/mailparts/mailparts"
)

// maxHops is the number of Received fields from which on a message is taken to
// loop (RFC 5321 section 6.3: at least 100).
const maxHops = 100

// hopReader is a message whose reading fails when its header shows a loop.
type hopReader struct {
	r    io.Reader
	hops int
	line int  // octets of this line so far
	name int  // of them, how many are the beginning of "received:"
	body bool // the header is over
	err  error
}

func (h *hopReader) Read(b []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	n, err := h.r.Read(b)
	if !h.body {
		h.scan(b[:n])
	}
	if h.hops > maxHops {
		h.err = &mailparts.Error{Code: 554, Status: "5.4.6", Message: "Too many hops: this message loops"}
		return 0, h.err
	}
	return n, err
}

func (h *hopReader) scan(b []byte) {
	const field = "received:"
	for _, c := range b {
		switch {
		case c == '\n' && h.line == 0:
			h.body = true
			return
		case c == '\n':
			h.line, h.name = 0, 0
			continue
		case c == '\r' && h.line == 0:
			continue
		case h.name == h.line && h.name < len(field) && c|0x20 == field[h.name]|0x20:
			if h.name++; h.name == len(field) {
				h.hops++
			}
		}
		h.line++
	}
}
