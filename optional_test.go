package mailparts_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

// plainStore is a Store without its optional interfaces.
type plainStore struct{ mailparts.Store }

// deaf is a Store and a Mailbox whose optional methods say ErrUnsupported.
type deaf struct {
	plainStore
	plain
}

func (deaf) ListStatus(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		yield(mailparts.MailboxInfo{}, errors.ErrUnsupported)
	}
}

func (deaf) Quota(context.Context, string) ([]mailparts.Quota, error) {
	return nil, errors.ErrUnsupported
}

func (deaf) Subscribed(context.Context) ([]string, error) { return nil, errors.ErrUnsupported }

func (deaf) Subscribe(context.Context, string, bool) error { return errors.ErrUnsupported }

func (deaf) Annotations(context.Context, string) ([]mailparts.Annotation, error) {
	return nil, errors.ErrUnsupported
}

func (deaf) Annotate(context.Context, string, ...mailparts.Annotation) error {
	return errors.ErrUnsupported
}

func (deaf) ACL(context.Context, string) ([]mailparts.ACLEntry, error) {
	return nil, errors.ErrUnsupported
}

func (deaf) SetACL(context.Context, string, string, mailparts.Rights) error {
	return errors.ErrUnsupported
}

func (deaf) MyRights(context.Context, string) (mailparts.Rights, error) {
	return "", errors.ErrUnsupported
}

func (deaf) Namespaces(context.Context) (mailparts.Namespaces, error) {
	return mailparts.Namespaces{Shared: []string{"not/"}}, errors.ErrUnsupported
}

func (deaf) Watch(context.Context, func()) error { return errors.ErrUnsupported }

func (deaf) UIDLs(context.Context) iter.Seq2[mailparts.UIDL, error] {
	return func(yield func(mailparts.UIDL, error) bool) { yield(mailparts.UIDL{}, errors.ErrUnsupported) }
}

func (deaf) Search(context.Context, mailparts.UIDSet, mailparts.TextSearch) (mailparts.UIDSet, bool, error) {
	return nil, true, errors.ErrUnsupported
}

func (deaf) ClaimRecent(context.Context) (mailparts.UIDRange, error) {
	return mailparts.UIDRange{First: 1, Last: 2}, errors.ErrUnsupported
}

func (deaf) Outline(context.Context) (mailparts.Outline, error) {
	return mailparts.Outline{UIDs: mailparts.AllUIDs(), FirstUnseen: 7}, errors.ErrUnsupported
}

func (deaf) Lock(context.Context) (func() error, error) { return nil, errors.ErrUnsupported }

func (deaf) Cache(context.Context, iter.Seq2[mailparts.UID, []byte]) error {
	return errors.ErrUnsupported
}

// withoutOptions calls f with alice's store and inbox, once as if they had no
// optional interfaces and once as if these could not be used.
func withoutOptions(t *testing.T, f func(t *testing.T, s mailparts.Store, mb mailparts.Mailbox)) {
	for _, what := range []string{"no optional interfaces", "all unsupported"} {
		t.Run(what, func(t *testing.T) {
			m := new(mailtest.Memory)
			s, err := m.Open(t.Context(), "alice")
			if err != nil {
				t.Fatal(err)
			}
			mb := inboxOf(t, m, "alice")
			if what == "all unsupported" {
				d := deaf{plainStore{s}, plain{mb}}
				f(t, struct {
					mailparts.Store
					deafStore
				}{d.plainStore, d}, struct {
					mailparts.Mailbox
					deafMailbox
				}{d.plain, d})
				return
			}
			f(t, plainStore{s}, plain{mb})
		})
	}
}

type deafStore interface {
	mailparts.StatusLister
	mailparts.Quotaer
	mailparts.Subscriber
	mailparts.Annotator
	mailparts.ACLer
	mailparts.Namespacer
	mailparts.Watcher
}

type deafMailbox interface {
	mailparts.UIDLer
	mailparts.Searcher
	mailparts.RecentClaimer
	mailparts.Outliner
	mailparts.Locker
	mailparts.Cacher
	mailparts.Watcher
}

func TestStoreFallbacks(t *testing.T) {
	withoutOptions(t, func(t *testing.T, s mailparts.Store, _ mailparts.Mailbox) {
		ctx := t.Context()
		if q, err := mailparts.QuotaOf(ctx, s, "INBOX"); q != nil || err != nil {
			t.Errorf("QuotaOf: %v, %v, want none", q, err)
		}
		if names, err := mailparts.Subscribed(ctx, s); !slices.Equal(names, []string{"INBOX"}) || err != nil {
			t.Errorf("Subscribed: %q, %v, want all mailboxes", names, err)
		}
		if n, err := mailparts.NamespacesOf(ctx, s); n.Others != nil || n.Shared != nil || err != nil {
			t.Errorf("NamespacesOf: %v, %v, want none", n, err)
		}
		if r, err := mailparts.MyRights(ctx, s, "INBOX"); r != mailparts.AllRights || err != nil {
			t.Errorf("MyRights: %q, %v, want all", r, err)
		}
		if r, err := mailparts.MyRights(ctx, s, "none"); r != "" || !errors.Is(err, mailparts.ErrNoMailbox) {
			t.Errorf("MyRights of no mailbox: %q, %v, want ErrNoMailbox", r, err)
		}
		_, err := mailparts.Annotations(ctx, s, "INBOX")
		_, err2 := mailparts.ACL(ctx, s, "INBOX")
		for what, err := range map[string]error{
			"Annotations": err,
			"ACL":         err2,
			"Annotate":    mailparts.Annotate(ctx, s, "INBOX"),
			"SetACL":      mailparts.SetACL(ctx, s, "INBOX", "bob", "lr"),
			"Subscribe":   mailparts.Subscribe(ctx, s, "INBOX", true),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v, want ErrUnsupported", what, err)
			}
		}
	})
}

func TestMailboxFallbacks(t *testing.T) {
	withoutOptions(t, func(t *testing.T, _ mailparts.Store, mb mailparts.Mailbox) {
		ctx := t.Context()
		fill(t, mb, "a", "b")
		for id, err := range mailparts.UIDLs(ctx, mb) {
			t.Errorf("UIDLs yields %v, %v, want nothing", id, err)
		}
		asked := mailparts.UIDSet{{First: 2, Last: 7}}
		found, exact, err := mailparts.Search(ctx, mb, asked, mailparts.TextSearch{In: mailparts.InText, Text: "x"})
		if !slices.Equal(found, asked) || exact || err != nil {
			t.Errorf("Search: %v, exact: %v, %v, want %v, which is not exact", found, exact, err, asked)
		}
		unseen := mailparts.FlagChange{Op: mailparts.RemoveFlags, Flags: []mailparts.Flag{mailparts.FlagSeen}}
		if _, _, err := mb.SetFlags(ctx, mailparts.UIDSet{{First: 2, Last: 2}}, unseen); err != nil {
			t.Fatal(err)
		}
		if o, err := mailparts.OutlineOf(ctx, mb); o.UIDs.String() != "1:2" || o.FirstUnseen != 2 || err != nil {
			t.Errorf("OutlineOf: %v, %v, want UIDs 1:2, of which the second is unseen", o, err)
		}
		if r, err := mailparts.ClaimRecent(ctx, mb); r != (mailparts.UIDRange{}) || err != nil {
			t.Errorf("ClaimRecent: %v, %v, want nothing", r, err)
		}
		if _, err := mailparts.Lock(ctx, mb); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Lock: %v, want ErrUnsupported", err)
		}
		if err := mailparts.Cache(ctx, mb, func(func(mailparts.UID, []byte) bool) { t.Error("Cache asks for what nobody keeps") }); err != nil {
			t.Errorf("Cache: %v", err)
		}
	})
}

func TestWatchFallback(t *testing.T) {
	withoutOptions(t, func(t *testing.T, s mailparts.Store, mb mailparts.Mailbox) {
		for _, v := range []any{s, mb} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				woken := 0
				if err := mailparts.Watch(ctx, v, time.Minute, func() { woken++ }); err != nil {
					t.Fatal(err)
				}
				time.Sleep(150 * time.Second)
				cancel()
				synctest.Wait()
				time.Sleep(time.Hour)
				if woken != 2 {
					t.Errorf("woken %d times in two and a half minutes and after the context, want twice", woken)
				}
			})
		}
	})
}

func TestWatchOwn(t *testing.T) {
	var m mailtest.Memory
	mb := inboxOf(t, &m, "alice")
	woken := 0
	if err := mailparts.Watch(t.Context(), mb, time.Hour, func() { woken++ }); err != nil {
		t.Fatal(err)
	}
	if fill(t, mb, "a"); woken != 1 {
		t.Errorf("woken %d times by one change, want once", woken)
	}
}

// fleeting is a store that lists mailboxes which are gone when they are opened,
// may not be read, or are names only.
type fleeting struct{ plainStore }

func (s fleeting) List(ctx context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) {
		for _, info := range []mailparts.MailboxInfo{{Name: "gone"}, {Name: "name", NoSelect: true}, {Name: "secret"}} {
			if !yield(info, nil) {
				return
			}
		}
		s.plainStore.List(ctx)(yield)
	}
}

func (s fleeting) Mailbox(ctx context.Context, name string) (mailparts.Mailbox, error) {
	if name == "secret" {
		return secret{}, nil
	}
	return s.plainStore.Mailbox(ctx, name)
}

type secret struct{ mailparts.Mailbox }

func (secret) Status(context.Context) (mailparts.Status, error) {
	return mailparts.Status{}, mailparts.ErrPermission
}

func TestListStatusFallback(t *testing.T) {
	withoutOptions(t, func(t *testing.T, s mailparts.Store, mb mailparts.Mailbox) {
		fill(t, mb, "a")
		var got []string
		for info, err := range mailparts.ListStatus(t.Context(), fleeting{plainStore{s}}) {
			if err != nil {
				t.Fatal(err)
			}
			line := info.Name
			if info.Status != nil {
				line += fmt.Sprint(" ", info.Status.Messages)
			}
			got = append(got, line)
		}
		if want := []string{"name", "secret", "INBOX 1"}; !slices.Equal(got, want) {
			t.Errorf("ListStatus yields %q, want %q", got, want)
		}
		for range mailparts.ListStatus(t.Context(), s) {
			break
		}
	})
}

// broken lists an error last.
type broken struct{ plainStore }

func (s broken) List(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) { yield(mailparts.MailboxInfo{}, errRead) }
}

func TestListStatusFallbackError(t *testing.T) {
	n := 0
	for _, err := range mailparts.ListStatus(t.Context(), broken{}) {
		if n++; !errors.Is(err, errRead) || n > 1 {
			t.Errorf("ListStatus yields %v, want the error of List once", err)
		}
	}
	if n == 0 {
		t.Error("ListStatus hides the error of List")
	}
	if _, err := mailparts.Subscribed(t.Context(), broken{}); !errors.Is(err, errRead) {
		t.Errorf("Subscribed: %v, want the error of List", err)
	}
}

func TestRights(t *testing.T) {
	for _, c := range []struct {
		r, want mailparts.Rights
		has     bool
	}{
		{"", "", true},
		{"lr", "", true},
		{"lr", "r", true},
		{"lr", "rl", true},
		{"lr", "lrs", false},
		{"", "l", false},
		{mailparts.AllRights, "atx", true},
		{mailparts.AllRights, "c", false},
	} {
		if got := c.r.Has(c.want); got != c.has {
			t.Errorf("%q has %q: %v, want %v", c.r, c.want, got, c.has)
		}
	}
	if got := mailparts.Rights("dar\x00wllcs7é").Sorted(); got != "lrswa" {
		t.Errorf("Sorted gives %q, want lrswa", got)
	}
}

func TestValidEntry(t *testing.T) {
	for entry, want := range map[string]bool{
		"/private/comment":           true,
		"/shared/comment":            true,
		"/SHARED/vendor/CMU/Cyrus-x": true,
		"/private/a b":               true,
		"":                           false,
		"/":                          false,
		"/private":                   false,
		"/private/":                  false,
		"/shared//a":                 false,
		"/shared/a/":                 false,
		"/shared/a//b":               false,
		"/other/a":                   false,
		"private/a":                  false,
		"/private/a*":                false,
		"/private/%":                 false,
		"/private/é":                 false,
		"/private/\xff":              false,
		"/private/a\x00":             false,
		"/private/a\n":               false,
		"/private/a\x7f":             false,
	} {
		if got := mailparts.ValidEntry(entry); got != want {
			t.Errorf("ValidEntry(%q) is %v, want %v", entry, got, want)
		}
	}
}
