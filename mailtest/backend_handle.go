package mailtest

import (
	"github.com/mailparts/mailparts"
)

func handlePromises() []promise {
	return []promise{
		{"sees what another changes", handleSees},
		{"follows a rename", handleRename},
		{"says ErrNoMailbox once its mailbox is gone", handleGone},
		{"says ErrNoMailbox when another mailbox has the name", handleOtherMailbox},
	}
}

func handleSees(x *trial) {
	again := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
	uids := x.addTexts(again, "a", "b")
	x.wantBodies("a handle, after another appended", x.inbox, "a", "b")
	x.setFlags(x.inbox, set(uids[0]), mailparts.AddFlags, mailparts.FlagSeen)
	x.wantFlags("a handle, after another set a flag", again, uids[0], mailparts.FlagSeen)
	x.expunge(again, set(uids[1]), "")
	x.wantUIDs("a handle, after another expunged", x.inbox, uids[0])
	if a, b := x.status(x.inbox), x.status(again); a.UIDNext != b.UIDNext || a.HighestModSeq != b.HighestModSeq || a.Messages != b.Messages {
		x.Errorf("two handles say %+v and %+v", a, b)
	}
}

func handleRename(x *trial) {
	m := x.manager()
	mb := x.other()
	uid := x.addTexts(mb, "before")[0]
	x.mustDo("Rename", m.Rename(x.Context(), "other", "renamed"))
	x.wantBodies("a handle, after a rename", mb, "before")
	x.setFlags(mb, set(uid), mailparts.AddFlags, mailparts.FlagSeen)
	x.addTexts(mb, "after")
	now := x.mailbox(x.store, "renamed")
	x.wantBodies("the new name, after the old handle appended", now, "before", "after")
	x.wantFlags("the new name, after the old handle set a flag", now, uid, mailparts.FlagSeen)
	x.must("Create of the old name", m.Create(x.Context(), "other"))
	x.addTexts(mb, "still")
	x.wantBodies("a new mailbox of the old name", x.mailbox(x.store, "other"))
	x.wantBodies("the new name", now, "before", "after", "still")
}

func handleGone(x *trial) {
	m := x.manager()
	mb := x.other()
	uid := x.addTexts(mb, "m")[0]
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	x.wantGone(mb, uid)
}

func handleOtherMailbox(x *trial) {
	m := x.manager()
	mb := x.other()
	uid := x.addTexts(mb, "m")[0]
	x.mustDo("Delete", m.Delete(x.Context(), "other"))
	x.must("Create", m.Create(x.Context(), "other"))
	now := x.mailbox(x.store, "other")
	x.addTexts(now, "of the new one")
	x.wantGone(mb, uid)
	x.wantBodies("the new mailbox, after the old handle was used", now, "of the new one")
}

// wantGone checks that every method of mb says ErrNoMailbox.
func (x *trial) wantGone(mb mailparts.Mailbox, uid mailparts.UID) {
	x.Helper()
	ctx := x.Context()
	_, err := mb.Status(ctx)
	x.wantError("Status of a deleted mailbox", err, mailparts.ErrNoMailbox)
	_, err = collect(ctx, mb, mailparts.AllUIDs(), mailparts.Query{})
	x.wantError("Messages of a deleted mailbox", err, mailparts.ErrNoMailbox)
	r, err := mb.Body(ctx, uid)
	x.wantError("Body of a deleted mailbox", err, mailparts.ErrNoMailbox)
	if err == nil {
		r.Close()
	}
	read := false
	_, err = mailparts.Append(ctx, mb, mailparts.Incoming{Body: readFunc("m", func() { read = true })})
	x.wantError("Append to a deleted mailbox", err, mailparts.ErrNoMailbox)
	if read {
		x.Errorf("Append to a deleted mailbox read the body before it refused it")
	}
	_, _, err = mb.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
	x.wantError("SetFlags of a deleted mailbox", err, mailparts.ErrNoMailbox)
	x.wantError("Expunge of a deleted mailbox", mb.Expunge(ctx, mailparts.AllUIDs(), ""), mailparts.ErrNoMailbox)
}
