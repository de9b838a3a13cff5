package mailtest

import (
	"errors"
	"maps"
	"strings"

	"github.com/mailparts/mailparts"
)

func uidlPromises() []promise {
	return []promise{
		{"is a message's own and has the syntax of POP3", uidlOwn},
		{"stays while messages come and go", uidlStays},
		{"holds no lock while it is yielded", uidlNoLock},
	}
}

// uidls returns what the store has for INBOX, or skips the trial.
func (x *trial) uidls() map[mailparts.UID]string {
	x.Helper()
	optional[mailparts.UIDLer](x, x.inbox)
	ids, messages := map[mailparts.UID]string{}, map[string]mailparts.UID{}
	for u, err := range mailparts.UIDLs(x.Context(), x.inbox) {
		x.must("UIDLs", err)
		if len(u.ID) < 1 || len(u.ID) > 70 || strings.ContainsFunc(u.ID, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
			x.Errorf("UID %d has the unique-id %q, want 1 to 70 octets from 0x21 to 0x7E", u.UID, u.ID)
		}
		if also, ok := messages[u.ID]; ok {
			x.Errorf("UIDs %d and %d have the unique-id %q", also, u.UID, u.ID)
		}
		if _, ok := ids[u.UID]; ok {
			x.Errorf("UIDLs yields UID %d twice", u.UID)
		}
		ids[u.UID], messages[u.ID] = u.ID, u.UID
	}
	return ids
}

// needUIDLs skips the trial if new messages have none: no earlier server gave
// them one.
func (x *trial) needUIDLs() {
	x.Helper()
	if x.addTexts(x.inbox, "a", "b", "c", "d"); len(x.uidls()) == 0 {
		x.Skip("the store has no unique-ids for new messages")
	}
}

func uidlOwn(x *trial) {
	x.needUIDLs()
	uids := x.uids(x.inbox)
	x.expunge(x.inbox, set(uids[1], uids[3]), "")
	for uid := range x.uidls() {
		if uid != uids[0] && uid != uids[2] {
			x.Errorf("UIDLs yields UID %d, which does not exist; %d and %d do", uid, uids[0], uids[2])
		}
	}
}

func uidlStays(x *trial) {
	x.needUIDLs()
	before := x.uidls()
	uids := x.uids(x.inbox)
	x.expunge(x.inbox, set(uids[0]), "")
	delete(before, uids[0])
	x.setFlags(x.inbox, mailparts.AllUIDs(), mailparts.AddFlags, mailparts.FlagSeen)
	x.addTexts(x.inbox, "e")
	after := x.uidls()
	maps.DeleteFunc(after, func(uid mailparts.UID, _ string) bool { return uid > uids[3] })
	if !maps.Equal(before, after) {
		x.Errorf("the unique-ids are %v, were %v", after, before)
	}
}

func uidlNoLock(x *trial) {
	x.needUIDLs()
	uids := x.uids(x.inbox)
	x.within("UIDLs whose reader calls the mailbox", func() error {
		for u, err := range mailparts.UIDLs(x.Context(), x.inbox) {
			if u.UID == uids[0] || err != nil {
				return errors.Join(err, x.callAll(uids[2], uids[3]))
			}
		}
		return errors.New("UIDLs does not yield the first message")
	})
}
