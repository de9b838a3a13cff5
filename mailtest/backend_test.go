package mailtest_test

import (
	"fmt"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

func TestMemory(t *testing.T) {
	mailtest.BackendKit{
		New: func(*testing.T) mailparts.Backend {
			return &mailtest.Memory{Users: []string{"alice", "bob"}, UIDL: memoryUIDL}
		},
		Second: func(_ *testing.T, b mailparts.Backend) mailparts.Backend { return b },
		Limited: func(_ *testing.T, octets, messages int64) mailparts.Backend {
			return &mailtest.Memory{MaxStorage: octets, MaxMessages: messages}
		},
		Reopen:   func(_ *testing.T, b mailparts.Backend) mailparts.Backend { return b },
		Stranger: "mallory",
	}.Test(t)
}

// TestMemoryOnDemand is the zero value, which makes every user.
func TestMemoryOnDemand(t *testing.T) {
	mailtest.TestBackend(t, func(*testing.T) mailparts.Backend { return new(mailtest.Memory) })
}

// memoryUIDL is what an earlier server gave to every message but the third.
func memoryUIDL(_ string, uid mailparts.UID) string {
	if uid == 3 {
		return ""
	}
	return fmt.Sprintf("%08x.4f3b2c1d", uint32(uid))
}
