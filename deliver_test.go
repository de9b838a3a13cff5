package mailparts_test

import (
	"context"
	"encoding/json"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
)

func TestReceipts(t *testing.T) {
	to := mailparts.Rcpt{Addr: "a@b"}
	r := mailparts.Receipt{Host: "mx.example.org", Reply: "250 ok", TLS: "TLS1.3 verified"}
	d := mailparts.DelivererFunc(func(ctx context.Context, _ *mailparts.Envelope, _ io.Reader) error {
		mailparts.Report(ctx, to, r)
		return nil
	})
	var got []any
	ctx := mailparts.WithReceipts(t.Context(), func(to mailparts.Rcpt, r mailparts.Receipt) { got = append(got, to, r) })
	if err := d.Deliver(ctx, &mailparts.Envelope{}, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if want := []any{to, r}; !reflect.DeepEqual(got, want) {
		t.Errorf("reported %v, want %v", got, want)
	}
	got = nil
	inner := 0
	mailparts.Report(mailparts.WithReceipts(ctx, func(mailparts.Rcpt, mailparts.Receipt) { inner++ }), to, r)
	if inner != 1 || got != nil {
		t.Errorf("the nearest asker got %d receipts and one further out %v, want one and none", inner, got)
	}
	mailparts.Report(t.Context(), to, r) // to nobody
}

func TestClient(t *testing.T) {
	at := func(a string) mailparts.Peer {
		return mailparts.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(a), 25)}
	}
	proxy, origin := at("10.0.0.1"), at("::ffff:192.0.2.7")
	proxy.Origin = &origin
	for want, p := range map[string]mailparts.Peer{
		"192.0.2.7": proxy, "192.0.2.8": at("192.0.2.8"), "fe80::1": at("fe80::1%eth0"), "invalid IP": {},
	} {
		if got := p.Client().String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestMayRelay(t *testing.T) {
	for _, c := range []struct {
		what string
		peer *mailparts.Peer
		want bool
	}{
		{"made here", nil, true},
		{"a stranger's", &mailparts.Peer{Hello: "localhost", Addr: netip.MustParseAddrPort("127.0.0.1:25")}, false},
		{"a user's", &mailparts.Peer{User: "alice"}, true},
		{"a trusted host's", &mailparts.Peer{Trusted: true}, true},
	} {
		if got := (&mailparts.Envelope{Peer: c.peer}).MayRelay(); got != c.want {
			t.Errorf("%s mail may be relayed: %t, want %t", c.what, got, c.want)
		}
	}
}

// TestEnvelopeSurvivesJSON: a queue writes it and reads it again.
func TestEnvelopeSurvivesJSON(t *testing.T) {
	auth := mailparts.Address("auth@example.org")
	env := mailparts.Envelope{
		ID: "1", From: `"a b"@bücher.example`,
		To: []mailparts.Rcpt{
			{Addr: "c@d", Notify: mailparts.NotifySuccess | mailparts.NotifyDelay, ORcpt: "rfc822;e@f", Since: time.Unix(1e9, 0).UTC()},
			{Addr: "postmaster"},
		},
		Size: 1 << 40, Body: "8BITMIME", UTF8: true, RequireTLS: true, Ret: "HDRS", EnvID: "id+20", AuthSender: &auth, Priority: -9,
		Hold: time.Unix(2e9, 5).UTC(), By: mailparts.Deadline{Time: time.Unix(2e9, 0).UTC(), Return: true, Trace: true},
		Peer: &mailparts.Peer{
			Protocol: "ESMTPSA", Addr: netip.MustParseAddrPort("[2001:db8::1]:25"), Local: netip.MustParseAddrPort("192.0.2.1:587"),
			Hello: "client.example", User: "alice", Trusted: true,
		},
		Attrs: map[string]string{"tenant": "7"},
	}
	for _, want := range []mailparts.Envelope{env, {}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got mailparts.Envelope
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v", want, got)
		}
	}
}
