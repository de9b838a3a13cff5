package mailtest

import (
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

// TestBackend runs the conformance kit against the Backends that newBackend
// makes. Each subtest has the name of a promise and gets an empty Backend of its
// own. Optional interfaces are tested where the store has them; what needs one
// that it has not is skipped. To test what a restart keeps, and for users of
// other names, use [BackendKit].
func TestBackend(t *testing.T, newBackend func(t *testing.T) mailparts.Backend) {
	BackendKit{New: newBackend}.Test(t)
}

// BackendKit is the conformance kit with what it may know of a Backend.
type BackendKit struct {
	// New returns a Backend whose users have no mail yet. It is called once in
	// each subtest, whose T serves for TempDir and Cleanup.
	New func(t *testing.T) mailparts.Backend

	// Reopen returns another Backend on b's data, as after a restart; b is not
	// used again, nor is it shut down. Nil: nothing is tested across restarts.
	Reopen func(t *testing.T, b mailparts.Backend) mailparts.Backend

	// Second returns another Backend on b's data, that of a second process: both
	// are used at the same time. Nil: nothing is tested between processes.
	Second func(t *testing.T, b mailparts.Backend) mailparts.Backend

	// Limited is New with quota: each user may keep so many octets and messages,
	// and about that; zero is no limit. Nil: no quota is tested.
	Limited func(t *testing.T, octets, messages int64) mailparts.Backend

	// OwnFields are names of header fields that the store keeps for itself, as an
	// mbox does Status and X-UID: it may take them out of what is appended, and
	// Size and Body are then without them. Empty: every octet is kept.
	OwnFields []string

	// Users are two that every Backend of New knows. Empty: alice and bob.
	Users [2]string

	// Stranger is one that it does not know. Empty: nobody is asked for who must
	// not exist.
	Stranger string

	patience time.Duration // how long a call may take; zero: ten seconds
}

// promise is one check of the kit.
type promise struct {
	name  string // a sentence, with the group's name as its subject
	check func(x *trial)
}

// Test runs the kit.
func (k BackendKit) Test(t *testing.T) {
	k = k.withDefaults()
	for _, group := range groups() {
		t.Run(group.name, func(t *testing.T) {
			for _, p := range group.promises {
				t.Run(p.name, func(t *testing.T) { p.check(k.trial(t)) })
			}
		})
	}
}

func (k BackendKit) withDefaults() BackendKit {
	if k.Users == [2]string{} {
		k.Users = [2]string{"alice", "bob"}
	}
	if k.patience == 0 {
		k.patience = 10 * time.Second
	}
	return k
}

// group is what the kit has to say of one subject.
type group struct {
	name     string
	promises []promise
}

func groups() []group {
	return []group{
		{"user", userPromises()},
		{"status", statusPromises()},
		{"uid", uidPromises()},
		{"append", appendPromises()},
		{"octets", octetPromises()},
		{"body", bodyPromises()},
		{"messages", messagesPromises()},
		{"flags", flagPromises()},
		{"expunge", expungePromises()},
		{"modseq", modSeqPromises()},
		{"vanished", vanishedPromises()},
		{"outline", outlinePromises()},
		{"copy", copyPromises()},
		{"move", movePromises()},
		{"id", idPromises()},
		{"saved", savedPromises()},
		{"handle", handlePromises()},
		{"list", listPromises()},
		{"name", namePromises()},
		{"manager", managerPromises()},
		{"subscriber", subscriberPromises()},
		{"use", usePromises()},
		{"metadata", metadataPromises()},
		{"acl", aclPromises()},
		{"quota", quotaPromises()},
		{"search", searchPromises()},
		{"uidl", uidlPromises()},
		{"lock", lockPromises()},
		{"watch", watchPromises()},
		{"recent", recentPromises()},
		{"cache", cachePromises()},
		{"concurrency", concurrencyPromises()},
		{"process", processPromises()},
		{"restart", restartPromises()},
	}
}
