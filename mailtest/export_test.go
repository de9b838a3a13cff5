package mailtest

import (
	"crypto/tls"
	"testing"
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

// Promises are all of the kit, as "group/promise".
func Promises() (names []string) {
	for _, g := range groups() {
		for _, p := range g.promises {
			names = append(names, g.name+"/"+p.name)
		}
	}
	return names
}

// Check puts one promise to the test.
func (k BackendKit) Check(t *testing.T, name string) {
	k = k.withDefaults()
	for _, g := range groups() {
		for _, p := range g.promises {
			if g.name+"/"+p.name == name {
				p.check(k.trial(t))
			}
		}
	}
}
