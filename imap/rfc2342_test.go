package imap_test

import (
	"context"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// namespaced is a Backend whose stores have these namespaces.
type namespaced struct {
	mailparts.Backend
	ns mailparts.Namespaces
}

func (b namespaced) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return namespacedStore{s, b.ns}, err
}

type namespacedStore struct {
	mailparts.Store
	ns mailparts.Namespaces
}

func (s namespacedStore) Namespaces(context.Context) (mailparts.Namespaces, error) { return s.ns, nil }

// RFC 2342 section 5, examples 5.1, 5.3, 5.4, 5.8 (its A003) and 5.9. There is one personal
// namespace, without a prefix, and the separator is "/" everywhere: so 5.2, 5.5 and 5.6
// cannot be, nor "." in 5.4.
func TestRFC2342(t *testing.T) {
	memory := new(mailtest.Memory)
	start(t, func(s *imap.Server) { s.Backend = memory }).mailboxes("~mark/INBOX", "~mark/foo", "#Users/Mike/INBOX", "#Users/Mike/Foo")
	for _, test := range []struct {
		ns     mailparts.Namespaces
		script string
	}{
		{mailparts.Namespaces{}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) NIL NIL
			S: A001 OK NAMESPACE completed
		`},
		{mailparts.Namespaces{Shared: []string{"Public Folders/"}}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) NIL (("Public Folders/" "/"))
			S: A001 OK NAMESPACE completed
		`},
		{mailparts.Namespaces{Others: []string{"~"}, Shared: []string{"#shared/", "#public/", "#ftp/", "#news."}}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) (("~" "/")) (("#shared/" "/")("#public/" "/")("#ftp/" "/")("#news." "/"))
			S: A001 OK NAMESPACE completed
		`},
		{mailparts.Namespaces{Others: []string{"#Users/"}}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) (("#Users/" "/")) NIL
			S: A001 OK NAMESPACE completed
			C: A003 LIST "" "#Users/Mike/%"
			S: * LIST (\HasNoChildren) "/" #Users/Mike/Foo
			S: * LIST (\HasNoChildren) "/" #Users/Mike/INBOX
			S: A003 OK LIST completed
		`},
		{mailparts.Namespaces{Others: []string{"~"}}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) (("~" "/")) NIL
			S: A001 OK NAMESPACE completed
			C: A002 LIST "" "~mark/%"
			S: * LIST (\HasNoChildren) "/" ~mark/INBOX
			S: * LIST (\HasNoChildren) "/" ~mark/foo
			S: A002 OK LIST completed
		`},
		// Section 6: modified UTF-7, until UTF-8 is enabled (RFC 9755 section 3).
		{mailparts.Namespaces{Shared: []string{"Öffentlich/"}}, `
			C: A001 NAMESPACE
			S: * NAMESPACE (("" "/")) NIL (("&ANY-ffentlich/" "/"))
			S: A001 OK NAMESPACE completed
			C: A002 ENABLE UTF8=ACCEPT
			S: * ENABLED UTF8=ACCEPT
			S: A002 OK ENABLE completed
			C: A003 NAMESPACE
			S: * NAMESPACE (("" "/")) NIL (("Öffentlich/" "/"))
			S: A003 OK NAMESPACE completed
		`},
	} {
		start(t, func(s *imap.Server) { s.Backend = namespaced{memory, test.ns} }).login().play(test.script)
	}
}

// RFC 2342 section 5, example 5.7: Bob has not granted access.
func TestRFC2342OtherUsers(t *testing.T) {
	memory := new(mailtest.Memory)
	for _, user := range []string{"Mike", "Karen", "Matthew", "Tesa"} {
		share(t, memory, user, "INBOX", "lr")
	}
	share(t, memory, "Bob", "INBOX", "")
	start(t, func(s *imap.Server) { s.Backend = memory }).login().play(`
		C: A001 NAMESPACE
		S: * NAMESPACE (("" "/")) (("Other Users/" "/")) NIL
		S: A001 OK NAMESPACE completed
		C: A002 LIST "" "Other Users/%"
		S: * LIST (\Noselect \HasChildren) "/" "Other Users/Karen"
		S: * LIST (\Noselect \HasChildren) "/" "Other Users/Matthew"
		S: * LIST (\Noselect \HasChildren) "/" "Other Users/Mike"
		S: * LIST (\Noselect \HasChildren) "/" "Other Users/Tesa"
		S: A002 OK LIST completed
	`)
}
