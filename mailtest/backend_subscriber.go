package mailtest

import (
	"errors"
	"slices"

	"github.com/mailparts/mailparts"
)

func subscriberPromises() []promise {
	return []promise{
		{"keeps a set of names", subscriberSet},
		{"needs no mailbox of the name", subscriberNoMailbox},
		{"keeps odd names or refuses them with ErrBadName", subscriberOdd},
		{"is left alone by Delete and Rename", subscriberLeftAlone},
	}
}

// wantSubscribed checks the set.
func (x *trial) wantSubscribed(what string, s mailparts.Subscriber, want ...string) {
	x.Helper()
	got, err := s.Subscribed(x.Context())
	x.mustDo("Subscribed", err)
	got = slices.Sorted(slices.Values(got))
	if !slices.Equal(got, want) {
		x.Errorf("%s: subscribed to %q, want %q", what, got, want)
	}
}

func subscriberSet(x *trial) {
	s := optional[mailparts.Subscriber](x, x.store)
	x.wantSubscribed("a new store", s)
	for _, name := range []string{"b", "a/ü", "b", "INBOX"} {
		x.mustDo("Subscribe", s.Subscribe(x.Context(), name, true))
	}
	x.wantSubscribed("after Subscribe, one of them twice", s, "INBOX", "a/ü", "b")
	x.must("unsubscribing", s.Subscribe(x.Context(), "b", false))
	x.must("unsubscribing again", s.Subscribe(x.Context(), "b", false))
	x.wantSubscribed("after unsubscribing b", s, "INBOX", "a/ü")
	if again, ok := x.open(x.kit.Users[0]).(mailparts.Subscriber); ok {
		x.wantSubscribed("another Open", again, "INBOX", "a/ü")
	}
	if second, ok := x.open(x.kit.Users[1]).(mailparts.Subscriber); ok {
		x.wantSubscribed("another user", second)
	}
}

func subscriberNoMailbox(x *trial) {
	s := optional[mailparts.Subscriber](x, x.store)
	x.mustDo("Subscribe", s.Subscribe(x.Context(), "not/there", true))
	x.wantSubscribed("a name without a mailbox", s, "not/there")
	x.wantNames("after subscribing to a name without a mailbox")
	for _, name := range oddNames() {
		err := s.Subscribe(x.Context(), name, true)
		if err != nil {
			x.wantError("Subscribe("+quoted(name)+")", err, mailparts.ErrBadName)
			continue
		}
		got, err := s.Subscribed(x.Context())
		x.must("Subscribed", err)
		if !slices.Contains(got, name) {
			x.Errorf("Subscribe(%s) took a name that Subscribed does not yield as it was given", quoted(name))
		}
		x.must("unsubscribing "+quoted(name), s.Subscribe(x.Context(), name, false))
	}
	x.wantSubscribed("after each odd name came and went", s, "not/there")
}

func subscriberLeftAlone(x *trial) {
	s := optional[mailparts.Subscriber](x, x.store)
	m := x.manager()
	x.create(m, "a", "b")
	x.mustDo("Subscribe", errors.Join(s.Subscribe(x.Context(), "a", true), s.Subscribe(x.Context(), "b", true)))
	x.must("Delete", m.Delete(x.Context(), "a"))
	x.must("Rename", m.Rename(x.Context(), "b", "c"))
	x.wantSubscribed("after Delete(a) and Rename(b, c)", s, "a", "b")
}

func subscriberOdd(x *trial) {
	s := optional[mailparts.Subscriber](x, x.store)
	var want []string
	for _, name := range oddNames() {
		err := s.Subscribe(x.Context(), name, true)
		if err == nil {
			want = append(want, name)
			continue
		}
		if errors.Is(err, errors.ErrUnsupported) {
			x.Skip("the store keeps no subscriptions")
		}
		x.wantError("Subscribe("+quoted(name)+")", err, mailparts.ErrBadName, mailparts.ErrLimit)
	}
	x.wantSubscribed("after odd names", s, slices.Sorted(slices.Values(want))...)
	for _, name := range want {
		x.must("unsubscribing "+quoted(name), s.Subscribe(x.Context(), name, false))
	}
	x.wantSubscribed("after all were taken back", s)
}
