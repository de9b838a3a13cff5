package mailtest_test

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// brokenNames breaks what is promised of users, of mailboxes as a whole, and of
// restarts.
func brokenNames() map[string]breakage {
	info := func(f func(info *mailparts.MailboxInfo) bool) breakage { return breakage{hooks: hooks{info: f}} }
	hidden := func(name string) breakage {
		return info(func(info *mailparts.MailboxInfo) bool { return info.Name != name })
	}
	fails := func(f func(call string, err error) error) breakage { return breakage{hooks: hooks{fail: f}} }
	creates := func(f func(ctx context.Context, s fullStore, name string, use []string) error) breakage {
		return breakage{hooks: hooks{create: f}}
	}
	useless := creates(func(ctx context.Context, s fullStore, name string, _ []string) error { return s.Create(ctx, name) })
	subscribed := func(f func(names []string) []string) breakage { return breakage{hooks: hooks{subscribed: f}} }
	lists := breakage{store: func(s fullStore) mailparts.Store { return lockingStore{s, new(sync.Mutex)} }}
	seven := breakage{hooks: hooks{status: func(st *mailparts.Status) { st.UIDValidity = 7 }}}
	copied := breakage{hooks: hooks{rename: renameByCopy}}
	grim := breakage{hooks: hooks{remove: removeAllBelow}}
	then := func(h hooks) breakage { return breakage{then: &h} }
	opens := 0

	return map[string]breakage{
		"user/who is unknown gets ErrNoUser": {user: func(user string) string { return strings.Replace(user, "mallory", "alice", 1) }},
		"user/has the same mail at every Open": {user: func(string) string {
			opens++
			return []string{"alice", "all"}[opens%2]
		}},
		"user/has no part in another's mail":                      {user: func(string) string { return "all" }},
		"user/with a name like a path reaches no one else's mail": {user: path.Clean},

		"list/has INBOX from the start":                         hidden("INBOX"),
		"list/yields each mailbox once, and each can be opened": hidden("d/e/f"),
		"list/stops when told":                                  lists,
		"list/holds no lock while it yields":                    lists,
		"list/says the status that Status says": info(func(info *mailparts.MailboxInfo) bool {
			if info.Status != nil {
				info.Status.Messages++
			}
			return true
		}),

		"name/works faithfully or is refused with ErrBadName": fails(never("Create", mailparts.ErrBadName)),
		"name/of an odd kind reaches no other mailbox":        {hooks: hooks{name: func(name string) string { return strings.TrimLeft(path.Clean("/"+name), "/") }}},
		"name/that only looks like another is another or none": {hooks: hooks{name: strings.ToLower, create: func(ctx context.Context, s fullStore, name string, use []string) error {
			return s.Create(ctx, strings.ToLower(name), use...)
		}}},
		"name/in another case than INBOX is never INBOX": {hooks: hooks{name: func(name string) string {
			if strings.EqualFold(name, "INBOX") {
				return "INBOX"
			}
			return name
		}}},
		"name/INBOX always exists": fails(never("Delete", mailparts.ErrPermission)),

		"manager/creates an empty mailbox": creates(func(ctx context.Context, s fullStore, name string, use []string) error {
			err := s.Create(ctx, name, use...)
			if mb, openErr := s.Mailbox(ctx, name); openErr == nil {
				mailparts.Append(ctx, mb, mailparts.Incoming{Body: strings.NewReader("welcome")})
			}
			return err
		}),
		"manager/needs no parents": creates(func(ctx context.Context, s fullStore, name string, use []string) error {
			for i, c := range name {
				if c == '/' {
					s.Create(ctx, name[:i])
				}
			}
			return s.Create(ctx, name, use...)
		}),
		"manager/creates none twice":                          fails(never("Create", mailparts.ErrExists)),
		"manager/deletes one mailbox and leaves its children": grim,
		"manager/never gives a UIDVALIDITY twice":             seven,
		"manager/renames children along and keeps everything": copied,
		"manager/renames onto no other mailbox": {hooks: hooks{rename: func(ctx context.Context, s fullStore, from, to string) error {
			s.Delete(ctx, to)
			return s.Rename(ctx, from, to)
		}}},
		"manager/renames none that is missing": fails(never("Rename", mailparts.ErrNoMailbox)),
		"manager/renames no mailbox with a like name": {hooks: hooks{rename: func(ctx context.Context, s fullStore, from, to string) error {
			for info := range s.List(ctx) {
				if name, ok := strings.CutPrefix(info.Name, from); ok && name != "" && name[0] != '/' {
					s.Rename(ctx, info.Name, to+name)
				}
			}
			return s.Rename(ctx, from, to)
		}}},
		"manager/lets a mailbox be renamed and made anew": seven,
		"id/of a mailbox survives a rename and is never given again": info(func(info *mailparts.MailboxInfo) bool {
			info.ID = "F" + info.Name
			return true
		}),

		"subscriber/keeps a set of names": subscribed(func(names []string) []string { return slices.Concat(names, names) }),
		"subscriber/needs no mailbox of the name": {hooks: hooks{subscribe: func(ctx context.Context, s fullStore, name string, on bool) error {
			if _, err := s.Mailbox(ctx, name); err != nil {
				return err
			}
			return s.Subscribe(ctx, name, on)
		}}},
		"subscriber/keeps odd names or refuses them with ErrBadName": subscribed(func(names []string) []string {
			return slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, " ") })
		}),
		"subscriber/is left alone by Delete and Rename": grim,

		"use/is kept or refused with ErrUnsupported, and then nothing is made": useless,
		"use/that is none is refused or kept as it is":                         useless,
		"use/survives a rename":                                                copied,

		"restart/keeps messages as they were":                         then(hooks{message: func(m *mailparts.Message) { m.Flags = nil }}),
		"restart/keeps UIDs and never gives one again":                {lost: reuseUIDs},
		"restart/keeps mailboxes and never gives a UIDVALIDITY again": then(hooks{status: func(st *mailparts.Status) { st.UIDValidity = 4 }}),
		"restart/keeps subscriptions":                                 then(hooks{subscribed: func([]string) []string { return nil }}),
		"restart/gives no mod-sequence again":                         then(hooks{flagged: func(_ mailparts.FlagChange, at *mailparts.ModSeq, _ *error) { *at = 1 }}),
		"restart/has who knew it before miss nothing":                 then(hooks{vanished: func(uids *mailparts.UIDSet) { *uids = nil }}),
		"restart/leaves nothing of what was refused":                  {hooks: hooks{append: appendOneByOne}},
		"restart/leaves nothing of an Append that was under way":      {hooks: hooks{append: appendOneByOne}},
		"restart/keeps annotations, rights and special uses":          then(hooks{annotations: func([]mailparts.Annotation) []mailparts.Annotation { return nil }}),
		"restart/keeps what was recent":                               then(hooks{claim: func(r *mailparts.UIDRange) { *r = mailparts.UIDRange{} }}),
	}
}

// brokenExtras breaks what is promised of annotations, rights and quota.
func brokenExtras() map[string]breakage {
	annotates := func(f func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error) breakage {
		return breakage{hooks: hooks{annotate: f}}
	}
	annotations := func(f func(a *mailparts.Annotation) bool) breakage {
		return breakage{hooks: hooks{annotations: func(all []mailparts.Annotation) []mailparts.Annotation {
			return slices.DeleteFunc(all, func(a mailparts.Annotation) bool { return !f(&a) })
		}}}
	}
	values := func(f func(v []byte) []byte) breakage {
		return annotates(func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error {
			for i := range set {
				set[i].Value = f(set[i].Value)
			}
			return s.Annotate(ctx, name, set...)
		})
	}
	grants := func(f func(r mailparts.Rights) mailparts.Rights) breakage { return breakage{hooks: hooks{grant: f}} }
	more := func(letters mailparts.Rights) breakage {
		return grants(func(r mailparts.Rights) mailparts.Rights { return r + letters })
	}
	rights := func(f func(r mailparts.Rights) mailparts.Rights) breakage { return breakage{hooks: hooks{rights: f}} }
	fails := func(f func(call string, err error) error) breakage { return breakage{hooks: hooks{fail: f}} }
	limits := func(f func(octets, messages *int64)) breakage { return breakage{limits: f} }
	unlimited := limits(func(octets, messages *int64) { *octets, *messages = 1<<30, 1<<20 })
	incoming := func(f func(m *mailparts.Incoming)) breakage { return breakage{hooks: hooks{incoming: f}} }
	copied := breakage{hooks: hooks{rename: renameByCopy}}

	return map[string]breakage{
		"metadata/is kept octet by octet, and removed by nil": values(func(v []byte) []byte { return bytes.ReplaceAll(v, []byte("\r"), nil) }),
		"metadata/has entries without regard to ASCII case": {hooks: hooks{annotations: func(all []mailparts.Annotation) []mailparts.Annotation {
			for i := range all {
				all[i].Entry = strings.ToUpper(all[i].Entry)
			}
			return all
		}}},
		"metadata/of the account is apart from that of mailboxes": annotates(func(ctx context.Context, s fullStore, _ string, set []mailparts.Annotation) error {
			return errors.Join(s.Annotate(ctx, "", set...), s.Annotate(ctx, "INBOX", set...))
		}),
		"metadata/is set as a whole or not at all": annotates(func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error {
			for _, a := range set {
				if err := s.Annotate(ctx, name, a); err != nil {
					return err
				}
			}
			return nil
		}),
		"metadata/goes with its mailbox":                            copied,
		"metadata/of a mailbox that does not exist is ErrNoMailbox": fails(never("Annotations", mailparts.ErrNoMailbox)),
		"metadata/changes no number of the mailbox": annotates(func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error {
			if mb, err := s.Mailbox(ctx, name); err == nil {
				mb.SetFlags(ctx, mailparts.AllUIDs(), mailparts.FlagChange{Flags: []mailparts.Flag{"Annotated"}})
			}
			return s.Annotate(ctx, name, set...)
		}),
		"metadata/that is private is one user's own": annotates(func(ctx context.Context, s fullStore, name string, set []mailparts.Annotation) error {
			for i, a := range set {
				set[i].Entry = strings.Replace(a.Entry, "/private/", "/shared/", 1)
			}
			return s.Annotate(ctx, name, set...)
		}),
		"metadata/of any size is kept or refused": values(func(v []byte) []byte { return v[:min(len(v), 1<<16)] }),
		"metadata/shows and sets the special use": annotations(func(a *mailparts.Annotation) bool { return a.Entry != mailparts.EntrySpecialUse }),

		"acl/gives the owner all rights": {hooks: hooks{acl: func(list []mailparts.ACLEntry) []mailparts.ACLEntry {
			return slices.DeleteFunc(list, func(e mailparts.ACLEntry) bool { return e.Identifier == "alice" })
		}}},
		"acl/shows others only what they may see":                  more("l"),
		"acl/lets others do what they may, and that only":          more(mailparts.AllRights),
		"acl/keeps flags from who may not set them":                more("tw"),
		"acl/makes a mailbox read-only for who may change nothing": {hooks: hooks{status: func(st *mailparts.Status) { st.ReadOnly = false }}},
		"acl/counts at once for handles that are open":             more("i"),
		"acl/guards names":                more("kx"),
		"acl/is for those who administer": more("a"),
		"acl/adds up what identifiers have": rights(func(r mailparts.Rights) mailparts.Rights {
			return mailparts.Rights(strings.ReplaceAll(string(r), "s", ""))
		}),
		"acl/goes with its mailbox":     copied,
		"acl/cannot lock out the owner": rights(func(r mailparts.Rights) mailparts.Rights { return mailparts.Rights(strings.TrimSuffix(string(r), "a")) }),
		"acl/refuses what is no right":  grants(mailparts.Rights.Sorted),

		"quota/tells what is used and how much may be": {hooks: hooks{quota: func(all []mailparts.Quota) {
			for i := range all {
				all[i].Used = 0
			}
		}}},
		"quota/refuses what cannot fit by its size before the first Read": incoming(func(m *mailparts.Incoming) { m.Size = 0 }),
		"quota/refuses what turns out too large and leaves nothing":       unlimited,
		"quota/counts a batch as a whole":                                 {hooks: hooks{append: appendOneByOne}},
		"quota/frees what is expunged":                                    {hooks: hooks{expunge: func(uids *mailparts.UIDSet, _ *mailparts.Flag) { *uids = nil }}},
		"quota/does not count what is replaced":                           incoming(func(m *mailparts.Incoming) { m.Replaces = 0 }),
		"quota/is for all mailboxes of a root":                            unlimited,
		"quota/refuses a copy as a whole and lets Move pass": {hooks: hooks{move: func(ctx context.Context, src fullMailbox, uids mailparts.UIDSet, dst mailparts.Mailbox) (mailparts.Copied, error) {
			return mailparts.Move(ctx, withoutOptions{src}, uids, dst)
		}}},
		"quota/limits the number of messages":                    limits(func(_, messages *int64) { *messages *= 100 }),
		"quota/of a mailbox that does not exist is ErrNoMailbox": fails(never("Quota", mailparts.ErrNoMailbox)),
		"quota/is each user's own":                               {user: func(string) string { return "all" }},
	}
}

// removeAllBelow removes the children too, and the subscription.
func removeAllBelow(ctx context.Context, s fullStore, name string) error {
	for info := range s.List(ctx) {
		if strings.HasPrefix(info.Name, name+"/") {
			s.Delete(ctx, info.Name)
		}
	}
	s.Subscribe(ctx, name, false)
	return s.Delete(ctx, name)
}

// renameByCopy makes a new mailbox, without children.
func renameByCopy(ctx context.Context, s fullStore, from, to string) error {
	src, err := s.Mailbox(ctx, from)
	if err != nil {
		return err
	}
	if err := s.Create(ctx, to); err != nil {
		return err
	}
	dst, err := s.Mailbox(ctx, to)
	if err != nil {
		return err
	}
	if _, err := mailparts.Copy(ctx, src, mailparts.AllUIDs(), dst); err != nil {
		return err
	}
	return s.Delete(ctx, from)
}

// reuseUIDs is a restart that finds the next UID by what is there.
func reuseUIDs(m *mailtest.Memory) {
	s, err := m.Open(context.Background(), "alice")
	if err != nil {
		panic(err)
	}
	mb, err := s.Mailbox(context.Background(), "INBOX")
	if err != nil {
		panic(err)
	}
	mailtest.ReuseUIDs(mb)
}
