package maildir_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

func TestSubscriptions(t *testing.T) {
	for name, tc := range map[string]struct{ before, after string }{
		"none":    {"", "V\t2\n\nä/b\n"},
		"dovecot": {"V\t2\n\nFoo\tBar\n&ANw-n&AO8-\n", "V\t2\n\nFoo\tBar\n&ANw-n&AO8-\n&AOQ-\tb\n"},
		"old":     {"Foo.Bar\n&ANw-n&AO8-\n\xff\n", "Foo.Bar\n&ANw-n&AO8-\n\xff\n&AOQ-.b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := disktest.New()
			s := openStore(t, on(fsys)).(mailparts.Subscriber)
			file := root + "/user/subscriptions"
			want := []string{"ä/b"}
			if tc.before != "" {
				put(t, fsys, file, tc.before)
				want = []string{"Foo/Bar", "Ünï", "ä/b"}
			}
			must(t, s.Subscribe(t.Context(), "none", false))
			must(t, s.Subscribe(t.Context(), "ä/b", true))
			must(t, s.Subscribe(t.Context(), "ä/b", true))
			if got := get(t, fsys, file); got != strings.Replace(tc.after, "ä/b", "&AOQ-\tb", 1) {
				t.Errorf("the file is %q, want %q", got, tc.after)
			}
			got, err := s.Subscribed(t.Context())
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("subscribed to %q, %v, want %q", got, err, want)
			}
			must(t, s.Subscribe(t.Context(), "ä/b", false))
			if got, err := s.Subscribed(t.Context()); err != nil || slices.Contains(got, "ä/b") {
				t.Errorf("still subscribed to %q, %v", got, err)
			}
			if err := s.Subscribe(t.Context(), "a.b", true); !errors.Is(err, mailparts.ErrBadName) {
				t.Errorf("a name that cannot be: %v", err)
			}
		})
	}
}
