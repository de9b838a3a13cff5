package mailtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenEnv names the breakage that a process of TestKitBites is to run the kit
// against.
const brokenEnv = "MAILTEST_BROKEN"

// TestKitBites runs the kit, in a process of its own, against Backends of which
// each breaks a promise, and wants it to fail by that name.
func TestKitBites(t *testing.T) {
	if os.Getenv(brokenEnv) != "" {
		t.Skip("this is the process with the broken Backend")
	}
	for what, b := range breakages() {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			group, _, _ := strings.Cut(b.promise, "/")
			cmd := exec.Command(os.Args[0], "-test.run=^TestBroken$/^"+group+"$", "-test.timeout=30s")
			cmd.Env = append(os.Environ(), brokenEnv+"="+what)
			out, err := cmd.CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
				t.Fatal(err)
			}
			if want := "--- FAIL: TestBroken/" + strings.ReplaceAll(b.promise, " ", "_") + " "; !bytes.Contains(out, []byte(want)) {
				t.Errorf("the kit does not say %q:\n%s", want, out)
			}
		})
	}
}

// TestBroken is what those processes run. Without the variable nothing is
// broken, and the kit must pass: it is not the wrapping that it fails.
func TestBroken(t *testing.T) {
	b := breakages()[os.Getenv(brokenEnv)]
	kit := mailtest.BackendKit{
		New: func(*testing.T) mailparts.Backend { return &brokenBackend{new(mailtest.Memory), b} },
		Reopen: func(_ *testing.T, old mailparts.Backend) mailparts.Backend {
			if b.reopen != nil {
				return b.reopen(old)
			}
			return old
		},
	}
	if os.Getenv(brokenEnv) != "" {
		kit = kit.WithPatience(300 * time.Millisecond)
	}
	kit.Test(t)
}

func breakages() map[string]breakage {
	all := map[string]breakage{}
	add := func(what string, b breakage) { all[what] = b }
	addAppendBreakages(add)
	addMessageBreakages(add)
	addNumberBreakages(add)
	addStoreBreakages(add)
	return all
}

func addAppendBreakages(add func(string, breakage)) {
	changed := func(f func(context.Context, fullMailbox, incoming) (mailparts.Placed, error)) func(fullMailbox) mailparts.Mailbox {
		return func(mb fullMailbox) mailparts.Mailbox { return changedAppend{mb, f} }
	}
	// anyEnd takes an error of the body for its end if it is such.
	anyEnd := func(is func(error) bool) func(fullMailbox) mailparts.Mailbox {
		return changed(func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
			var lost error
			placed, err := mb.Append(ctx, func(yield func(mailparts.Incoming, error) bool) {
				for m, err := range msgs {
					if err == nil {
						m.Body = lenient{m.Body, is, &lost}
					}
					if !yield(m, err) {
						return
					}
				}
			})
			return placed, errors.Join(err, lost)
		})
	}
	add("commits after a read error", breakage{
		promise: "append/leaves nothing after a read error",
		mailbox: anyEnd(func(err error) bool { return err != io.EOF }),
	})
	add("takes a wrapped EOF for the end", breakage{
		promise: "append/takes nothing but io.EOF for the end",
		mailbox: anyEnd(func(err error) bool { return err != io.EOF && errors.Is(err, io.EOF) }),
	})
	oneByOne := changed(func(ctx context.Context, mb fullMailbox, msgs incoming) (all mailparts.Placed, err error) {
		for m, err := range msgs {
			if err != nil {
				return all, err
			}
			one, err := mailparts.Append(ctx, mb, m)
			if err != nil {
				return all, err
			}
			all.UIDValidity = one.UIDValidity
			all.UIDs.Add(one.UIDs[0].First, one.UIDs[0].Last)
		}
		return all, nil
	})
	add("adds a batch one by one", breakage{promise: "append/adds a batch or none of it", mailbox: oneByOne})
	add("shows a batch in part", breakage{promise: "append/shows a message only when it is whole", mailbox: oneByOne})
	add("reads all bodies at the end", breakage{
		promise: "append/reads each body before it asks for the next message",
		mailbox: changed(func(ctx context.Context, mb fullMailbox, msgs incoming) (mailparts.Placed, error) {
			var all []mailparts.Incoming
			for m, err := range msgs {
				if err != nil {
					return mailparts.Placed{}, err
				}
				all = append(all, m)
			}
			return mb.Append(ctx, func(yield func(mailparts.Incoming, error) bool) {
				for _, m := range all {
					if !yield(m, nil) {
						return
					}
				}
			})
		}),
	})
	add("locks while it reads", breakage{
		promise: "append/holds no lock while it reads",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return locked{fullMailbox: mb, mu: new(sync.Mutex), reading: true}
		},
	})
}

// lenient is a body that ends where its reader fails.
type lenient struct {
	io.Reader
	is   func(error) bool
	lost *error
}

func (r lenient) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && r.is(err) {
		*r.lost, err = err, io.EOF
	}
	return n, err
}

func addMessageBreakages(add func(string, breakage)) {
	body := func(promise string, f func([]byte) []byte) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox { return changedBody{mb, f} }}
	}
	message := func(promise string, f func(*mailparts.Message)) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox { return changedMessages{mb, f} }}
	}
	flags := func(promise string, f func(*mailparts.UIDSet, *mailparts.FlagChange)) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox { return changedFlags{mb, f} }}
	}
	everything := func(uids *mailparts.UIDSet) {
		if len(*uids) == 0 {
			*uids = mailparts.AllUIDs()
		}
	}
	lf := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }
	add("loses CRs", body("octets/are kept but for a bare LF, which becomes CRLF", lf))
	add("adds CRs after CRs", body("octets/are right in any mixture", func(b []byte) []byte {
		return bytes.ReplaceAll(lf(b), []byte("\n"), []byte("\r\n"))[:len(b)/2*2]
	}))
	add("ends in the middle", body("octets/of a large message are all there", func(b []byte) []byte { return b[:min(len(b), 1<<16)] }))
	add("counts other octets", message("octets/are as many as Size says", func(m *mailparts.Message) { m.Size++ }))
	add("has no date", message("append/keeps body, flags and date", func(m *mailparts.Message) { m.Received = time.Time{} }))
	add("gives all messages one ID", message("append/gives each message an id and keeps the one it brings", func(m *mailparts.Message) { m.ID = "M" }))
	add("shows Recent", message("flags/never include Recent", func(m *mailparts.Message) { m.Flags = append(slices.Clone(m.Flags), `\Recent`) }))
	add("gives derived bytes to others", message("cache/keeps bytes for their own message, the last of several", func(m *mailparts.Message) { m.Derived = []byte("of a") }))
	add("yields all of an empty set", breakage{
		promise: "messages/of an empty set are none",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedQuery{mb, func(uids *mailparts.UIDSet, _ *mailparts.Query) { everything(uids) }}
		},
	})
	add("locks while it yields", breakage{
		promise: "messages/hold no lock while they are yielded",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return locked{fullMailbox: mb, mu: new(sync.Mutex), yield: true}
		},
	})
	add("changes shared flags", breakage{
		promise: "messages/that came before are not changed by what comes after",
		mailbox: func(mb fullMailbox) mailparts.Mailbox { return leaky{mb, new([]mailparts.Flag)} },
	})
	add("flags all of an empty set", flags("flags/are changed nowhere by an empty set", func(uids *mailparts.UIDSet, _ *mailparts.FlagChange) { everything(uids) }))
	add("adds for replace", flags("flags/are added, removed and replaced", func(_ *mailparts.UIDSet, c *mailparts.FlagChange) { c.Op %= mailparts.ReplaceFlags }))
	add("minds the case of flags", flags("flags/are compared without regard to ASCII case", func(_ *mailparts.UIDSet, c *mailparts.FlagChange) {
		c.Flags = slices.DeleteFunc(slices.Clone(c.Flags), func(f mailparts.Flag) bool { return f == `\SEEN` })
	}))
	expunge := func(promise string, f func(uids *mailparts.UIDSet, having *mailparts.Flag)) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedExpunge{mb, func(ctx context.Context, mb fullMailbox, uids mailparts.UIDSet, having mailparts.Flag) error {
				f(&uids, &having)
				return mb.Expunge(ctx, uids, having)
			}}
		}}
	}
	add("expunges all of an empty set", expunge("expunge/removes nothing of an empty set", func(uids *mailparts.UIDSet, _ *mailparts.Flag) { everything(uids) }))
	add("expunges whatever the flag", expunge("expunge/removes those that carry the flag", func(_ *mailparts.UIDSet, having *mailparts.Flag) { *having = "" }))
}

func addNumberBreakages(add func(string, breakage)) {
	status := func(promise string, f func(*mailparts.Status)) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox { return changedStatus{mb, f} }}
	}
	options := func(promise string, f func(*changedOptions)) breakage {
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox {
			b := changedOptions{fullMailbox: mb}
			f(&b)
			return b
		}}
	}
	add("reuses a UID", breakage{
		promise: "uid/never comes back after expunge",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedExpunge{mb, func(ctx context.Context, mb fullMailbox, uids mailparts.UIDSet, having mailparts.Flag) error {
				defer mailtest.ReuseUIDs(mb)
				return mb.Expunge(ctx, uids, having)
			}}
		},
	})
	add("has a UIDVALIDITY of zero", status("uid/UIDVALIDITY is never zero and stays", func(st *mailparts.Status) { st.UIDValidity = 0 }))
	add("says the last UID for the next", status("uid/is at least the UIDNext of before and below that of after", func(st *mailparts.Status) { st.UIDNext-- }))
	add("counts no deleted messages", status("status/counts what is there", func(st *mailparts.Status) { st.Counts.Deleted = 0 }))
	add("raises no mod-sequence", status("modseq/is raised by every change", func(st *mailparts.Status) { st.HighestModSeq = 1 }))
	lateFor := func(promise string) breakage {
		l := &lateness{looks: make(chan struct{})}
		return breakage{promise: promise, mailbox: func(mb fullMailbox) mailparts.Mailbox { return late{mb, l} }}
	}
	add("shows messages late", lateFor("concurrency/no UID below a seen UIDNext appears later"))
	add("shows changes late", lateFor("concurrency/who follows the numbers misses nothing"))
	add("ignores Since", breakage{
		promise: "modseq/selects with Since what changed after it",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedQuery{mb, func(_ *mailparts.UIDSet, q *mailparts.Query) { q.Since = 0 }}
		},
	})
	add("looks one mod-sequence too far", breakage{
		promise: "modseq/lets who follows it miss nothing",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedQuery{mb, func(_ *mailparts.UIDSet, q *mailparts.Query) { q.Since++ }}
		},
	})
	add("ignores UnchangedSince", breakage{
		promise: "modseq/protects with UnchangedSince what changed after it",
		mailbox: func(mb fullMailbox) mailparts.Mailbox {
			return changedFlags{mb, func(_ *mailparts.UIDSet, c *mailparts.FlagChange) { c.UnchangedSince = 0 }}
		},
	})
	add("forgets what vanished", options("vanished/names every UID expunged after since", func(b *changedOptions) {
		b.vanished = func() mailparts.UIDSet { return nil }
	}))
	add("has all vanish", options("vanished/names no message that exists", func(b *changedOptions) { b.vanished = mailparts.AllUIDs }))
	add("lets everyone lock", options("lock/excludes a second holder until it is released", func(b *changedOptions) {
		b.lock = func() error { return nil }
	}))
	add("gives Recent to everyone", options("recent/goes to one caller only", func(b *changedOptions) {
		b.claim = func() mailparts.UIDRange { return mailparts.UIDRange{First: 1, Last: 99} }
	}))
	add("never wakes", options("watch/wakes after each kind of change of a mailbox", func(b *changedOptions) { b.asleep = true }))
	add("copies from the end", breakage{
		promise: "copy/keeps the order and names both sides",
		mailbox: func(mb fullMailbox) mailparts.Mailbox { return reordered{mb} },
	})
}

func addStoreBreakages(add func(string, breakage)) {
	grimly := func(s fullStore) mailparts.Store { return grim{s} }
	copied := func(s fullStore) mailparts.Store { return copying{s} }
	add("opens what a path leads to", breakage{
		promise: "name/of an odd kind reaches no other mailbox",
		store:   func(s fullStore) mailparts.Store { return cleaning{s} },
	})
	add("takes names that it cannot make", breakage{
		promise: "name/works faithfully or is refused with ErrBadName",
		store:   func(s fullStore) mailparts.Store { return polite{s} },
	})
	add("deletes children", breakage{promise: "manager/deletes one mailbox and leaves its children", store: grimly})
	add("unsubscribes on Delete", breakage{promise: "subscriber/is left alone by Delete and Rename", store: grimly})
	add("renames by a copy", breakage{promise: "manager/renames children along and keeps everything", store: copied})
	add("loses handles on Rename", breakage{promise: "handle/follows a rename", store: copied})
	add("takes a user name for a path", breakage{
		promise: "user/with a name like a path reaches no one else's mail",
		user:    path.Clean,
	})
	add("has one store for all", breakage{
		promise: "user/has no part in another's mail",
		user:    func(string) string { return "all" },
	})
	add("keeps nothing", breakage{
		promise: "restart/keeps messages as they were",
		reopen:  func(mailparts.Backend) mailparts.Backend { return new(mailtest.Memory) },
	})
	add("gives UIDs again after a restart", breakage{
		promise: "restart/keeps UIDs and never gives one again",
		reopen: func(b mailparts.Backend) mailparts.Backend {
			s, _ := b.Open(context.Background(), "alice")
			mb, _ := s.Mailbox(context.Background(), "INBOX")
			mailtest.ReuseUIDs(mb)
			return b
		},
	})
}
