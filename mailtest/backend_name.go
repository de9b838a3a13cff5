package mailtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func namePromises() []promise {
	return []promise{
		{"works faithfully or is refused with ErrBadName", nameOdd},
		{"of an odd kind reaches no other mailbox", nameAliases},
		{"that only looks like another is another or none", nameLooksAlike},
		{"in another case than INBOX is never INBOX", nameInboxCase},
		{"INBOX always exists", nameInbox},
	}
}

// quoted is a name for a failure message.
func quoted(name string) string {
	if len(name) > 60 {
		return fmt.Sprintf("%q... (%d octets)", name[:60], len(name))
	}
	return fmt.Sprintf("%q", name)
}

// oddNames are what clients send, by mistake or on purpose.
func oddNames() []string {
	return []string{
		"", "/", "//", "a//b", "/a", "a/", "a/b/", "INBOX/", "INBOX/child", "INBOX.child",
		".", "..", "./a", "../a", "a/..", "a/../b", "a/../../etc", "a/.", "...", ".a", "a.", "a.b", "a..b", ".a.b",
		"cur", "new", "tmp", "a/cur", "dovecot-uidlist", "dovecot.index", "subscriptions", ".subscriptions", "maildirsize", "maildirfolder",
		"courierimapkeywords", ".imap", "a/.imap/b", "mbox", "a.lock", "INBOX.lock", "a:2,", "~", "~root", "~/a", "a\\b", "\\", "C:\\a", "nul", "con",
		"a\x00b", "\x00", "a\nb", "a\rb", "a\tb", "\x7f", "\x1b[31m", "\xff", "a\xc3", "\xed\xa0\x80",
		"inbox/a", "Inbox/a", "😀/📬", "a/😀", "Entwürfe", "Entwu\u0308rfe", "日本語/台北", "✉", "a\u200bb", "\u202eabc", "&", "&-", "&AOk-", "Entw&APw-rfe", "a&b",
		"*", "%", "a*b", "a%b", "\"", "'", "{5}", "(a)", "]", "#news", "$a", "a b", " a", "a ", " ", "-a", "a:2,S", "a|b", "<a>", "?", "=",
		strings.Repeat("x", 200), strings.Repeat("x", 256), strings.Repeat("x", 5000), strings.Repeat("ü", 127), strings.Repeat("ü", 300),
		strings.Repeat("a/", 100) + "b", strings.Repeat("a/", 3000) + "b",
	}
}

func nameOdd(x *trial) {
	m := x.manager()
	for i, name := range oddNames() {
		err := m.Create(x.Context(), name)
		if errors.Is(err, errors.ErrUnsupported) {
			x.Skip("the store makes no mailboxes")
		}
		if err != nil {
			x.wantError("Create("+quoted(name)+")", err, mailparts.ErrBadName, mailparts.ErrLimit)
			_, err = x.store.Mailbox(x.Context(), name)
			x.wantError("Mailbox("+quoted(name)+"), a name that Create refused", err, mailparts.ErrBadName, mailparts.ErrNoMailbox)
			continue
		}
		if names := x.names(x.store); !slices.Contains(names, name) {
			x.Errorf("Create(%s) took a name that List does not yield as it was given: %q", quoted(name), names)
		}
		body := fmt.Sprintf("message %d\r\n", i)
		x.addTexts(x.mailbox(x.store, name), body)
		x.wantBodies("a mailbox named "+quoted(name), x.mailbox(x.store, name), body)
		x.wantError("Create("+quoted(name)+") again", m.Create(x.Context(), name), mailparts.ErrExists)
		x.must("Delete("+quoted(name)+")", m.Delete(x.Context(), name))
		_, err = x.store.Mailbox(x.Context(), name)
		x.wantError("Mailbox("+quoted(name)+") after Delete", err, mailparts.ErrNoMailbox)
	}
	x.wantNames("after each odd name was made and deleted")
	x.wantBodies("INBOX after that", x.inbox)
}

func nameAliases(x *trial) {
	m := x.manager()
	x.mustDo("Create", m.Create(x.Context(), "victim"))
	x.addTexts(x.mailbox(x.store, "victim"), "private\r\n")
	for _, name := range []string{
		"./victim", "victim/.", "victim/", "/victim", "//victim", "a/../victim", "../" + x.kit.Users[0] + "/victim",
		"victim\x00", ".victim", "victim.", "victim\\", "INBOX/../victim", "../victim", "..", "../" + x.kit.Users[1],
	} {
		mb, err := x.store.Mailbox(x.Context(), name)
		if err == nil {
			x.Errorf("Mailbox(%s) opens one that was never made, holding %q", quoted(name), x.bodies(mb))
		} else {
			x.wantError("Mailbox("+quoted(name)+")", err, mailparts.ErrBadName, mailparts.ErrNoMailbox)
		}
		x.wantError("Delete("+quoted(name)+")", m.Delete(x.Context(), name), mailparts.ErrBadName, mailparts.ErrNoMailbox)
		x.wantError("Rename("+quoted(name)+")", m.Rename(x.Context(), name, "taken"), mailparts.ErrBadName, mailparts.ErrNoMailbox)
	}
	x.wantNames("after that", "victim")
	for _, name := range oddNames() {
		if err := m.Rename(x.Context(), "victim", name); err != nil {
			x.wantError("Rename to "+quoted(name), err, mailparts.ErrBadName, mailparts.ErrLimit)
			continue
		}
		x.wantNames("after Rename to "+quoted(name), name)
		x.must("Rename from "+quoted(name), m.Rename(x.Context(), name, "victim"))
	}
	x.wantBodies("the mailbox, after all of them", x.mailbox(x.store, "victim"), "private\r\n")
}

// nameLooksAlike makes pairs of names that a file system may take for one, or
// that a careless encoding makes one.
func nameLooksAlike(x *trial) {
	m := x.manager()
	for _, pair := range [][2]string{
		{"é", "e\u0301"}, {"\u212b", "\u00c5"}, {"ﬁ", "fi"}, {"Work", "work"}, {"Ärger", "ärger"}, {"ß", "ss"},
		{"a.b", "a/b"}, {"a&b", "a&-b"}, {"ü", "&APw-"}, {"a%2Fb", "a/b"}, {"a\\b", "a/b"}, {"x", "x "}, {"y", "y."}, {"_", "~"},
	} {
		for i, name := range pair {
			err := m.Create(x.Context(), name)
			if err == nil {
				x.addTexts(x.mailbox(x.store, name), name)
			} else if i == 0 {
				x.wantError("Create("+quoted(name)+")", err, mailparts.ErrBadName)
			} else {
				x.wantError("Create("+quoted(name)+"), where "+quoted(pair[0])+" is", err, mailparts.ErrBadName, mailparts.ErrExists)
			}
		}
		names := x.names(x.store)
		for _, name := range pair {
			if slices.Contains(names, name) {
				x.wantHolds(name, name)
				x.must("Delete("+quoted(name)+")", m.Delete(x.Context(), name))
			}
		}
		x.wantNames("after both of " + quoted(pair[0]) + " and " + quoted(pair[1]) + " were deleted")
	}
}

func nameInboxCase(x *trial) {
	x.addTexts(x.inbox, "in the real one\r\n")
	for _, name := range []string{"inbox", "Inbox", "iNBOX"} {
		if m, ok := x.store.(mailparts.Manager); ok {
			if err := m.Create(x.Context(), name); err != nil && !errors.Is(err, errors.ErrUnsupported) {
				x.wantError("Create("+name+")", err, mailparts.ErrBadName)
			}
		}
		mb, err := x.store.Mailbox(x.Context(), name)
		if err != nil {
			x.wantError("Mailbox("+name+")", err, mailparts.ErrBadName, mailparts.ErrNoMailbox)
		} else {
			x.wantBodies("a mailbox that is named "+name, mb)
		}
	}
}

// nameInbox gives the store what imap never sends: INBOX stays all the same.
func nameInbox(x *trial) {
	m := x.manager()
	x.addTexts(x.inbox, "kept\r\n")
	before := x.status(x.inbox)
	if err := m.Create(x.Context(), "INBOX"); err == nil {
		x.Errorf("Create(INBOX): no error, want one")
	}
	if err := m.Delete(x.Context(), "INBOX"); err == nil {
		x.Errorf("Delete(INBOX): no error, want one")
	}
	x.mustDo("Create", m.Create(x.Context(), "a"))
	if err := m.Rename(x.Context(), "a", "INBOX"); err == nil {
		x.Errorf("Rename(a, INBOX): no error, want one")
	}
	x.wantNames("after that", "a")
	now := x.mailbox(x.store, "INBOX")
	x.wantBodies("INBOX, after that", now, "kept\r\n")
	if got := x.status(now).UIDValidity; got != before.UIDValidity {
		x.Errorf("INBOX has UIDVALIDITY %d, had %d", got, before.UIDValidity)
	}
}
