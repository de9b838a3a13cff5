package imap_test

import (
	"testing"

	"github.com/mailparts/mailparts/imap"
)

// RFC 2971 section 3.2; that of section 3.1 is in TestID. Fields are in the order of their
// names.
func TestRFC2971(t *testing.T) {
	r := start(t, func(s *imap.Server) {
		s.ID = map[string]string{
			"name": "Cyrus", "version": "1.5", "os": "sunos", "os-version": "5.5", "support-url": "mailto:cyrus-bugs+@andrew.cmu.edu",
		}
	})
	r.dial().play(`
		C: a042 ID NIL
		S: * ID ("name" "Cyrus" "os" "sunos" "os-version" "5.5" "support-url" "mailto:cyrus-bugs+@andrew.cmu.edu" "version" "1.5")
		S: a042 OK ID completed
	`)
}
