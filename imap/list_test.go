package imap_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
)

// mailboxes makes mailboxes for alice; those with "+" are subscribed, those with "-" are
// subscribed only.
func (r *rig) mailboxes(names ...string) {
	r.t.Helper()
	for _, name := range names {
		name, subscribed := strings.CutPrefix(name, "+")
		name, not := strings.CutPrefix(name, "-")
		if subscribed || not {
			if err := mailparts.Subscribe(r.t.Context(), r.store, name, true); err != nil {
				r.t.Fatal(err)
			}
		}
		if not || name == "INBOX" {
			continue
		}
		if err := r.store.(mailparts.Manager).Create(r.t.Context(), name); err != nil {
			r.t.Fatal(err)
		}
	}
}

// The hierarchy of RFC 5258 section 5.
var fruit = []string{"+INBOX", "Fruit", "Fruit/Apple", "+Fruit/Banana", "-Fruit/Peach", "Tofu", "+Vegetable", "+Vegetable/Broccoli", "Vegetable/Corn"}

// RFC 5258 section 5, examples 1 to 6, without remote mailboxes.
func TestListExtendedExamples(t *testing.T) {
	r := start(t, nil)
	r.mailboxes(fruit...)
	r.login().play(`
		C: A01 LIST "" "*"
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasChildren) "/" Fruit
		S: * LIST (\HasNoChildren) "/" Fruit/Apple
		S: * LIST (\HasNoChildren) "/" Fruit/Banana
		S: * LIST (\HasNoChildren) "/" Tofu
		S: * LIST (\HasChildren) "/" Vegetable
		S: * LIST (\HasNoChildren) "/" Vegetable/Broccoli
		S: * LIST (\HasNoChildren) "/" Vegetable/Corn
		S: A01 OK LIST completed
		C: A02 LIST (SUBSCRIBED) "" "*"
		S: * LIST (\Subscribed) "/" INBOX
		S: * LIST (\Subscribed) "/" Fruit/Banana
		S: * LIST (\NonExistent \Subscribed) "/" Fruit/Peach
		S: * LIST (\Subscribed) "/" Vegetable
		S: * LIST (\Subscribed) "/" Vegetable/Broccoli
		S: A02 OK LIST completed
		C: A03 LIST () "" "%" RETURN (CHILDREN)
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasChildren) "/" Fruit
		S: * LIST (\HasNoChildren) "/" Tofu
		S: * LIST (\HasChildren) "/" Vegetable
		S: A03 OK LIST completed
		C: A04 LIST (REMOTE) "" "%" RETURN (CHILDREN)
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasChildren) "/" Fruit
		S: * LIST (\HasNoChildren) "/" Tofu
		S: * LIST (\HasChildren) "/" Vegetable
		S: A04 OK LIST completed
		C: A05 LIST (REMOTE SUBSCRIBED) "" "*"
		S: * LIST (\Subscribed) "/" INBOX
		S: * LIST (\Subscribed) "/" Fruit/Banana
		S: * LIST (\NonExistent \Subscribed) "/" Fruit/Peach
		S: * LIST (\Subscribed) "/" Vegetable
		S: * LIST (\Subscribed) "/" Vegetable/Broccoli
		S: A05 OK LIST completed
		C: A06 LIST (REMOTE) "" "*" RETURN (SUBSCRIBED)
		S: * LIST (\Subscribed) "/" INBOX
		S: * LIST () "/" Fruit
		S: * LIST () "/" Fruit/Apple
		S: * LIST (\Subscribed) "/" Fruit/Banana
		S: * LIST () "/" Tofu
		S: * LIST (\Subscribed) "/" Vegetable
		S: * LIST (\Subscribed) "/" Vegetable/Broccoli
		S: * LIST () "/" Vegetable/Corn
		S: A06 OK LIST completed
	`)
}

// RFC 5258 section 5, example 7.
func TestListPatterns(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("Drafts", "Sent/March2004", "Sent/December2003", "Sent/August2004/a", "Other")
	r.login().play(`
		C: BBB LIST "" ("inbox" "Drafts" "Sent/%")
		S: * LIST () "/" INBOX
		S: * LIST () "/" Drafts
		S: * LIST (\NonExistent \HasChildren) "/" Sent/August2004
		S: * LIST () "/" Sent/December2003
		S: * LIST () "/" Sent/March2004
		S: BBB OK LIST completed
		C: B2 LIST "Sent/" "%3"
		S: * LIST (\HasNoChildren) "/" Sent/December2003
		S: B2 OK LIST completed
		C: B3 LIST "" %
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasNoChildren) "/" Drafts
		S: * LIST (\HasNoChildren) "/" Other
		S: * LIST (\Noselect \HasChildren) "/" Sent
		S: B3 OK LIST completed
		C: B4 LIST "" S*t
		S: B4 OK LIST completed
		C: B5 LIST "" iN%
		S: * LIST (\HasNoChildren) "/" INBOX
		S: B5 OK LIST completed
		C: B6 LIST "" ""
		S: * LIST (\Noselect) "/" ""
		S: B6 OK LIST completed
		C: B7 LIST () "" ""
		S: B7 OK LIST completed
		C: B8 LIST "" nosuch
		S: B8 OK LIST completed
	`)
}

// RFC 5258 section 5, example 8.
func TestListChildInfo(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("Foo", "Foo/Bar", "+Foo/Baz", "Moo")
	c := r.login()
	c.play(`
		C: CA3 LIST "" "%" RETURN (CHILDREN)
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\HasChildren) "/" Foo
		S: * LIST (\HasNoChildren) "/" Moo
		S: CA3 OK LIST completed
		C: C02 LIST (SUBSCRIBED) "" "*"
		S: * LIST (\Subscribed) "/" Foo/Baz
		S: C02 OK LIST completed
		C: C03 LIST (SUBSCRIBED) "" "%"
		S: C03 OK LIST completed
		C: C04 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
		S: * LIST () "/" Foo ("CHILDINFO" ("SUBSCRIBED"))
		S: C04 OK LIST completed
		C: C05 SUBSCRIBE Foo
		S: C05 OK SUBSCRIBE completed
		C: C06 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
		S: * LIST (\Subscribed) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))
		S: C06 OK LIST completed
		C: C07 UNSUBSCRIBE Foo
		S: C07 OK UNSUBSCRIBE completed
		C: C08 DELETE Foo
		S: C08 OK DELETE completed
		C: C09 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
		S: * LIST (\NonExistent) "/" Foo ("CHILDINFO" ("SUBSCRIBED"))
		S: C09 OK LIST completed
		C: C10 UNSUBSCRIBE Foo/Baz
		S: C10 OK UNSUBSCRIBE completed
		C: C11 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%"
		S: C11 OK LIST completed
		C: C12 SUBSCRIBE Foo
		S: C12 OK SUBSCRIBE completed
		C: C13 SUBSCRIBE Moo/
		S: C13 OK SUBSCRIBE completed
		C: C14 LIST (SUBSCRIBED RECURSIVEMATCH) "" "%" RETURN (CHILDREN)
		S: * LIST (\NonExistent \Subscribed \HasChildren) "/" Foo
		S: * LIST (\Subscribed \HasNoChildren) "/" Moo
		S: C14 OK LIST completed
	`)
}

// RFC 5258 section 5, example 9.
func TestListChildInfoAndPatterns(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("foo2", "+foo2/bar1", "+foo2/bar2", "baz2", "+baz2/bar2", "+baz2/bar22", "+baz2/bar222", "+eps2", "+eps2/mamba", "+qux2/bar2")
	r.login().play(`
		C: D03 LIST (RECURSIVEMATCH SUBSCRIBED) "" "*2"
		S: * LIST (\Subscribed) "/" baz2/bar2
		S: * LIST (\Subscribed) "/" baz2/bar22
		S: * LIST (\Subscribed) "/" baz2/bar222
		S: * LIST (\Subscribed) "/" eps2 ("CHILDINFO" ("SUBSCRIBED"))
		S: * LIST () "/" foo2 ("CHILDINFO" ("SUBSCRIBED"))
		S: * LIST (\Subscribed) "/" foo2/bar2
		S: * LIST (\Subscribed) "/" qux2/bar2
		S: D03 OK LIST completed
		C: D04 LIST "" "*" RETURN (STATUS)
		S: D04 BAD Missing argument
		C: D05 LIST (RECURSIVEMATCH) "" "*"
		S: D05 BAD RECURSIVEMATCH needs another selection option
		C: D06 LIST (REMOTE RECURSIVEMATCH) "" "*"
		S: D06 BAD RECURSIVEMATCH needs another selection option
		C: D07 LIST (NOSUCH) "" "*"
		S: D07 BAD Unknown LIST option
		C: D08 LIST "" "*" RETURN (NOSUCH)
		S: D08 BAD Unknown LIST option
		C: D09 LIST "" "*" GIVE ()
		S: D09 BAD Expected RETURN
		C: D10 LIST "" ()
		S: D10 BAD Expected a mailbox pattern
		C: D11 LIST ""
		S: D11 BAD Missing argument
		C: D12 NOOP
		S: D12 OK NOOP completed
	`)
}

// RFC 6154 section 5.
func TestSpecialUse(t *testing.T) {
	r := start(t, nil)
	r.login().play(`
		C: t1 CREATE MySentMail (USE (\sent))
		S: t1 OK [MAILBOXID (F2)] CREATE completed
		C: t2 CREATE All/Everything (USE (\All \Archive \All))
		S: t2 OK [MAILBOXID (F3)] CREATE completed
		C: t3 CREATE Other (USE (\Nonsense))
		S: t3 NO [USEATTR] No such special use
		C: t4 CREATE Other (EVIL (\Sent))
		S: t4 BAD Unknown CREATE parameter
		C: t5 CREATE Plain
		S: t5 OK [MAILBOXID (F4)] CREATE completed
		C: t6 LIST "" "%"
		S: * LIST (\HasNoChildren) "/" INBOX
		S: * LIST (\Noselect \HasChildren) "/" All
		S: * LIST (\HasNoChildren \Sent) "/" MySentMail
		S: * LIST (\HasNoChildren) "/" Plain
		S: t6 OK LIST completed
		C: t7 LIST (SPECIAL-USE) "" "*"
		S: * LIST (\All \Archive) "/" All/Everything
		S: * LIST (\Sent) "/" MySentMail
		S: t7 OK LIST completed
		C: t8 LIST "" "M*" RETURN (SPECIAL-USE)
		S: * LIST (\Sent) "/" MySentMail
		S: t8 OK LIST completed
		C: t9 LIST (SPECIAL-USE RECURSIVEMATCH SUBSCRIBED) "" "%"
		S: t9 OK LIST completed
		C: t10 LIST (SPECIAL-USE RECURSIVEMATCH) "" "%"
		S: * LIST (\NonExistent) "/" All ("CHILDINFO" ("SPECIAL-USE"))
		S: * LIST (\Sent) "/" MySentMail
		S: t10 OK LIST completed
	`)
}

// RFC 5819 sections 2 and 3.
func TestListStatus(t *testing.T) {
	r := start(t, nil)
	r.fill("1\r\n", "2\r\n")
	r.mailboxes("foo/bar", "-gone")
	for name, configure := range map[string]func(*imap.Server){
		"as it is":         func(*imap.Server) {},
		"without counting": func(s *imap.Server) { s.Backend = plainBackend{s.Backend} },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, func(s *imap.Server) {
				s.Backend = r.Backend
				configure(s)
			})
			r.login().play(`
				C: A01 LIST "" % RETURN (STATUS (MESSAGES UNSEEN))
				S: * LIST () "/" INBOX
				S: * STATUS INBOX (MESSAGES 2 UNSEEN 2)
				S: * LIST (\NonExistent \HasChildren) "/" foo
				S: A01 OK LIST completed
				C: A03 LIST "" INBOX RETURN (STATUS (UIDNEXT))
				S: * LIST () "/" INBOX
				S: * STATUS INBOX (UIDNEXT 3)
				S: A03 OK LIST completed
			`)
		})
	}
}

// plainBackend has stores with nothing but List and Mailbox, and mailboxes that keep no
// Counts.
type plainBackend struct{ mailparts.Backend }

func (b plainBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return plainStore{s}, err
}

type plainStore struct{ mailparts.Store }

func (s plainStore) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	mb, err := s.Store.Mailbox(ctx, name)
	return plainMailbox{mb}, err
}

type plainMailbox struct{ mailparts.Mailbox }

func (b plainMailbox) Status(ctx context.Context) (mailparts.Status, error) {
	st, err := b.Mailbox.Status(ctx)
	st.Counts, st.ID, st.HighestModSeq = nil, "", 0
	return st, err
}

func (b plainMailbox) Messages(ctx context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		for m, err := range b.Mailbox.Messages(ctx, uids, q) {
			m.ModSeq = 0
			if !yield(m, err) {
				return
			}
		}
	}
}

// What the store cannot do is not offered, and refused.
func TestPlainStore(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("Sent")
	plain := start(t, func(s *imap.Server) { s.Backend = plainBackend{r.Backend} })
	c := plain.login()
	offered := strings.Fields(c.do("CAPABILITY")[0])
	for _, name := range []string{"CREATE-SPECIAL-USE", "QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE"} {
		if slices.Contains(offered, name) {
			t.Errorf("%s is offered", name)
		}
	}
	c.play(`
		C: a1 CREATE a
		S: a1 NO [CANNOT] Not supported by this mail store
		C: a2 DELETE Sent
		S: a2 NO [CANNOT] Not supported by this mail store
		C: a3 RENAME Sent b
		S: a3 NO [CANNOT] Not supported by this mail store
		C: a4 RENAME INBOX b
		S: a4 NO [CANNOT] Not supported by this mail store
		C: a5 SUBSCRIBE Sent
		S: a5 NO [CANNOT] Not supported by this mail store
		C: a6 LSUB "" *
		S: * LSUB () "/" INBOX
		S: * LSUB () "/" Sent
		S: a6 OK LSUB completed
		C: a7 STATUS INBOX (MAILBOXID HIGHESTMODSEQ)
		S: * STATUS INBOX (HIGHESTMODSEQ 0)
		S: a7 OK STATUS completed
		C: a8 NAMESPACE
		S: * NAMESPACE (("" "/")) NIL NIL
		S: a8 OK NAMESPACE completed
	`)
}

// RFC 3501 section 6.3.9.
func TestLsub(t *testing.T) {
	r := start(t, nil)
	r.mailboxes("-#news.comp.mail.mime", "+foo/bar", "foo", "+a/b/c")
	r.login().play(`
		C: A002 LSUB "#news." "comp.mail.*"
		S: * LSUB () "/" #news.comp.mail.mime
		S: A002 OK LSUB completed
		C: A003 LSUB "" %
		S: * LSUB () "/" #news.comp.mail.mime
		S: * LSUB (\Noselect) "/" a
		S: * LSUB (\Noselect) "/" foo
		S: A003 OK LSUB completed
		C: A004 LSUB "" a/*
		S: * LSUB () "/" a/b/c
		S: A004 OK LSUB completed
		C: A005 LSUB "" ""
		S: * LSUB (\Noselect) "/" ""
		S: A005 OK LSUB completed
		C: A006 UNSUBSCRIBE a/b/c
		S: A006 OK UNSUBSCRIBE completed
		C: A007 UNSUBSCRIBE a/b/c
		S: A007 OK UNSUBSCRIBE completed
		C: A008 LSUB "" a*
		S: A008 OK LSUB completed
		C: A009 LSUB "" (a)
		S: A009 BAD Expected a mailbox pattern
		C: A010 SUBSCRIBE
		S: A010 BAD Missing argument
	`)
}
