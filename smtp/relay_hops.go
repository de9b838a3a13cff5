package smtp

import (
	"bufio"
	"bytes"
	"io"

	"github.com/mailparts/mailparts/internal/serve"
)

// checkHops reads the header of msg, and refuses one that has passed too many
// hosts (RFC 5321 section 6.3).
func (r *Relay) checkHops(msg io.Reader) error {
	most := serve.Limit(r.MaxHops, 100)
	if most == 0 {
		return nil
	}
	hops, err := countReceived(msg, most+1)
	if err == nil && hops > most {
		err = refusal(554, "5.4.6", "Too many hops: this message loops")
	}
	return err
}

// countReceived counts the Received fields in the header of msg, up to most.
func countReceived(msg io.Reader, most int) (n int, err error) {
	field := []byte("received:")
	lines := bufio.NewReader(msg)
	for n < most {
		l, more, err := lines.ReadLine()
		if err == io.EOF || err == nil && len(l) == 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if len(l) >= len(field) && bytes.EqualFold(l[:len(field)], field) {
			n++
		}
		for more && err == nil { // the rest of a long line
			_, more, err = lines.ReadLine()
		}
		if err != nil && err != io.EOF {
			return n, err
		}
	}
	return n, nil
}
