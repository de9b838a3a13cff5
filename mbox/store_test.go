package mbox_test

import (
	"path/filepath"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/mbox"
)

// The conformance kit, with a restart in it.
func TestBackend(t *testing.T) {
	for name, backend := range map[string]func(t *testing.T) *mbox.Backend{
		"tree": func(t *testing.T) *mbox.Backend { return &mbox.Backend{Root: t.TempDir()} },
		"spool": func(t *testing.T) *mbox.Backend {
			spool := t.TempDir()
			return &mbox.Backend{
				Root: t.TempDir(), Index: t.TempDir(),
				Inbox: func(user string) (string, error) { return filepath.Join(spool, user), nil },
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mailtest.BackendKit{
				New: func(t *testing.T) mailparts.Backend { return backend(t) },
				Reopen: func(t *testing.T, b mailparts.Backend) mailparts.Backend {
					was := b.(*mbox.Backend)
					return &mbox.Backend{Root: was.Root, Index: was.Index, Inbox: was.Inbox}
				},
				Second: func(t *testing.T, b mailparts.Backend) mailparts.Backend {
					was := b.(*mbox.Backend)
					return &mbox.Backend{Root: was.Root, Index: was.Index, Inbox: was.Inbox}
				},
				OwnFields: []string{"Status", "X-Status", "X-Keywords", "X-UID", "X-IMAPbase", "X-IMAP", "Content-Length", "X-Mbox-Added"},
				Stranger:  "../alice",
			}.Test(t)
		})
	}
}
