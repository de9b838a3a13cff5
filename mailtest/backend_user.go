package mailtest

import (
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
)

func userPromises() []promise {
	return []promise{
		{"who is unknown gets ErrNoUser", userUnknown},
		{"has the same mail at every Open", userSameMail},
		{"has no part in another's mail", userApart},
		{"with a name like a path reaches no one else's mail", userOddNames},
	}
}

func userUnknown(x *trial) {
	if x.kit.Stranger == "" {
		x.Skip("the kit was given no Stranger")
	}
	_, err := x.backend.Open(x.Context(), x.kit.Stranger)
	x.wantError("Open("+x.kit.Stranger+")", err, mailparts.ErrNoUser)
}

func userSameMail(x *trial) {
	uid := x.addTexts(x.inbox, "seen by both\r\n")[0]
	again := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
	x.wantBodies("the second Open", again, "seen by both\r\n")
	if a, b := x.status(x.inbox), x.status(again); a.UIDValidity != b.UIDValidity || a.UIDNext != b.UIDNext {
		x.Errorf("two Opens differ: UIDVALIDITY %d and %d, UIDNext %d and %d", a.UIDValidity, b.UIDValidity, a.UIDNext, b.UIDNext)
	}
	x.expunge(again, set(uid), "")
	x.wantUIDs("the first Open, after the second expunged", x.inbox)
}

func userApart(x *trial) {
	x.addTexts(x.inbox, "for the first user\r\n")
	second := x.open(x.kit.Users[1])
	x.wantBodies("the second user's INBOX", x.mailbox(second, "INBOX"))
	if m, ok := x.store.(mailparts.Manager); ok {
		if err := m.Create(x.Context(), "private"); !errors.Is(err, errors.ErrUnsupported) {
			x.must("Create(private)", err)
			_, err = second.Mailbox(x.Context(), "private")
			x.wantError("the first user's mailbox, opened by the second", err, mailparts.ErrNoMailbox)
		}
	}
}

func userOddNames(x *trial) {
	const secret = "for the first user\r\n"
	x.addTexts(x.inbox, secret)
	a, b := x.kit.Users[0], x.kit.Users[1]
	for _, name := range []string{
		"", ".", "..", "/", "../" + a, "./" + a, "/" + a, a + "/", a + "/.", b + "/../" + a, a + "\x00", a + "\x00" + b,
		"..\\" + a, a + "/INBOX", a + "\n", " " + a,
	} {
		s, err := x.backend.Open(x.Context(), name)
		if err != nil {
			x.wantError("Open("+quoted(name)+")", err, mailparts.ErrNoUser)
			continue
		}
		mb, err := s.Mailbox(x.Context(), "INBOX")
		if err != nil {
			x.Errorf("INBOX of the user %q that Open took: %v", name, err)
		} else if slices.Contains(x.bodies(mb), secret) {
			x.Errorf("Open(%q) gives the mail of %q", name, a)
		}
	}
	x.wantBodies("the first user, after all of them", x.inbox, secret)
}
