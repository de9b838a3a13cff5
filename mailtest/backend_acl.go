package mailtest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func aclPromises() []promise {
	return []promise{
		{"gives the owner all rights", aclOwner},
		{"shows others only what they may see", aclShows},
		{"lets others do what they may, and that only", aclRights},
		{"keeps flags from who may not set them", aclFlags},
		{"makes a mailbox read-only for who may change nothing", aclReadOnly},
		{"counts at once for handles that are open", aclAtOnce},
		{"guards names", aclNames},
		{"is for those who administer", aclAdminister},
		{"adds up what identifiers have", aclAddsUp},
		{"goes with its mailbox", aclManager},
		{"cannot lock out the owner", aclLockOut},
		{"refuses what is no right", aclBadRights},
	}
}

// share lets the second user have rights to a mailbox of the first, and returns
// the name by which he finds it; or it skips the trial.
func (x *trial) share(name string, rights mailparts.Rights) string {
	x.Helper()
	x.setACL(name, x.kit.Users[1], rights)
	ns, err := mailparts.NamespacesOf(x.Context(), x.their())
	x.must("NamespacesOf", err)
	if len(ns.Others) == 0 {
		x.Skip("the store has no names for others' mailboxes")
	}
	return ns.Others[0] + x.kit.Users[0] + "/" + name
}

// their is the second user's store.
func (x *trial) their() mailparts.Store { return x.open(x.kit.Users[1]) }

func (x *trial) setACL(name, identifier string, rights mailparts.Rights) {
	x.Helper()
	x.mustDo("SetACL", mailparts.SetACL(x.Context(), x.store, name, identifier, rights))
}

// wantACL checks a list.
func (x *trial) wantACL(what, name string, want map[string]mailparts.Rights) {
	x.Helper()
	got, err := mailparts.ACL(x.Context(), x.store, name)
	x.mustDo("ACL", err)
	have := map[string]mailparts.Rights{}
	for _, e := range got {
		if _, twice := have[e.Identifier]; twice || e.Rights != e.Rights.Sorted() {
			x.Errorf("%s: ACL says %q, want each identifier once and rights in order", what, got)
		}
		have[e.Identifier] = e.Rights
	}
	for id, rights := range want {
		if have[id] != rights {
			x.Errorf("%s: %s has the rights %q, want %q", what, id, have[id], rights)
		}
		delete(have, id)
	}
	if len(have) > 0 {
		x.Errorf("%s: these have rights too: %q", what, have)
	}
}

// wantRights checks MyRights.
func (x *trial) wantRights(what string, s mailparts.Store, name string, want mailparts.Rights) {
	x.Helper()
	got, err := mailparts.MyRights(x.Context(), s, name)
	x.mustDo("MyRights", err)
	if got != want {
		x.Errorf("%s: MyRights says %q, want %q", what, got, want)
	}
}

func aclOwner(x *trial) {
	owner, second := x.kit.Users[0], x.kit.Users[1]
	x.wantACL("a new INBOX", "INBOX", map[string]mailparts.Rights{owner: mailparts.AllRights})
	x.wantRights("the owner", x.store, "INBOX", mailparts.AllRights)
	x.setACL("INBOX", second, "rl")
	x.setACL("INBOX", "anyone", "l")
	x.wantACL("two more", "INBOX", map[string]mailparts.Rights{owner: mailparts.AllRights, second: "lr", "anyone": "l"})
	x.setACL("INBOX", second, "s")
	x.setACL("INBOX", "anyone", "")
	x.wantACL("one changed, one deleted", "INBOX", map[string]mailparts.Rights{owner: mailparts.AllRights, second: "s"})
}

func aclShows(x *trial) {
	x.addTexts(x.inbox, "shared\r\n")
	name := x.share("INBOX", "lr")
	names := x.names(x.their())
	if !slices.Equal(names, sorted("INBOX", name)) {
		x.Errorf("the second user's List yields %q, want his INBOX and %q", names, name)
	}
	theirs := x.mailbox(x.their(), name)
	x.wantBodies("the second user, who may read", theirs, "shared\r\n")
	if a, b := x.status(x.inbox), x.status(theirs); a.UIDValidity != b.UIDValidity || a.UIDNext != b.UIDNext || a.HighestModSeq != b.HighestModSeq || a.ID != b.ID {
		x.Errorf("the owner sees %+v, the second user %+v", a, b)
	}
	for what, rights := range map[string]mailparts.Rights{"nothing": "", "only what shows nothing": "swp"} {
		x.setACL("INBOX", x.kit.Users[1], rights)
		if names := x.names(x.their()); !slices.Equal(names, []string{"INBOX"}) {
			x.Errorf("with %s the second user's List yields %q", what, names)
		}
		_, err := x.their().Mailbox(x.Context(), name)
		x.wantError("Mailbox, for who may "+what, err, mailparts.ErrNoMailbox)
		_, err = mailparts.MyRights(x.Context(), x.their(), name)
		x.wantError("MyRights, for who may "+what, err, mailparts.ErrNoMailbox)
	}
	for info, err := range mailparts.ListStatus(x.Context(), x.their()) {
		x.must("ListStatus", err)
		if info.Name == name {
			x.Errorf("ListStatus shows %q to who may nothing", name)
		}
	}
}

func sorted(names ...string) []string { return slices.Sorted(slices.Values(names)) }

// aclRights tries everything with every right but the one that it needs.
func aclRights(x *trial) {
	name := x.share("INBOX", "lr")
	for _, c := range []struct {
		what string
		need mailparts.Rights
		do   func(ctx context.Context, mb mailparts.Mailbox, uid mailparts.UIDSet) error
	}{
		{"Status", "r", func(ctx context.Context, mb mailparts.Mailbox, _ mailparts.UIDSet) error {
			_, err := mb.Status(ctx)
			return err
		}},
		{"Messages", "r", func(ctx context.Context, mb mailparts.Mailbox, uid mailparts.UIDSet) error {
			_, err := collect(ctx, mb, uid, mailparts.Query{})
			return err
		}},
		{"Body", "r", func(ctx context.Context, mb mailparts.Mailbox, uid mailparts.UIDSet) error {
			r, err := mb.Body(ctx, uid[0].First)
			if err == nil {
				err = r.Close()
			}
			return err
		}},
		{"Append", "i", func(ctx context.Context, mb mailparts.Mailbox, _ mailparts.UIDSet) error {
			read := false
			_, err := mailparts.Append(ctx, mb, mailparts.Incoming{Body: readFunc("m", func() { read = true })})
			if err != nil && read {
				x.Errorf("Append without the right read the body before it refused it")
			}
			return err
		}},
		{`SetFlags of \Seen`, "s", setOne(mailparts.FlagSeen)},
		{`SetFlags of \Deleted`, "t", setOne(mailparts.FlagDeleted)},
		{`SetFlags of \Flagged`, "w", setOne(mailparts.FlagFlagged)},
		{"Expunge", "e", func(ctx context.Context, mb mailparts.Mailbox, uid mailparts.UIDSet) error {
			return mb.Expunge(ctx, uid, "")
		}},
	} {
		x.setACL("INBOX", x.kit.Users[1], mailparts.AllRights)
		theirs := x.mailbox(x.their(), name)
		for _, missing := range []bool{true, false} {
			uid := set(x.addTexts(x.inbox, c.what)[0])
			rights := mailparts.AllRights
			if missing {
				rights = mailparts.Rights(strings.Replace(string(rights), string(c.need), "", 1))
			}
			x.setACL("INBOX", x.kit.Users[1], rights)
			if err := c.do(x.Context(), theirs, uid); missing {
				x.wantError(c.what+" with all rights but "+string(c.need), err, mailparts.ErrPermission)
			} else {
				x.must(c.what+" with all rights", err)
			}
		}
	}
}

func setOne(f mailparts.Flag) func(context.Context, mailparts.Mailbox, mailparts.UIDSet) error {
	return func(ctx context.Context, mb mailparts.Mailbox, uid mailparts.UIDSet) error {
		_, _, err := mb.SetFlags(ctx, uid, mailparts.FlagChange{Flags: []mailparts.Flag{f}})
		return err
	}
}

func aclFlags(x *trial) {
	const s, d, f = mailparts.FlagSeen, mailparts.FlagDeleted, mailparts.FlagFlagged
	theirs := x.mailbox(x.their(), x.share("INBOX", "lris"))
	in := text("m")
	in.Flags = []mailparts.Flag{s, d, f, "Work"}
	uid := x.add(theirs, in)[0]
	x.wantFlags("appended by who has only s", x.inbox, uid, s)
	x.setFlags(x.inbox, set(uid), mailparts.ReplaceFlags, d, f)
	x.setFlags(theirs, set(uid), mailparts.AddFlags, s, f)
	x.wantFlags("added by who has only s", x.inbox, uid, s, d, f)
	x.setFlags(theirs, set(uid), mailparts.ReplaceFlags)
	x.wantFlags("replaced by none, by who has only s", x.inbox, uid, d, f)
	if flags := x.status(theirs).PermanentFlags; !sameFlags(flags, []mailparts.Flag{s}) {
		x.Errorf("the PermanentFlags of who has only s are %q", flags)
	}
	c, err := mailparts.Copy(x.Context(), x.inbox, set(uid), theirs)
	x.must("Copy by who has only s", err)
	x.wantFlags("copied by who has only s", x.inbox, c.To.UIDs[0].First)
}

func aclReadOnly(x *trial) {
	name := x.share("INBOX", "lr")
	uids := x.addTexts(x.inbox, "a", "b")
	theirs := x.mailbox(x.their(), name)
	if st := x.status(theirs); !st.ReadOnly || len(st.PermanentFlags) > 0 {
		x.Errorf("to who may only read Status is %+v, want ReadOnly and no PermanentFlags", st)
	}
	if x.status(x.inbox).ReadOnly {
		x.Errorf("the owner finds it read-only")
	}
	refused := []error{mailparts.ErrPermission, mailparts.ErrReadOnly}
	_, err := mailparts.Append(x.Context(), theirs, text("m"))
	x.wantError("Append to what is read-only", err, refused...)
	_, _, err = theirs.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
	x.wantError("SetFlags in what is read-only", err, refused...)
	x.wantError("Expunge of what is read-only", theirs.Expunge(x.Context(), set(uids...), ""), refused...)
	_, err = mailparts.Copy(x.Context(), x.inbox, set(uids...), theirs)
	x.wantError("Copy to what is read-only", err, refused...)
	_, err = mailparts.Move(x.Context(), theirs, set(uids...), x.mailbox(x.their(), "INBOX"))
	x.wantError("Move from what is read-only", err, refused...)
	x.wantBodies("after all that", x.inbox, "a", "b")
	x.wantFlags("after all that", x.inbox, uids[0])
}

func aclAtOnce(x *trial) {
	theirs := x.mailbox(x.their(), x.share("INBOX", "lri"))
	x.addTexts(theirs, "while allowed")
	x.setACL("INBOX", x.kit.Users[1], "lr")
	_, err := mailparts.Append(x.Context(), theirs, text("m"))
	x.wantError("Append to an open handle after the right was taken", err, mailparts.ErrPermission)
	x.setACL("INBOX", x.kit.Users[1], "")
	_, err = theirs.Status(x.Context())
	x.wantError("Status of an open handle after all rights were taken", err, mailparts.ErrNoMailbox)
	_, err = collect(x.Context(), theirs, mailparts.AllUIDs(), mailparts.Query{})
	x.wantError("Messages of an open handle after all rights were taken", err, mailparts.ErrNoMailbox)
}

func aclNames(x *trial) {
	m := x.manager()
	x.mustDo("Create", m.Create(x.Context(), "a"))
	name := x.share("a", "lri")
	theirs := optional[mailparts.Manager](x, x.their())
	ctx := x.Context()
	denied := []error{mailparts.ErrPermission}
	x.wantError("Create below by who may not", theirs.Create(ctx, name+"/b"), denied...)
	x.wantError("Delete by who may not", theirs.Delete(ctx, name), denied...)
	x.wantError("Rename by who may not", theirs.Rename(ctx, name, name+"2"), denied...)
	x.wantError("Create beside by who may not", theirs.Create(ctx, name+"2"), denied...)
	x.wantNames("after that", "a")
	x.setACL("a", x.kit.Users[1], "lrkx")
	x.must("Create below by who may", theirs.Create(ctx, name+"/b"))
	x.must("Create below by who may", theirs.Create(ctx, name+"/c"))
	x.wantNames("after that", "a", "a/b", "a/c")
	x.wantACL("what was made below inherits", "a/b", map[string]mailparts.Rights{x.kit.Users[0]: mailparts.AllRights, x.kit.Users[1]: "lrkx"})
	x.must("Delete by who may", theirs.Delete(ctx, name+"/b"))
	x.must("Rename by who may", theirs.Rename(ctx, name+"/c", name+"/d"))
	x.wantNames("after that", "a", "a/d")
}

func aclAdminister(x *trial) {
	name := x.share("INBOX", "lrswipkxte")
	ctx, theirs := x.Context(), x.their()
	_, err := mailparts.ACL(ctx, theirs, name)
	x.wantError("ACL by who may not", err, mailparts.ErrPermission)
	x.wantError("SetACL by who may not", mailparts.SetACL(ctx, theirs, name, x.kit.Users[1], mailparts.AllRights), mailparts.ErrPermission)
	x.wantRights("who may not", theirs, name, "lrswipkxte")
	x.setACL("INBOX", x.kit.Users[1], "la")
	x.must("SetACL by who may", mailparts.SetACL(ctx, theirs, name, "anyone", "l"))
	x.wantACL("after that", "INBOX", map[string]mailparts.Rights{x.kit.Users[0]: mailparts.AllRights, x.kit.Users[1]: "la", "anyone": "l"})
	_, err = mailparts.ACL(ctx, x.store, "never made")
	x.wantError("ACL of no mailbox", err, mailparts.ErrNoMailbox)
}

func aclAddsUp(x *trial) {
	second := x.kit.Users[1]
	name := x.share("INBOX", "lr")
	x.setACL("INBOX", "anyone", "ls")
	x.wantRights("by name and as anyone", x.their(), name, "lrs")
	err := mailparts.SetACL(x.Context(), x.store, "INBOX", "-"+second, "s")
	if err != nil {
		x.wantError("SetACL of who lacks rights", err, mailparts.ErrBadName)
		return
	}
	x.wantRights("less what he lacks", x.their(), name, "lr")
}

func aclManager(x *trial) {
	m := x.manager()
	owner, second := x.kit.Users[0], x.kit.Users[1]
	x.create(m, "a", "a/b")
	x.setACL("a", second, "lr")
	x.setACL("a/b", second, "l")
	x.mustDo("Rename", m.Rename(x.Context(), "a", "c"))
	x.wantACL("renamed", "c", map[string]mailparts.Rights{owner: mailparts.AllRights, second: "lr"})
	x.wantACL("a child of what was renamed", "c/b", map[string]mailparts.Rights{owner: mailparts.AllRights, second: "l"})
	x.create(m, "a")
	x.wantACL("a new mailbox of the old name", "a", map[string]mailparts.Rights{owner: mailparts.AllRights})
	x.must("Delete", m.Delete(x.Context(), "c"))
	x.create(m, "c")
	x.wantACL("a new mailbox of a deleted one's name", "c", map[string]mailparts.Rights{owner: mailparts.AllRights})
}

func aclLockOut(x *trial) {
	owner := x.kit.Users[0]
	x.setACL("INBOX", owner, "")
	x.wantRights("the owner without an entry", x.store, "INBOX", "la")
	x.wantNames("the owner, without an entry")
	x.setACL("INBOX", owner, mailparts.AllRights)
	x.addTexts(x.inbox, "m")
	x.wantBodies("the owner, who took his rights back", x.inbox, "m")
}

func aclBadRights(x *trial) {
	x.setACL("INBOX", x.kit.Users[1], "l")
	for _, r := range []mailparts.Rights{"?", "lé", "L", "l r"} {
		x.wantError("SetACL of "+quoted(string(r)), mailparts.SetACL(x.Context(), x.store, "INBOX", x.kit.Users[1], r), errors.ErrUnsupported)
	}
	for _, id := range []string{"", "a\x00b", "a\nb", "\xff"} {
		x.wantError("SetACL for "+quoted(id), mailparts.SetACL(x.Context(), x.store, "INBOX", id, "l"), mailparts.ErrBadName)
	}
	x.wantACL("after that", "INBOX", map[string]mailparts.Rights{x.kit.Users[0]: mailparts.AllRights, x.kit.Users[1]: "l"})
}
