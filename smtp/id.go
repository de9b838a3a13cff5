package smtp

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// newID is an Envelope.ID: 24 letters and digits, unique, and in order of time
// when sorted as text. It stands as an atom in the Received field.
func newID() string {
	var b [15]byte
	binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixNano()))
	rand.Read(b[8:])
	var id [24]byte
	base32.HexEncoding.Encode(id[:], b[:])
	return string(id[:])
}
