package lmtp

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"github.com/mailparts/mailparts"
)

// maxHeader is how much of a header is searched for Delivered-To. Those that
// close a loop stand on top.
const maxHeader = 1 << 20

// message is what is delivered, readable as often as it has places to go.
type message struct {
	io.ReadSeekCloser
	start, size int64
	deliveredTo []string
}

// readMessage makes msg readable again and again, and looks at its header.
func readMessage(msg io.Reader) (*message, error) {
	b, err := mailparts.Buffer(msg)
	if err != nil {
		return nil, err
	}
	m := &message{ReadSeekCloser: b}
	if err := m.measure(); err != nil {
		b.Close()
		return nil, err
	}
	return m, nil
}

func (m *message) measure() error {
	var err error
	if m.start, err = m.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if err := m.scan(); err != nil {
		return err
	}
	end, err := m.Seek(0, io.SeekEnd)
	m.size = end - m.start
	return err
}

// scan collects the Delivered-To fields. One that is folded, or longer than a
// line may be, is none of ours.
func (m *message) scan() error {
	r := bufio.NewReader(io.LimitReader(m, maxHeader))
	for inside := false; ; {
		l, err := r.ReadSlice('\n')
		if !inside {
			if len(bytes.TrimRight(l, "\r\n")) == 0 { // the end of the header, or of all
				return ignoreEOF(err)
			}
			if name, value, ok := bytes.Cut(l, []byte{':'}); ok && bytes.EqualFold(name, []byte("Delivered-To")) {
				m.deliveredTo = append(m.deliveredTo, string(bytes.TrimSpace(value)))
			}
		}
		inside = err == bufio.ErrBufferFull
		if err != nil && !inside {
			return ignoreEOF(err)
		}
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// wasDeliveredTo reports whether the message has been where it is going.
func (m *message) wasDeliveredTo(a mailparts.Address) bool {
	for _, to := range m.deliveredTo {
		if strings.EqualFold(to, string(a)) {
			return true
		}
	}
	return false
}

// withTrace is the whole message from its start, under more trace fields.
func (m *message) withTrace(trace string) (io.Reader, error) {
	_, err := m.Seek(m.start, io.SeekStart)
	return mailparts.Prepend(m, trace), err
}
