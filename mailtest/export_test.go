package mailtest

import (
	"crypto/tls"
	"time"

	"github.com/mailparts/mailparts"
)

// WithPatience is k with another time to wait for a call.
func (k BackendKit) WithPatience(d time.Duration) BackendKit {
	k.patience = d
	return k
}

// ReuseUIDs turns the next UID of a Memory's mailbox back to the first above all
// that exist.
func ReuseUIDs(mb mailparts.Mailbox) {
	b := mb.(memoryHandle)
	b.store.memory.mu.Lock()
	defer b.store.memory.mu.Unlock()
	b.uidNext = 1
	if n := len(b.messages); n > 0 {
		b.uidNext = b.messages[n-1].uid + 1
	}
}

// ServerTLS is what a Sink's TLSConfig trusts.
func ServerTLS(s *Sink) *tls.Config { return s.cert }

// CheckScript is what is wrong with a script.
func CheckScript(s Script) error {
	_, err := s.parse()
	return err
}
