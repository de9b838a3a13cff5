package imap

import (
	"bytes"
	"io"
	"slices"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// Bounds of what is in memory of a header that SEARCH looks through: what is read at first,
// and how much of one field is looked at.
const (
	fieldBlock   = 64 << 10
	maxFieldRead = 4 << 20
)

// matchFields looks into the fields of a header of a size, as they are read and not as they
// are written. It holds one of them, however long the header is.
func matchFields(r io.Reader, size int64, matches func(name, value string) bool) (bool, error) {
	var buf []byte
	block := int(min(size+1, fieldBlock)) // one more finds the end
	for {
		// Twice as much each time, lest one long field be looked through for its end often.
		more := max(block, len(buf))
		buf = slices.Grow(buf, more)
		n, err := io.ReadFull(r, buf[len(buf):len(buf)+more])
		buf = buf[:len(buf)+n]
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !ended {
			return false, err
		}
		whole := len(buf)
		if !ended {
			whole = lastField(buf)
		}
		long := whole == 0 && len(buf) >= maxFieldRead
		if long {
			whole = len(buf)
		}
		for name, value := range mime.Fields(buf[:whole]) {
			if matches(name, value) {
				return true, nil
			}
		}
		switch {
		case ended:
			return false, nil
		case long: // what is still to come of it is the end of a field without a name
			buf = append(buf[:0], ' ', buf[whole-2], buf[whole-1])
		default:
			buf = append(buf[:0], buf[whole:]...)
		}
	}
}

// lastField is where the field begins that a part of a header ends in, which may have more
// lines than are there.
func lastField(header []byte) int {
	for end := len(header) - 1; ; {
		i := bytes.LastIndexByte(header[:max(end, 0)], '\n')
		if i < 0 {
			return 0
		}
		if next := header[i+1]; next != ' ' && next != '\t' {
			return i + 1
		}
		end = i
	}
}
