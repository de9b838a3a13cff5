package maildir_test

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
)

// The conformance kit, with a restart in it.
func TestBackend(t *testing.T) {
	mailtest.BackendKit{
		New: func(t *testing.T) mailparts.Backend { return &maildir.Backend{Root: t.TempDir()} },
		Reopen: func(t *testing.T, b mailparts.Backend) mailparts.Backend {
			return &maildir.Backend{Root: b.(*maildir.Backend).Root}
		},
		Second: func(t *testing.T, b mailparts.Backend) mailparts.Backend {
			return &maildir.Backend{Root: b.(*maildir.Backend).Root}
		},
		Stranger: "../alice",
	}.Test(t)
}
