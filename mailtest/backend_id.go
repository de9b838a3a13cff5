package mailtest

import (
	"regexp"
	"time"

	"github.com/mailparts/mailparts"
)

func idPromises() []promise {
	return []promise{
		{"has the syntax of an objectid", idSyntax},
		{"of a message is that of its copies", idCopies},
		{"of a message is no other's, and stays", idStays},
		{"of a mailbox survives a rename and is never given again", idMailbox},
	}
}

// objectID is the syntax of RFC 8474 section 7.
var objectID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

// needIDs skips the trial if the store keeps no EMAILID.
func (x *trial) needIDs() {
	x.Helper()
	if x.message(x.inbox, x.addTexts(x.inbox, "has an id?")[0]).ID == "" {
		x.Skip("the store keeps no EMAILID")
	}
}

func idSyntax(x *trial) {
	x.addTexts(x.inbox, "a", "b")
	for _, m := range x.all(x.inbox) {
		for _, id := range []string{m.ID, m.ThreadID} {
			if id != "" && !objectID.MatchString(id) {
				x.Errorf("UID %d has the id %q, want 1 to 255 letters, digits, - and _", m.UID, id)
			}
		}
	}
	if id := x.status(x.inbox).ID; id != "" && !objectID.MatchString(id) {
		x.Errorf("INBOX has the id %q, want 1 to 255 letters, digits, - and _", id)
	}
}

func idCopies(x *trial) {
	x.needIDs()
	dst := x.other()
	want := x.all(x.inbox)[0].ID
	c, err := mailparts.Copy(x.Context(), x.inbox, mailparts.AllUIDs(), dst)
	x.must("Copy", err)
	if got := x.message(dst, c.To.UIDs[0].First).ID; got != want {
		x.Errorf("the copy of a message with the id %q has %q", want, got)
	}
	c, err = mailparts.Move(x.Context(), dst, mailparts.AllUIDs(), x.inbox)
	x.must("Move", err)
	if got := x.message(x.inbox, c.To.UIDs[0].First).ID; got != want {
		x.Errorf("the moved copy of a message with the id %q has %q", want, got)
	}
}

func idStays(x *trial) {
	x.needIDs()
	x.addTexts(x.inbox, "same", "same")
	before := map[string]mailparts.UID{}
	for _, m := range x.all(x.inbox) {
		if u, ok := before[m.ID]; ok {
			x.Errorf("UIDs %d and %d have the id %q", u, m.UID, m.ID)
		}
		before[m.ID] = m.UID
	}
	x.setFlags(x.inbox, mailparts.AllUIDs(), mailparts.AddFlags, mailparts.FlagSeen)
	if x.kit.Reopen != nil {
		x.reopen()
	}
	for _, m := range x.all(x.inbox) {
		if before[m.ID] != m.UID {
			x.Errorf("UID %d has the id %q now, which it had not", m.UID, m.ID)
		}
	}
}

func idMailbox(x *trial) {
	m := x.manager()
	first := x.status(x.other()).ID
	if first == "" {
		x.Skip("the store keeps no MAILBOXID")
	}
	x.mustDo("Rename", m.Rename(x.Context(), "other", "renamed"))
	if got := x.info("renamed").ID; got != first {
		x.Errorf("after Rename the mailbox has the id %q, had %q", got, first)
	}
	seen := map[string]bool{first: true, x.status(x.inbox).ID: true}
	for range 3 {
		x.must("Create", m.Create(x.Context(), "other"))
		if id := x.info("other").ID; seen[id] {
			x.Errorf("a new mailbox has the id %q, which another had", id)
		} else {
			seen[id] = true
		}
		x.must("Delete", m.Delete(x.Context(), "other"))
	}
}

func savedPromises() []promise {
	return []promise{
		{"is when a message came into its mailbox, whatever its date", savedNow},
	}
}

// savedNow leaves a day for the clocks of disks: the dates are years apart.
func savedNow(x *trial) {
	in := text("m")
	in.Received = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	x.add(x.inbox, in)
	dst := x.other()
	_, err := mailparts.Copy(x.Context(), x.inbox, mailparts.AllUIDs(), dst)
	x.must("Copy", err)
	for what, mb := range map[string]mailparts.Mailbox{"an appended message": x.inbox, "a copy": dst} {
		for _, m := range x.all(mb) {
			if m.Saved.IsZero() {
				x.Skip("the store keeps no saved dates")
			}
			if d := time.Since(m.Saved).Abs(); d > 24*time.Hour {
				x.Errorf("%s was saved at %v, want about now", what, m.Saved)
			}
			if !m.Received.Equal(in.Received) {
				x.Errorf("%s was received at %v, want %v", what, m.Received, in.Received)
			}
		}
	}
}
