package maildir_test

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
)

// The conformance kit, with a restart in it and a second process.
func TestBackend(t *testing.T) {
	conform(t, func(root string) *maildir.Backend { return &maildir.Backend{Root: root} })
}

func TestBackendFolders(t *testing.T) {
	if testing.Short() {
		t.Skip("the kit runs once in TestBackend")
	}
	conform(t, func(root string) *maildir.Backend {
		return &maildir.Backend{Root: root, Layout: maildir.Folders, UTF8: true, CRLF: true}
	})
}

func conform(t *testing.T, on func(root string) *maildir.Backend) {
	again := func(t *testing.T, b mailparts.Backend) mailparts.Backend { return on(b.(*maildir.Backend).Root) }
	mailtest.BackendKit{
		New:    func(t *testing.T) mailparts.Backend { return on(t.TempDir()) },
		Reopen: again,
		Second: again,
		Limited: func(t *testing.T, octets, messages int64) mailparts.Backend {
			b := on(t.TempDir())
			b.Quota = func(string) (maildir.Limits, error) {
				return maildir.Limits{Storage: octets, Messages: messages}, nil
			}
			return b
		},
		Stranger: "../alice",
	}.Test(t)
}
