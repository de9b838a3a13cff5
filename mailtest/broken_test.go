package mailtest_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenEnv says that this is the process in which the kit must fail.
const brokenEnv = "MAILTEST_BROKEN"

// TestKitBites runs each promise of the kit, in a process of its own, against a
// Backend that breaks it, and wants it to fail.
func TestKitBites(t *testing.T) {
	if os.Getenv(brokenEnv) != "" {
		t.Skip("this is the process with the broken Backends")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestBroken$", "-test.timeout=60s", "-test.parallel=64")
	cmd.Env = append(os.Environ(), brokenEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("no broken Backend makes the kit fail")
	}
	all := breakages()
	for _, promise := range mailtest.Promises() {
		if _, ok := all[promise]; !ok {
			t.Errorf("%s: no Backend breaks it", promise)
		} else if want := "--- FAIL: TestBroken/" + strings.ReplaceAll(promise, " ", "_") + " "; !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s: the kit does not fail where it is broken", promise)
		}
		delete(all, promise)
	}
	for promise := range all {
		t.Errorf("%s: broken, but promised nowhere", promise)
	}
	if t.Failed() {
		t.Logf("the process says %v:\n%s", err, out)
	}
}

// TestBroken is what that process runs. Elsewhere nothing is broken, and the kit
// must pass: it is not the wrapping that it fails.
func TestBroken(t *testing.T) {
	if os.Getenv(brokenEnv) == "" {
		brokenKit(breakage{}).Test(t)
		return
	}
	for promise, b := range breakages() {
		t.Run(promise, func(t *testing.T) {
			t.Parallel()
			brokenKit(b).WithPatience(300*time.Millisecond).Check(t, promise)
		})
	}
}

// breakage is a way to break a promise.
type breakage struct {
	hooks                                          // of every Store and Mailbox
	then    *hooks                                 // in place of them after a restart
	second  *hooks                                 // in place of them in a second process
	user    func(user string) string               // who is opened in place of whom
	limits  func(octets, messages *int64)          // of quota
	mailbox func(mb fullMailbox) mailparts.Mailbox // in place of hooks
	store   func(s fullStore) mailparts.Store      // in place of hooks
	lost    func(m *mailtest.Memory)               // what a restart does
}

// brokenKit is the kit for a Memory that is broken.
func brokenKit(b breakage) mailtest.BackendKit {
	memory := func(octets, messages int64) mailparts.Backend {
		return &brokenBackend{b, &mailtest.Memory{
			Users: []string{"alice", "bob", "all"}, UIDL: memoryUIDL, MaxStorage: octets, MaxMessages: messages,
		}}
	}
	with := func(old mailparts.Backend, h *hooks) mailparts.Backend {
		if h == nil {
			return old
		}
		return &brokenBackend{breakage{hooks: *h}, old.(*brokenBackend).memory}
	}
	return mailtest.BackendKit{
		New: func(*testing.T) mailparts.Backend { return memory(0, 0) },
		Limited: func(_ *testing.T, octets, messages int64) mailparts.Backend {
			if b.limits != nil {
				b.limits(&octets, &messages)
			}
			return memory(octets, messages)
		},
		Second: func(_ *testing.T, old mailparts.Backend) mailparts.Backend { return with(old, b.second) },
		Reopen: func(_ *testing.T, old mailparts.Backend) mailparts.Backend {
			if b.lost != nil {
				b.lost(old.(*brokenBackend).memory)
			}
			return with(old, b.then)
		},
		Stranger: "mallory",
	}
}

// breakages are one for each promise, by its name.
func breakages() map[string]breakage {
	all := map[string]breakage{}
	for _, some := range []map[string]breakage{brokenMail(), brokenNumbers(), brokenNames(), brokenExtras()} {
		maps.Copy(all, some)
	}
	return all
}
