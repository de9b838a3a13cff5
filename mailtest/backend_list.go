package mailtest

import (
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
)

func listPromises() []promise {
	return []promise{
		{"has INBOX from the start", listInbox},
		{"yields each mailbox once, and each can be opened", listOnce},
		{"stops when told", listStop},
		{"holds no lock while it yields", listNoLock},
		{"says the status that Status says", listStatus},
	}
}

// names returns the mailboxes of s in ascending order, and checks that none
// comes twice.
func (x *trial) names(s mailparts.Store) []string {
	x.Helper()
	var names []string
	for info, err := range s.List(x.Context()) {
		x.must("List", err)
		if slices.Contains(names, info.Name) {
			x.Errorf("List yields %q twice", info.Name)
		}
		if !info.NoSelect {
			names = append(names, info.Name)
		}
	}
	slices.Sort(names)
	return names
}

// wantNames checks what mailboxes there are beside INBOX.
func (x *trial) wantNames(what string, want ...string) {
	x.Helper()
	got := x.names(x.store)
	want = append(want, "INBOX")
	slices.Sort(want)
	if !slices.Equal(got, want) {
		x.Errorf("%s: List yields %q, want %q", what, got, want)
	}
}

// info returns what List says of a mailbox.
func (x *trial) info(name string) mailparts.MailboxInfo {
	x.Helper()
	for info, err := range x.store.List(x.Context()) {
		x.must("List", err)
		if info.Name == name {
			return info
		}
	}
	x.Fatalf("List does not yield %q", name)
	return mailparts.MailboxInfo{}
}

func listInbox(x *trial) {
	x.wantNames("a new store")
	if info := x.info("INBOX"); info.ID != x.status(x.inbox).ID {
		x.Errorf("List says the ID of INBOX is %q, Status says %q", info.ID, x.status(x.inbox).ID)
	}
	_, err := x.store.Mailbox(x.Context(), "never made")
	x.wantError("Mailbox of a name that no mailbox has", err, mailparts.ErrNoMailbox)
}

func listOnce(x *trial) {
	m := x.manager()
	want := []string{"a", "b", "b/c", "d/e/f"}
	for _, name := range want {
		x.mustDo("Create("+name+")", m.Create(x.Context(), name))
	}
	x.wantNames("after Create", want...)
	ids := map[string]string{}
	for _, name := range x.names(x.store) {
		st := x.status(x.mailbox(x.store, name))
		if id := x.info(name).ID; id != st.ID {
			x.Errorf("List says the ID of %q is %q, Status says %q", name, id, st.ID)
		}
		if also, ok := ids[st.ID]; ok && st.ID != "" {
			x.Errorf("%q and %q have the same ID %q", name, also, st.ID)
		}
		ids[st.ID] = name
	}
}

func listStop(x *trial) {
	m := x.manager()
	x.mustDo("Create", m.Create(x.Context(), "a"))
	n := 0
	for _, err := range x.store.List(x.Context()) {
		x.must("List", err)
		n++
		break
	}
	if n != 1 {
		x.Errorf("List, left after one, yielded %d", n)
	}
	x.within("Create after List was left early", func() error { return m.Create(x.Context(), "b") })
}

func listNoLock(x *trial) {
	m := x.manager()
	x.mustDo("Create", m.Create(x.Context(), "old"))
	x.within("List whose reader changes the names", func() error {
		for info, err := range x.store.List(x.Context()) {
			if err != nil {
				return err
			}
			if info.Name == "INBOX" {
				err = errors.Join(m.Create(x.Context(), "made"), m.Rename(x.Context(), "old", "newer"))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	x.wantNames("after that", "made", "newer")
}

func listStatus(x *trial) {
	x.addTexts(x.inbox, "a", "b")
	x.addTexts(x.other(), "c")
	var names []string
	for info, err := range mailparts.ListStatus(x.Context(), x.store) {
		x.must("ListStatus", err)
		if info.NoSelect {
			continue
		}
		names = append(names, info.Name)
		want := x.status(x.mailbox(x.store, info.Name))
		got := info.Status
		if got == nil || got.UIDValidity != want.UIDValidity || got.UIDNext != want.UIDNext || got.Messages != want.Messages || got.HighestModSeq != want.HighestModSeq {
			x.Errorf("ListStatus says of %q %+v, Status says %+v", info.Name, got, want)
		}
	}
	slices.Sort(names)
	if want := x.names(x.store); !slices.Equal(names, want) {
		x.Errorf("ListStatus yields %q, List %q", names, want)
	}
}
