package smtp

import (
	"io"

	"github.com/mailparts/mailparts"
)

// measure is what MAIL has to say of msg: its size, 0 if nobody knows, and the
// body type that it needs. A msg that can seek is as it was afterwards.
func (c *Client) measure(env *mailparts.Envelope, msg io.Reader) (size int64, body string, err error) {
	size, body = env.Size, env.Body
	s, ok := msg.(io.ReadSeeker)
	if !ok {
		return size, body, nil
	}
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe with the methods of a file
		return size, body, nil
	}
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, "", err
	}
	if _, err = s.Seek(start, io.SeekStart); err != nil {
		return 0, "", err
	}
	if _, ok := c.Extension("8BITMIME"); body != "8BITMIME" || ok {
		return end - start, body, nil
	}
	seven, err := isClient7Bit(s)
	if err != nil {
		return 0, "", err
	}
	if seven {
		body = ""
	}
	_, err = s.Seek(start, io.SeekStart)
	return end - start, body, err
}

// isClient7Bit reads msg to its end or its first octet of 8 bits.
func isClient7Bit(msg io.Reader) (bool, error) {
	block := clientBlocks.Get().(*[32 << 10]byte)
	defer clientBlocks.Put(block)
	for {
		n, err := msg.Read(block[:])
		for _, b := range block[:n] {
			if b >= 0x80 {
				return false, nil
			}
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
