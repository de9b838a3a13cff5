package mbox_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
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
	modelRuns = flag.Int("model.runs", 4, "how many seeds TestModel takes")
)

// TestModel does random things to the mailboxes of one tree, by two processes of ours
// and by other programs, and looks after each whether all see what a simple model has.
func TestModel(t *testing.T) {
	first := 1 + rand.Uint64N(1<<32)
	for i := range uint64(*modelRuns) {
		seed := first + i
		if *modelSeed != 0 {
			seed = *modelSeed
		}
		synctest.Test(t, func(t *testing.T) {
			m := &model{t: t, Rand: rand.New(rand.NewPCG(seed, 0)), fsys: disktest.New(), boxes: map[string]*modelBox{}}
			defer func() {
				if t.Failed() {
					t.Logf("-model.seed=%d, steps:\n%s", seed, strings.Join(m.steps, "\n"))
				}
			}()
			m.stores = [2]mailparts.Store{m.open(), m.open()}
			m.adopt("INBOX")
			for range 60 {
				time.Sleep(time.Millisecond) // no two steps have one modification time
				m.step()
				if m.check(); t.Failed() {
					return
				}
			}
		})
		if t.Failed() {
			return
		}
	}
}

type model struct {
	*rand.Rand
	t          *testing.T
	fsys       *disktest.FS
	stores     [2]mailparts.Store
	boxes      map[string]*modelBox
	validities []uint32 // of all mailboxes there ever were
	steps      []string
	serial     int
}

type modelBox struct {
	handles  [2]mailparts.Mailbox
	validity uint32
	next     mailparts.UID
	messages []modelMessage
}

type modelMessage struct {
	uid   mailparts.UID
	body  string
	flags map[mailparts.Flag]bool
}

var modelFlags = []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDeleted, mailparts.FlagDraft, "Work", "$Forwarded"}

func (m *model) open() mailparts.Store {
	s, err := backendOn(m.fsys).Open(m.t.Context(), "user")
	must(m.t, err)
	return s
}

// adopt takes a new mailbox into the model.
func (m *model) adopt(name string) {
	b := &modelBox{next: 1}
	m.boxes[name] = b
	m.reopen(name)
	b.validity = statusOf(m.t, b.handles[0]).UIDValidity
	if slices.Contains(m.validities, b.validity) {
		m.t.Errorf("%s: UIDVALIDITY %d was another mailbox's", name, b.validity)
	}
	m.validities = append(m.validities, b.validity)
}

func (m *model) reopen(name string) {
	for i, s := range m.stores {
		mb, err := s.Mailbox(m.t.Context(), name)
		must(m.t, err)
		m.boxes[name].handles[i] = mb
	}
}

func (m *model) path(name string) string {
	if name == "INBOX" {
		return inboxPath
	}
	return tree + "/user/" + name
}

// name is that of one of the mailboxes, and a number one of the two processes.
func (m *model) name() (string, int) {
	names := m.names()
	return names[m.IntN(len(names))], m.IntN(2)
}

// names are in order, so that a seed always does the same.
func (m *model) names() []string { return slices.Sorted(maps.Keys(m.boxes)) }

// some are some of the UIDs of a mailbox.
func (m *model) some(b *modelBox) (set mailparts.UIDSet) {
	for _, x := range b.messages {
		if m.IntN(3) == 0 {
			set.Add(x.uid, x.uid)
		}
	}
	return set
}

func (m *model) newFlags() map[mailparts.Flag]bool {
	flags := map[mailparts.Flag]bool{}
	for _, f := range modelFlags {
		if m.IntN(4) == 0 {
			flags[f] = true
		}
	}
	return flags
}

func listOf(flags map[mailparts.Flag]bool) (list []mailparts.Flag) {
	for _, f := range modelFlags {
		if flags[f] {
			list = append(list, f)
		}
	}
	return list
}

func (m *model) newBody() string {
	m.serial++
	lines := []string{"", "From x Mon Jan  1 00:00:00 2024", ">From y", "text", "From here", "Content-Length: 3", "X-UID: 1", "caf\xe9 \x00"}
	body := fmt.Sprintf("Subject: %d\r\n\r\n", m.serial)
	for range m.IntN(6) {
		body += lines[m.IntN(len(lines))] + "\r\n"
	}
	return body + strings.Repeat("0123456789\r\n", m.IntN(20)*m.IntN(20)) + []string{"end", "end\r\n", "\r\n"}[m.IntN(3)]
}

func (m *model) log(format string, args ...any) {
	m.steps = append(m.steps, fmt.Sprintf(format, args...))
}

func (m *model) step() {
	name, i := m.name()
	b := m.boxes[name]
	switch k := m.IntN(24); {
	case k < 5:
		m.append(name, i)
	case k < 7:
		m.copy(name, i, k == 6)
	case k < 11:
		m.flag(name, i)
	case k < 13:
		set := m.some(b)
		m.log("%d expunges %v of %s", i, set, name)
		must(m.t, b.handles[i].Expunge(m.t.Context(), set, ""))
		m.drop(b, set)
	case k < 16:
		m.deliver(name)
	case k < 18:
		m.foreign(name, "flag")
	case k < 20:
		m.foreign(name, "remove")
	case k < 21:
		m.stores[i] = m.open()
		m.log("%d starts again", i)
		for _, name := range m.names() {
			m.reopen(name)
		}
	default:
		m.manage(name, i)
	}
}

func (m *model) append(name string, i int) {
	b := m.boxes[name]
	var in []mailparts.Incoming
	for range 1 + m.IntN(3) {
		x := modelMessage{b.next, m.newBody(), m.newFlags()}
		in = append(in, incoming(x.body, listOf(x.flags)...))
		b.messages = append(b.messages, x)
		b.next++
	}
	m.log("%d appends %d to %s", i, len(in), name)
	placed, err := b.handles[i].Append(m.t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for _, x := range in {
			if !yield(x, nil) {
				return
			}
		}
	})
	must(m.t, err)
	if want := (mailparts.UIDSet{{First: b.next - mailparts.UID(len(in)), Last: b.next - 1}}); placed.UIDs.String() != want.String() || placed.UIDValidity != b.validity {
		m.t.Errorf("Append to %s placed %+v, want %v and %d", name, placed, want, b.validity)
	}
}

func (m *model) copy(name string, i int, move bool) {
	b := m.boxes[name]
	to, _ := m.name()
	dst, set := m.boxes[to], m.some(b)
	if move && dst == b {
		return
	}
	m.log("%d copies %v of %s to %s, move %v", i, set, name, to, move)
	do := mailparts.Copy
	if move {
		do = mailparts.Move
	}
	_, err := do(m.t.Context(), b.handles[i], set, dst.handles[i])
	must(m.t, err)
	for _, x := range slices.Clone(b.messages) {
		if set.Contains(x.uid) {
			dst.messages = append(dst.messages, modelMessage{dst.next, x.body, copyFlags(x.flags)})
			dst.next++
		}
	}
	if move {
		m.drop(b, set)
	}
}

func copyFlags(flags map[mailparts.Flag]bool) map[mailparts.Flag]bool {
	c := map[mailparts.Flag]bool{}
	for f := range flags {
		c[f] = true
	}
	return c
}

func (m *model) drop(b *modelBox, set mailparts.UIDSet) {
	b.messages = slices.DeleteFunc(b.messages, func(x modelMessage) bool { return set.Contains(x.uid) })
}

func (m *model) flag(name string, i int) {
	b, set, flags, op := m.boxes[name], m.some(m.boxes[name]), m.newFlags(), mailparts.FlagOp(m.IntN(3))
	c := mailparts.FlagChange{Op: op, Flags: listOf(flags), UnchangedSince: mailparts.ModSeq(m.IntN(2))}
	m.log("%d flags %v of %s: %v", i, set, name, c)
	_, stale, err := b.handles[i].SetFlags(m.t.Context(), set, c)
	must(m.t, err)
	if len(stale) > 0 {
		m.t.Errorf("stale are %v, without mod-sequences", stale)
	}
	for k := range b.messages {
		x := &b.messages[k]
		if !set.Contains(x.uid) {
			continue
		}
		if op == mailparts.ReplaceFlags {
			x.flags = map[mailparts.Flag]bool{}
		}
		for f := range flags {
			if delete(x.flags, f); op != mailparts.RemoveFlags {
				x.flags[f] = true
			}
		}
	}
}

func (m *model) manage(name string, i int) {
	s := m.stores[i].(mailparts.Manager)
	other := fmt.Sprintf("box%d", m.IntN(4))
	switch _, taken := m.boxes[other]; {
	case !taken && (name == "INBOX" || m.IntN(2) == 0):
		m.log("%d creates %s", i, other)
		must(m.t, s.Create(m.t.Context(), other))
		m.adopt(other)
	case !taken:
		m.log("%d renames %s to %s", i, name, other)
		must(m.t, s.Rename(m.t.Context(), name, other))
		m.boxes[other] = m.boxes[name] // with its handles
		delete(m.boxes, name)
	case name != "INBOX" && m.IntN(3) == 0:
		m.log("%d deletes %s", i, name)
		must(m.t, s.Delete(m.t.Context(), name))
		for _, mb := range m.boxes[name].handles {
			if _, err := mb.Status(m.t.Context()); err == nil {
				m.t.Errorf("%s is deleted, and has a status", name)
			}
		}
		delete(m.boxes, name)
	}
}

// check looks at all mailboxes by both processes.
func (m *model) check() {
	for _, name := range m.names() {
		b := m.boxes[name]
		var want []string
		for _, x := range b.messages {
			want = append(want, fmt.Sprintf("%d %v %q", x.uid, listOf(x.flags), x.body))
		}
		for i, mb := range b.handles {
			var got []string
			for x, err := range mb.Messages(m.t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
				must(m.t, err)
				body, err := readBody(mb, x.UID)
				must(m.t, err)
				if x.Size != int64(len(body)) {
					m.t.Errorf("%s: message %d has the size %d and %d octets", name, x.UID, x.Size, len(body))
				}
				flags := map[mailparts.Flag]bool{}
				for _, f := range x.Flags {
					flags[f] = true
				}
				got = append(got, fmt.Sprintf("%d %v %q", x.UID, listOf(flags), body))
			}
			if !slices.Equal(got, want) {
				m.t.Errorf("for %d %s has %q, want %q", i, name, got, want)
			}
			if st := statusOf(m.t, mb); st.UIDValidity != b.validity || st.UIDNext != b.next || int(st.Messages) != len(want) {
				m.t.Errorf("%s: Status is %+v, want UIDVALIDITY %d and UIDNEXT %d", name, st, b.validity, b.next)
			}
		}
	}
}
