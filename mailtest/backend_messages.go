package mailtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mailparts/mailparts"
)

func messagesPromises() []promise {
	return []promise{
		{"come in ascending order, each once, those asked for", messagesAsked},
		{"of an empty set are none", messagesNone},
		{"of AllUIDs are all", messagesAll},
		{"stop when told", messagesStop},
		{"hold no lock while they are yielded", messagesNoLock},
		{"let others in while their reader stalls", messagesStall},
		{"leave out none that exists throughout", messagesThroughout},
		{"that came before are not changed by what comes after", messagesImmutable},
	}
}

func messagesAsked(x *trial) {
	uids := x.addTexts(x.inbox, "0", "1", "2", "3", "4", "5")
	x.expunge(x.inbox, set(uids[2]), "")
	for _, c := range []struct {
		ask  mailparts.UIDSet
		want []mailparts.UID
	}{
		{set(uids[3]), uids[3:4]},
		{set(uids[0], uids[5]), []mailparts.UID{uids[0], uids[5]}},
		{mailparts.UIDSet{{First: uids[1], Last: uids[4]}}, []mailparts.UID{uids[1], uids[3], uids[4]}},
		{mailparts.UIDSet{{First: uids[1], Last: uids[2]}, {First: uids[4], Last: 1<<32 - 1}}, []mailparts.UID{uids[1], uids[4], uids[5]}},
		{set(uids[2]), nil},
		{mailparts.UIDSet{{First: uids[5] + 1, Last: 1<<32 - 1}}, nil},
	} {
		var got []mailparts.UID
		for _, m := range x.query(x.inbox, c.ask, mailparts.Query{Want: wantAll}) {
			got = append(got, m.UID)
		}
		if !slices.Equal(got, c.want) {
			x.Errorf("Messages of %v yields %v, want %v; %d was expunged", c.ask, got, c.want, uids[2])
		}
	}
}

func messagesNone(x *trial) {
	x.addTexts(x.inbox, "a", "b")
	for _, s := range []mailparts.UIDSet{nil, {}} {
		if got := x.query(x.inbox, s, mailparts.Query{Want: wantAll}); len(got) != 0 {
			x.Errorf("Messages of an empty set yields %d messages, want none", len(got))
		}
	}
}

func messagesAll(x *trial) {
	var bodies []string
	for i := range 150 {
		bodies = append(bodies, fmt.Sprint(i))
	}
	uids := x.addTexts(x.inbox, bodies...)
	x.wantUIDs("150 messages", x.inbox, uids...)
}

func messagesStop(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	for n := 1; n <= 3; n++ {
		var got []mailparts.UID
		x.within("Messages that is left early", func() error {
			for m, err := range x.inbox.Messages(x.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
				if err != nil {
					return err
				}
				if got = append(got, m.UID); len(got) == n {
					break
				}
			}
			return nil
		})
		if !slices.Equal(got, uids[:n]) {
			x.Errorf("Messages, left after %d: yielded %v, want %v", n, got, uids[:n])
		}
	}
	x.within("the mailbox, after Messages was left early", func() error { return x.callAll(uids[0], uids[1]) })
}

func messagesNoLock(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.within("Messages whose reader calls the mailbox", func() error {
		rounds := 0 // what is appended meanwhile may be yielded too
		for _, err := range x.inbox.Messages(x.Context(), mailparts.AllUIDs(), mailparts.Query{Want: wantAll}) {
			if err := errors.Join(err, x.callAll(uids[0], uids[1])); err != nil {
				return err
			}
			if rounds++; rounds == 10 {
				break
			}
		}
		return nil
	})
}

// messagesStall has many sessions at work while one listing waits for its
// reader, in the middle and for as long as they take.
func messagesStall(x *trial) {
	var bodies []string
	for i := range 20 {
		bodies = append(bodies, fmt.Sprint(i))
	}
	uids := x.addTexts(x.inbox, bodies...)
	n := 0
	for _, err := range x.inbox.Messages(x.Context(), set(uids...), mailparts.Query{Want: wantAll}) {
		x.must("Messages", err)
		if n++; n != 10 {
			continue
		}
		x.within("sessions at work while the reader of Messages stalls", func() error {
			x.together(func(w int, mb mailparts.Mailbox) error {
				if _, err := mailparts.Append(x.Context(), mb, text("m")); err != nil {
					return err
				}
				_, err := mb.Status(x.Context())
				_, _, ferr := mb.SetFlags(x.Context(), set(uids[w]), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}})
				return errors.Join(err, ferr, mb.Expunge(x.Context(), set(uids[19-w]), ""))
			})
			return nil
		})
	}
	if n < 20-writers || n > 20 {
		x.Errorf("a listing that stalled yielded %d of 20 messages, of which %d were expunged", n, writers)
	}
}

func messagesThroughout(x *trial) {
	var bodies []string
	for i := range 100 {
		bodies = append(bodies, fmt.Sprint(i))
	}
	uids := x.addTexts(x.inbox, bodies...)
	gone := set(uids[0], uids[20], uids[21], uids[50], uids[98])
	var got []mailparts.UID
	x.within("Messages whose reader expunges", func() error {
		for m, err := range x.inbox.Messages(x.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
			if err == nil && len(got) == 0 {
				err = x.inbox.Expunge(x.Context(), gone, "")
			}
			if err != nil {
				return err
			}
			got = append(got, m.UID)
		}
		return nil
	})
	if !slices.IsSortedFunc(got, func(a, b mailparts.UID) int {
		if a < b {
			return -1
		}
		return 1
	}) {
		x.Errorf("Messages does not ascend, or repeats: %v", got)
	}
	for _, u := range uids {
		if !gone.Contains(u) && !slices.Contains(got, u) {
			x.Errorf("Messages leaves out UID %d, which existed throughout, while %v were expunged", u, gone)
		}
	}
}

func messagesImmutable(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagFlagged, mailparts.FlagDraft)
	in := text("m")
	in.Flags = []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagFlagged}
	uid := x.add(x.inbox, in)[0]
	m := x.message(x.inbox, uid)
	before := slices.Clone(m.Flags)
	x.setFlags(x.inbox, set(uid), mailparts.RemoveFlags, mailparts.FlagSeen)
	x.setFlags(x.inbox, set(uid), mailparts.AddFlags, mailparts.FlagDraft)
	x.setFlags(x.inbox, set(uid), mailparts.ReplaceFlags, mailparts.FlagAnswered)
	if !slices.Equal(m.Flags, before) {
		x.Errorf("the Flags of a Message that was yielded before SetFlags are %v now, were %v", m.Flags, before)
	}
}
