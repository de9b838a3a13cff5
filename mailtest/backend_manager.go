package mailtest

import (
	"slices"

	"github.com/mailparts/mailparts"
)

func managerPromises() []promise {
	return []promise{
		{"creates an empty mailbox", managerCreate},
		{"needs no parents", managerParents},
		{"creates none twice", managerExists},
		{"deletes one mailbox and leaves its children", managerDelete},
		{"never gives a UIDVALIDITY twice", managerUIDValidity},
		{"renames children along and keeps everything", managerRename},
		{"renames onto no other mailbox", managerRenameExists},
		{"renames none that is missing", managerRenameMissing},
		{"renames no mailbox with a like name", managerRenamePrefix},
		{"lets a mailbox be renamed and made anew", managerReuse},
	}
}

// create makes mailboxes that hold their own name.
func (x *trial) create(m mailparts.Manager, names ...string) {
	x.Helper()
	for _, name := range names {
		x.mustDo("Create("+name+")", m.Create(x.Context(), name))
		x.addTexts(x.mailbox(x.store, name), name)
	}
}

// wantHolds checks that the mailbox holds one message of that body.
func (x *trial) wantHolds(name, body string) {
	x.Helper()
	x.wantBodies("mailbox "+name, x.mailbox(x.store, name), body)
}

func managerCreate(x *trial) {
	m := x.manager()
	x.mustDo("Create", m.Create(x.Context(), "made"))
	st := x.status(x.mailbox(x.store, "made"))
	if st.Messages != 0 || st.UIDValidity == 0 || st.UIDNext == 0 {
		x.Errorf("a new mailbox: Status %+v, want no message and numbers above zero", st)
	}
	x.wantNames("after Create", "made")
	again := x.open(x.kit.Users[0])
	if got := x.names(again); !slices.Contains(got, "made") {
		x.Errorf("another Open lists %q, want made too", got)
	}
}

func managerParents(x *trial) {
	m := x.manager()
	x.create(m, "a/b/c")
	x.wantNames("after Create(a/b/c)", "a/b/c")
	_, err := x.store.Mailbox(x.Context(), "a/b")
	x.wantError("Mailbox(a/b), a parent that was never made", err, mailparts.ErrNoMailbox)
	x.create(m, "a")
	x.wantNames("after Create(a) too", "a", "a/b/c")
	x.wantHolds("a/b/c", "a/b/c")
}

func managerExists(x *trial) {
	m := x.manager()
	x.create(m, "a")
	before := x.status(x.mailbox(x.store, "a"))
	x.wantError("Create of a mailbox that exists", m.Create(x.Context(), "a"), mailparts.ErrExists)
	x.wantHolds("a", "a")
	if got := x.status(x.mailbox(x.store, "a")).UIDValidity; got != before.UIDValidity {
		x.Errorf("Create of a mailbox that exists: UIDVALIDITY is %d, was %d", got, before.UIDValidity)
	}
}

func managerDelete(x *trial) {
	m := x.manager()
	x.create(m, "a", "a/b", "a/b/c", "ab")
	x.mustDo("Delete", m.Delete(x.Context(), "a"))
	x.wantNames("after Delete(a)", "a/b", "a/b/c", "ab")
	_, err := x.store.Mailbox(x.Context(), "a")
	x.wantError("Mailbox(a) after Delete", err, mailparts.ErrNoMailbox)
	x.wantError("Delete(a) again", m.Delete(x.Context(), "a"), mailparts.ErrNoMailbox)
	x.wantHolds("a/b", "a/b")
	x.must("Delete(a/b)", m.Delete(x.Context(), "a/b"))
	x.wantNames("after Delete(a/b)", "a/b/c", "ab")
	x.wantHolds("a/b/c", "a/b/c")
}

func managerUIDValidity(x *trial) {
	m := x.manager()
	seen := map[uint32]string{x.status(x.inbox).UIDValidity: "INBOX"}
	for range 5 {
		x.create(m, "a")
		v := x.status(x.mailbox(x.store, "a")).UIDValidity
		if also, ok := seen[v]; ok {
			x.Errorf("a new mailbox has UIDVALIDITY %d, which %s had", v, also)
		}
		seen[v] = "one of its name before it"
		x.must("Delete", m.Delete(x.Context(), "a"))
	}
}

func managerRename(x *trial) {
	m := x.manager()
	x.create(m, "from", "from/child", "from/no/parent", "from-other")
	before := map[string]mailparts.Status{}
	for _, name := range x.names(x.store) {
		before[name] = x.status(x.mailbox(x.store, name))
	}
	uids := x.uids(x.mailbox(x.store, "from"))
	x.mustDo("Rename", m.Rename(x.Context(), "from", "to/here"))
	x.wantNames("after Rename(from, to/here)", "to/here", "to/here/child", "to/here/no/parent", "from-other")
	for from, to := range map[string]string{"from": "to/here", "from/child": "to/here/child", "from/no/parent": "to/here/no/parent"} {
		x.wantHolds(to, from)
		st := x.status(x.mailbox(x.store, to))
		if st.ID != before[from].ID || st.UIDValidity != before[from].UIDValidity || st.UIDNext < before[from].UIDNext {
			x.Errorf("%s, renamed to %s: Status %+v, was %+v", from, to, st, before[from])
		}
		_, err := x.store.Mailbox(x.Context(), from)
		x.wantError("Mailbox("+from+") after Rename", err, mailparts.ErrNoMailbox)
	}
	x.wantUIDs("the renamed mailbox", x.mailbox(x.store, "to/here"), uids...)
}

func managerRenameExists(x *trial) {
	m := x.manager()
	x.create(m, "a", "a/child", "b", "c/child")
	for _, to := range []string{"b", "a", "a/child", "c", "INBOX"} {
		x.wantError("Rename of a, which has a child, to "+to, m.Rename(x.Context(), "a", to), mailparts.ErrExists)
		x.wantNames("after a Rename that failed", "a", "a/child", "b", "c/child")
	}
	for _, name := range []string{"a", "a/child", "b", "c/child"} {
		x.wantHolds(name, name)
	}
}

func managerRenameMissing(x *trial) {
	m := x.manager()
	x.wantError("Rename of a mailbox that does not exist", m.Rename(x.Context(), "a", "b"), mailparts.ErrNoMailbox)
	x.wantNames("after that")
}

func managerRenamePrefix(x *trial) {
	m := x.manager()
	x.create(m, "a")
	var like []string
	for _, name := range []string{"ab", "a.b", "a b", "a-b", "a\\b"} {
		if err := m.Create(x.Context(), name); err == nil {
			like = append(like, name)
		} else {
			x.wantError("Create("+name+")", err, mailparts.ErrBadName)
		}
	}
	x.mustDo("Rename", m.Rename(x.Context(), "a", "z"))
	x.wantNames("after Rename(a, z)", append(like, "z")...)
}

func managerReuse(x *trial) {
	m := x.manager()
	x.create(m, "a")
	first := x.status(x.mailbox(x.store, "a"))
	x.mustDo("Rename", m.Rename(x.Context(), "a", "b"))
	x.create(m, "a")
	second := x.status(x.mailbox(x.store, "a"))
	if first.UIDValidity == second.UIDValidity || first.ID != "" && first.ID == second.ID {
		x.Errorf("a mailbox made anew has UIDVALIDITY %d and ID %q, as the renamed one", second.UIDValidity, second.ID)
	}
	x.must("Delete(b)", m.Delete(x.Context(), "b"))
	x.must("Rename back", m.Rename(x.Context(), "a", "b"))
	if got := x.status(x.mailbox(x.store, "b")).UIDValidity; got != second.UIDValidity {
		x.Errorf("after Rename onto a deleted name UIDVALIDITY is %d, want its own %d", got, second.UIDValidity)
	}
}
