package maildir_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

var (
	modelSeed = flag.Uint64("model.seed", 0, "the one seed of TestModel; 0: one after the other")
	modelRuns = flag.Int("model.runs", 40, "how many seeds TestModel takes")
)

// TestModel does at random what sessions of two processes, another program and crashes
// do to a tree, and compares it with a model after each step.
func TestModel(t *testing.T) {
	first := rand.Uint64N(1 << 32)
	for i := range uint64(*modelRuns) {
		seed := first + i
		if *modelSeed != 0 {
			seed = *modelSeed
		}
		synctest.Test(t, func(t *testing.T) {
			m := &model{T: t, Rand: rand.New(rand.NewPCG(seed, 0)), fsys: disktest.New(), boxes: map[string]*modelBox{}, used: map[uint32]bool{}}
			defer func() {
				if t.Failed() {
					t.Logf("-model.seed=%d, steps:\n%s", seed, strings.Join(m.log, "\n"))
				}
			}()
			m.restart()
			m.boxes["INBOX"] = m.newBox("INBOX")
			for len(m.log) < 150 && !t.Failed() {
				m.step()
			}
		})
	}
}

// model is what should be in a tree.
type model struct {
	*testing.T
	*rand.Rand
	fsys    *disktest.FS
	stores  [2]mailparts.Store // of two processes
	boxes   map[string]*modelBox
	used    map[uint32]bool // UIDVALIDITYs
	bodies  int
	foreign bool // another program did something just now
	log     []string
}

type modelBox struct {
	handles  [2]mailparts.Mailbox
	validity uint32
	next     mailparts.UID            // the highest that was told
	highest  mailparts.ModSeq         // likewise
	flags    map[string]string        // of each message, by its body
	uids     map[mailparts.UID]string // bodies of those that have been seen
	told     map[mailparts.UID]string // what UIDs stood for ever
	loose    map[string]bool          // bodies that may get another UID
	views    []view                   // what clients have seen
	removed  bool                     // its index: who has not noticed will find all changed
	modSeqs  map[mailparts.UID]mailparts.ModSeq
}

type view struct {
	at    mailparts.ModSeq
	next  mailparts.UID
	flags map[mailparts.UID]string
}

func (m *model) note(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

// restart begins two processes anew.
func (m *model) restart() {
	for i := range m.stores {
		m.stores[i] = openStore(m, on(m.fsys))
	}
	for name, b := range m.boxes {
		m.open(name, b)
	}
}

func (m *model) open(name string, b *modelBox) {
	for i, s := range m.stores {
		var err error
		b.handles[i], err = s.Mailbox(m.Context(), name)
		must(m, err)
	}
}

func (m *model) newBox(name string) *modelBox {
	b := &modelBox{flags: map[string]string{}, uids: map[mailparts.UID]string{}, told: map[mailparts.UID]string{}, loose: map[string]bool{}}
	m.open(name, b)
	b.validity = status(m, b.handles[0]).UIDValidity
	if m.used[b.validity] {
		m.Errorf("UIDVALIDITY %d of %s is not new", b.validity, name)
	}
	m.used[b.validity] = true
	return b
}

// step is one thing that happens, and a look.
func (m *model) step() {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range m.boxes {
			if !yield(name) {
				return
			}
		}
	})
	name := names[m.IntN(len(names))]
	b, process := m.boxes[name], m.IntN(2)
	mb, store := b.handles[process], m.stores[process]
	if m.foreign && m.IntN(3) > 0 {
		m.settle()
	}
	switch n := m.IntN(100); {
	case n < 20:
		m.append(process, name, b)
	case n < 40 && !m.foreign:
		m.setFlags(process, name, b)
	case n < 50 && !m.foreign:
		var set mailparts.UIDSet
		var having mailparts.Flag
		if set = m.some(b); m.IntN(2) == 0 {
			set, having = mailparts.AllUIDs(), mailparts.FlagDeleted
		}
		m.check(process, name, b)
		m.note("%d: expunge %s %v %s", process, name, set, having)
		must(m, mb.Expunge(m.Context(), set, having))
		for uid, body := range b.uids {
			if set.Contains(uid) && (having == "" || strings.Contains(b.flags[body], string(having))) {
				delete(b.uids, uid)
				delete(b.flags, body)
			}
		}
	case n < 62 && !m.foreign:
		m.carry(process, name, names[m.IntN(len(names))])
	case n < 78:
		m.interfere(name, b)
	case n < 82:
		m.manage(store, name)
	case n < 86:
		m.note("%d: claim %s", process, name)
		_, err := mailparts.ClaimRecent(m.Context(), mb)
		must(m, err)
	case n < 89:
		m.note("restart")
		m.restart()
	case n < 91:
		m.note("remove the index of %s", name)
		m.fsys.Remove(path.Join(m.dir(name), "mailparts-index"))
		b.removed = true
	case n < 93:
		mode := disktest.Modes()[m.IntN(7)]
		m.note("crash: %v", mode)
		for _, b := range m.boxes { // lines of the uidlist are not synced
			for body := range b.flags {
				b.loose[body] = true
			}
		}
		m.fsys = m.fsys.Reboot(mode)
		m.restart()
	default:
		m.note("sleep")
		time.Sleep([]time.Duration{time.Millisecond, 30 * time.Millisecond, 3 * time.Second, time.Hour}[m.IntN(4)])
	}
	if m.foreign && m.IntN(2) == 0 {
		return
	}
	for _, name := range names {
		if b := m.boxes[name]; b != nil && m.IntN(2) == 0 {
			m.check(m.IntN(2), name, b)
		}
	}
}

// settle waits until a change of ours hides none of others.
func (m *model) settle() {
	time.Sleep(5 * time.Second)
	m.foreign = false
}

func (m *model) dir(name string) string {
	if name == "INBOX" {
		return root + "/user"
	}
	return root + "/user/." + strings.ReplaceAll(name, "/", ".")
}

var modelFlags = []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDeleted, mailparts.FlagFlagged, "Work", "$Junk"}

func (m *model) someFlags() (flags []mailparts.Flag) {
	for _, f := range modelFlags {
		if m.IntN(4) == 0 {
			flags = append(flags, f)
		}
	}
	return flags
}

func flagText(flags []mailparts.Flag) string {
	flags = slices.Sorted(slices.Values(flags))
	return fmt.Sprint(slices.Compact(flags))
}

// some are UIDs of a mailbox, and perhaps others.
func (m *model) some(b *modelBox) (set mailparts.UIDSet) {
	for range 1 + m.IntN(4) {
		uid := mailparts.UID(1 + m.IntN(int(b.next)+1))
		set.Add(uid, uid+mailparts.UID(m.IntN(3)))
	}
	return set
}

func (m *model) body() string {
	m.bodies++
	return fmt.Sprintf("message %d", m.bodies)
}

// came notes a message of ours that has a UID.
func (m *model) came(b *modelBox, uid mailparts.UID, body, flags string) {
	if was, ok := b.told[uid]; ok || uid < b.next {
		m.Errorf("UID %d is given to %q, was %q, with UIDNext %d", uid, body, was, b.next)
	}
	b.uids[uid], b.told[uid], b.flags[body] = body, body, flags
}

func each(set mailparts.UIDSet) (all []mailparts.UID) {
	for _, r := range set {
		for u := r.First; u <= r.Last; u++ {
			all = append(all, u)
		}
	}
	return all
}

// check compares a mailbox with its model.
func (m *model) check(process int, name string, b *modelBox) {
	if m.foreign {
		m.settle()
	}
	m.note("%d: check %s", process, name)
	mb := b.handles[process]
	if b.removed {
		for _, err := range mb.Messages(m.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
			must(m, err)
		}
	}
	st := status(m, mb)
	if st.UIDValidity != b.validity || st.UIDNext < b.next || st.HighestModSeq < b.highest || int(st.Messages) != len(b.flags) {
		m.Errorf("%s is %+v, want UIDVALIDITY %d, UIDNext %d, HighestModSeq %d, %d messages", name, st, b.validity, b.next, b.highest, len(b.flags))
	}
	now := view{st.HighestModSeq, st.UIDNext, map[mailparts.UID]string{}}
	before := b.uids
	b.uids, b.modSeqs = map[mailparts.UID]string{}, map[mailparts.UID]mailparts.ModSeq{}
	found := map[string]bool{}
	last := mailparts.UID(0)
	for msg, err := range mb.Messages(m.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(m, err)
		body := before[msg.UID]
		if body == "" || m.IntN(20) == 0 {
			body, err = readBody(mb, msg.UID)
			must(m, err)
			_, was := b.told[msg.UID]
			if _, there := b.flags[body]; before[msg.UID] == "" && (was || msg.UID < b.next || there && !b.loose[body]) || before[msg.UID] != "" && before[msg.UID] != body {
				m.Errorf("%s: UID %d is %q, was %q, and UIDNext %d", name, msg.UID, body, b.told[msg.UID], b.next)
			}
		}
		flags := flagText(msg.Flags)
		if found[body] || msg.UID <= last || msg.UID >= st.UIDNext || msg.ModSeq > st.HighestModSeq || msg.ModSeq == 0 || flags != b.flags[body] {
			m.Errorf("%s: UID %d after %d, %q is %s, want %s, mod-sequence %d of %d", name, msg.UID, last, body, flags, b.flags[body], msg.ModSeq, st.HighestModSeq)
		}
		last, found[body] = msg.UID, true
		b.uids[msg.UID], b.told[msg.UID], b.modSeqs[msg.UID], now.flags[msg.UID] = body, body, msg.ModSeq, flags
	}
	for body := range b.flags {
		if !found[body] {
			m.Errorf("%s: %q is lost", name, body)
		}
	}
	b.removed = b.removed && st.HighestModSeq < b.highest+1000
	b.next, b.highest, b.loose = st.UIDNext, st.HighestModSeq, map[string]bool{}
	if len(b.views) > 0 {
		m.resync(mb, b.views[m.IntN(len(b.views))], now)
	}
	b.views = append(b.views, now)
}

// resync is a client that has seen old and asks for what changed.
func (m *model) resync(mb mailparts.Mailbox, old, now view) {
	gone, err := mailparts.Vanished(m.Context(), mb, old.at)
	must(m, err)
	has := map[mailparts.UID]string{}
	for uid, flags := range old.flags {
		if !gone.Contains(uid) {
			has[uid] = flags
		}
	}
	for msg, err := range mb.Messages(m.Context(), mailparts.AllUIDs(), mailparts.Query{Since: old.at}) {
		must(m, err)
		has[msg.UID] = flagText(msg.Flags)
	}
	for uid := range now.flags {
		if has[uid] != now.flags[uid] || gone.Contains(uid) {
			m.Errorf("since %d UID %d is %s, not %s; vanished are %v", old.at, uid, now.flags[uid], has[uid], gone)
		}
	}
	if len(has) != len(now.flags) {
		m.Errorf("since %d there are %v, not %v; vanished are %v", old.at, now.flags, has, gone)
	}
}
