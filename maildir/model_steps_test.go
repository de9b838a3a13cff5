package maildir_test

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func (m *model) append(process int, name string, b *modelBox) {
	var msgs []mailparts.Incoming
	var bodies []string
	for range 1 + m.IntN(3) {
		bodies = append(bodies, m.body())
		msgs = append(msgs, incoming(bodies[len(bodies)-1], m.someFlags()...))
	}
	m.note("%d: append to %s %q", process, name, bodies)
	placed, err := b.handles[process].Append(m.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for _, in := range msgs {
			if !yield(in, nil) {
				return
			}
		}
	})
	must(m, err)
	for i, uid := range each(placed.UIDs) {
		m.came(b, uid, bodies[i], flagText(msgs[i].Flags))
	}
}

func (m *model) setFlags(process int, name string, b *modelBox) {
	m.check(process, name, b)
	c := mailparts.FlagChange{Op: mailparts.FlagOp(m.IntN(3)), Flags: m.someFlags()}
	if len(b.views) > 0 && !b.removed && m.IntN(2) == 0 {
		c.UnchangedSince = b.views[m.IntN(len(b.views))].at
	}
	set := m.some(b)
	m.note("%d: flags of %s %v %+v", process, name, set, c)
	at, stale, err := b.handles[process].SetFlags(m.Context(), set, c)
	must(m, err)
	for uid, body := range b.uids {
		old := c.UnchangedSince != 0 && b.modSeqs[uid] > c.UnchangedSince
		if set.Contains(uid) && old != stale.Contains(uid) {
			m.Errorf("UID %d with %d is stale: %v", uid, b.modSeqs[uid], stale)
		}
		if !set.Contains(uid) || old {
			continue
		}
		var is []mailparts.Flag
		for _, f := range modelFlags {
			has, named := strings.Contains(b.flags[body], string(f)), slices.Contains(c.Flags, f)
			if named && c.Op != mailparts.RemoveFlags || has && !named && c.Op != mailparts.ReplaceFlags {
				is = append(is, f)
			}
		}
		if text := flagText(is); text != b.flags[body] {
			if b.flags[body] = text; at <= b.highest {
				m.Errorf("flags of UID %d got %d, not above %d", uid, at, b.highest)
			}
		}
	}
}

// carry copies or moves.
func (m *model) carry(process int, name, to string) {
	src, dst := m.boxes[name], m.boxes[to]
	m.check(process, name, src)
	set, move := m.some(src), m.IntN(2) == 0
	m.note("%d: carry %v from %s to %s, move: %v", process, set, name, to, move)
	do := mailparts.Copy
	if move {
		do = mailparts.Move
	}
	c, err := do(m.Context(), src.handles[process], set, dst.handles[process])
	must(m, err)
	from, placed := each(c.From), each(c.To.UIDs)
	for uid := range src.uids {
		if set.Contains(uid) && !slices.Contains(from, uid) && !slices.Contains(placed, uid) {
			m.Errorf("UID %d was left behind", uid)
		}
	}
	for i, uid := range from {
		body := src.uids[uid]
		flags := src.flags[body]
		if move {
			delete(src.uids, uid)
			delete(src.flags, body)
			m.came(dst, placed[i], body, flags)
			continue
		}
		// The copy gets another content, so that it can be told from the first.
		if err := m.mark(dst, to, process, placed[i], body, flags); err != nil {
			m.Error(err)
		}
	}
}

// mark has a copy expunged: two messages of one body would confuse the model.
func (m *model) mark(b *modelBox, name string, process int, uid mailparts.UID, body, flags string) error {
	got, err := readBody(b.handles[process], uid)
	if err == nil && got != body {
		err = fmt.Errorf("the copy is %q, want %q", got, body)
	}
	if _, ok := b.told[uid]; ok || uid < b.next {
		err = fmt.Errorf("UID %d of a copy in %s is not new", uid, name)
	}
	b.told[uid] = body
	return errors.Join(err, b.handles[process].Expunge(m.Context(), uids(uid), ""))
}

// interfere is another program, which syncs what it does.
func (m *model) interfere(name string, b *modelBox) {
	dir := m.dir(name)
	m.foreign = true
	var files []string
	for file := range m.fsys.Files() {
		if sub := path.Dir(file); sub == dir+"/cur" || sub == dir+"/new" {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	n := m.IntN(6)
	if n < 2 || len(files) == 0 {
		body := m.body()
		file, flags := fmt.Sprintf("%s/new/%d.x", dir, m.bodies), "[]"
		if n == 0 {
			file, flags = fmt.Sprintf("%s/cur/%d.y,S=%d:2,FS", dir, m.bodies, len(body)), flagText([]mailparts.Flag{mailparts.FlagFlagged, mailparts.FlagSeen})
		}
		m.note("another program delivers %s", file)
		put(m, m.fsys, file, body)
		f, err := m.fsys.OpenFile(file, 0, 0)
		must(m, err)
		must(m, errors.Join(f.Sync(), f.Close(), m.fsys.SyncDir(path.Dir(file))))
		b.flags[body], b.loose[body] = flags, true
		return
	}
	file := files[m.IntN(len(files))]
	body := m.fsys.Files()[file]
	base, _, _ := strings.Cut(path.Base(file), ":")
	for _, other := range files {
		if other != file && strings.HasPrefix(path.Base(other), base) {
			return // what a crash has left: it is not clear which one stays
		}
	}
	to, flags := dir+"/cur/"+base+":2,", flagText(nil)
	if m.IntN(2) == 0 {
		to, flags = to+"ST", flagText([]mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDeleted})
	}
	switch n {
	case 2:
		m.note("another program removes %s", file)
		must(m, m.fsys.Remove(file))
		delete(b.flags, body)
	case 3:
		if to == file {
			return
		}
		m.note("another program leaves two names of %s", file)
		if path.Dir(file) == dir+"/new" { // or else it is not clear which one stays
			must(m, errors.Join(m.fsys.Link(file, to), m.fsys.SyncDir(dir+"/cur")))
			b.flags[body] = flags
			m.check(m.IntN(2), name, b)
		}
	default:
		m.note("another program renames %s to %s", file, to)
		must(m, m.fsys.Rename(file, to))
		b.flags[body] = flags
	}
	must(m, errors.Join(m.fsys.SyncDir(dir+"/cur"), m.fsys.SyncDir(dir+"/new")))
	for uid, has := range b.uids {
		if _, there := b.flags[has]; !there {
			delete(b.uids, uid)
		}
	}
}

// manage makes, renames and deletes mailboxes.
func (m *model) manage(s mailparts.Store, name string) {
	all := []string{"a", "b", "a/x"}
	to := all[m.IntN(len(all))]
	manager := s.(mailparts.Manager)
	switch b := m.boxes[name]; {
	case m.boxes[to] == nil && (name == "INBOX" || m.IntN(2) == 0):
		m.note("create %s", to)
		must(m, manager.Create(m.Context(), to))
		m.boxes[to] = m.newBox(to)
	case name == "INBOX":
	case m.IntN(3) == 0:
		m.note("delete %s", name)
		must(m, manager.Delete(m.Context(), name))
		delete(m.boxes, name)
		for _, mb := range b.handles {
			if _, err := mb.Status(m.Context()); !errors.Is(err, mailparts.ErrNoMailbox) {
				m.Errorf("%s is deleted: %v", name, err)
			}
		}
	case m.boxes[to] == nil && name == "b" && to == "a" && m.boxes["a/x"] == nil || name == "a/x" && to == "b" && m.boxes["b"] == nil:
		m.note("rename %s to %s", name, to)
		must(m, manager.Rename(m.Context(), name, to))
		delete(m.boxes, name)
		m.boxes[to] = b
	}
}
