package imap_test

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
)

// documented are the capabilities of the package comment, and where it says that each is
// offered.
func documented(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "//\tcapability ")
	if !ok {
		t.Fatal("no table")
	}
	table, _, _ = strings.Cut(table, "//\n")
	row := regexp.MustCompile(`(?m)^//\t([A-Z]\S*) +\d{4}( \S+)?  +(.*?)  +(\S+\.go)$`)
	doc := map[string]string{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		name, offered, file := m[1], m[3], m[4]
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, twice := doc[name]; twice {
			t.Errorf("%s stands twice", name)
		}
		doc[name] = offered
	}
	return doc
}

// offered is what CAPABILITY names, without values and the names of mechanisms.
func (c *client) offered() map[string]bool {
	c.t.Helper()
	all := map[string]bool{}
	for _, name := range strings.Fields(c.do("CAPABILITY")[0])[2:] {
		switch before, _, _ := strings.Cut(name, "="); before {
		case "AUTH":
			name = "AUTH=…"
		case "APPENDLIMIT":
			name = before
		}
		all[name] = true
	}
	return all
}

// The table of the package comment has each capability that a session is ever offered, in
// the states that it says.
func TestCapabilitiesAreDocumented(t *testing.T) {
	doc := documented(t)
	secured := start(t, func(s *imap.Server) {
		s.TLSConfig, s.AllowInsecureAuth = new(tls.Config), false
		s.Mechanisms = nil
	})
	open := start(t, func(s *imap.Server) { s.Backend = &mailtest.Memory{MaxMessages: 10} })
	before := open.dial().offered()
	maps.Copy(before, secured.dial().offered())
	after := open.login().offered()
	for name, where := range doc {
		always := strings.HasPrefix(where, "always")
		if got, want := before[name], always || strings.HasPrefix(where, "before log-in"); got != want {
			t.Errorf("%s before log-in: %t, documented: %q", name, got, where)
		}
		if got, want := after[name], always || !strings.HasPrefix(where, "before log-in"); got != want {
			t.Errorf("%s after log-in: %t, documented: %q", name, got, where)
		}
	}
	maps.Copy(after, before)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, ok := doc[name]; !ok {
			t.Errorf("%s is not in the table of the package comment", name)
		}
	}

	// What a store must be able to do, one that can do nothing is not offered.
	plain := start(t, func(s *imap.Server) { s.Backend = plainBackend{s.Backend} }).login().offered()
	for name, where := range doc {
		needs := strings.HasPrefix(where, "to a store") || where == "with QUOTA"
		if before := strings.HasPrefix(where, "before"); !before && plain[name] == needs {
			t.Errorf("%s of a plain store: %t, documented: %q", name, plain[name], where)
		}
	}
}

// A store is asked once, and one that only wraps others may have no quota after all.
func TestQuotaUnsupported(t *testing.T) {
	c := start(t, func(s *imap.Server) { s.Backend = noQuotaBackend{s.Backend} }).login()
	if c.offered()["QUOTA"] {
		t.Error("QUOTA is offered")
	}
	c.play(`
		C: a1 GETQUOTAROOT INBOX
		S: a1 NO [CANNOT] Not supported by this mail store
	`)
}

// noQuotaBackend has stores with the method of a Quotaer, and no quota.
type noQuotaBackend struct{ mailparts.Backend }

type noQuotaStore struct{ mailparts.Store }

func (b noQuotaBackend) Open(ctx context.Context, user string) (mailparts.Store, error) {
	s, err := b.Backend.Open(ctx, user)
	return noQuotaStore{s}, err
}

func (noQuotaStore) Quota(context.Context, string) ([]mailparts.Quota, error) {
	return nil, errors.ErrUnsupported
}
