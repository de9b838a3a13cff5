package mailtest_test

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

func TestMemory(t *testing.T) {
	mailtest.BackendKit{
		New:      func(*testing.T) mailparts.Backend { return &mailtest.Memory{Users: []string{"alice", "bob"}} },
		Reopen:   func(_ *testing.T, b mailparts.Backend) mailparts.Backend { return b },
		Stranger: "mallory",
	}.Test(t)
}

// TestMemoryOnDemand is the zero value, which makes every user.
func TestMemoryOnDemand(t *testing.T) {
	mailtest.TestBackend(t, func(*testing.T) mailparts.Backend { return new(mailtest.Memory) })
}
