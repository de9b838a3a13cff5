package dnsbl_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
	"github.com/mailparts/mailparts/filter/dnsbl"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// world has the names of RFC 5782's own examples.
const world = `
	99.2.0.192.bad.example.com A 127.0.0.2
	99.2.0.192.bad.example.com TXT "Dynamic address, see http://bad.example.com?192.0.2.99"
	b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com A 127.0.0.2
	b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com TXT "Spam received."
	invalid.edu.doms.example.net A 127.0.0.2
	invalid.edu.doms.example.net TXT "Host name used in phish"

	99.2.0.192.mask.example.com A 127.0.0.6
	99.2.0.192.multi.example.com A 127.0.1.1
	99.2.0.192.multi.example.com A 127.0.1.2
	99.2.0.192.good.example.com A 127.0.0.2
	99.2.0.192.parked.example.com A 203.0.113.1
	99.2.0.192.notice.example.com A 127.255.255.254
	99.2.0.192.one.example.com A 127.0.0.1
	99.2.0.192.alias.example.com CNAME 99.2.0.192.bad.example.com
	99.2.0.192.broken.example.com SERVFAIL
	99.2.0.192.silent.example.com TIMEOUT
	99.2.0.192.text.example.com TXT "not listed, but there are words"
	99.2.0.192.rude.example.com A 127.0.0.2
	99.2.0.192.rude.example.com TXT "one\r\n250 two\xff"
	99.2.0.192.long.example.com A 127.0.0.2
`

func newWorld() *mailtest.DNS {
	d := mailtest.NewDNS(world)
	d.Add(`99.2.0.192.long.example.com TXT "` + strings.Repeat("so long, ", 100) + `"`)
	return d
}

var listed = netip.MustParseAddr("192.0.2.99")

// code accepts one code of a list.
func code(s string) func(netip.Addr) bool {
	return func(a netip.Addr) bool { return a.String() == s }
}

func TestCheck(t *testing.T) {
	bit := func(b byte) func(netip.Addr) bool {
		return func(a netip.Addr) bool { return a.As4()[3]&b != 0 }
	}
	for _, test := range []struct {
		name   string
		lists  []dnsbl.List
		addr   string
		domain string
		score  int
		zones  string
	}{
		{"no lists", nil, "192.0.2.99", "invalid.edu", 0, ""},
		{"IPv4", []dnsbl.List{{Zone: "bad.example.com"}}, "192.0.2.99", "", 1, "bad.example.com"},
		{"IPv4 in IPv6", []dnsbl.List{{Zone: "bad.example.com."}}, "::ffff:192.0.2.99", "", 1, "bad.example.com."},
		{"not listed", []dnsbl.List{{Zone: "bad.example.com"}}, "192.0.2.98", "", 0, ""},
		{"IPv6", []dnsbl.List{{Zone: "ugly.example.com"}}, "2001:db8:1:2:3:4:567:89ab", "", 1, "ugly.example.com"},
		{"IPv6, not listed", []dnsbl.List{{Zone: "ugly.example.com"}}, "2001:db8:1:2:3:4:567:89ac", "", 0, ""},
		{"domain", []dnsbl.List{{Zone: "doms.example.net", Domains: true}}, "192.0.2.99", "invalid.edu", 1, "doms.example.net"},
		{"domain, not listed", []dnsbl.List{{Zone: "doms.example.net", Domains: true}}, "192.0.2.99", "example.edu", 0, ""},
		{"no domain", []dnsbl.List{{Zone: "doms.example.net", Domains: true}}, "192.0.2.99", "", 0, ""},
		{"address literal", []dnsbl.List{{Zone: "doms.example.net", Domains: true}}, "192.0.2.99", "[192.0.2.99]", 0, ""},
		{"alias", []dnsbl.List{{Zone: "alias.example.com"}}, "192.0.2.99", "", 1, "alias.example.com"},
		{"words without an address", []dnsbl.List{{Zone: "text.example.com"}}, "192.0.2.99", "", 0, ""},
		{"weights", []dnsbl.List{{Zone: "bad.example.com", Weight: 3}, {Zone: "mask.example.com"}, {Zone: "good.example.com", Weight: -2}}, "192.0.2.99", "", 2,
			"bad.example.com mask.example.com good.example.com"},
		{"bit masks", []dnsbl.List{{Zone: "mask.example.com", Codes: bit(1)}, {Zone: "mask.example.com", Codes: bit(2), Weight: 2}, {Zone: "mask.example.com", Codes: bit(4), Weight: 4}}, "192.0.2.99", "", 6,
			"mask.example.com mask.example.com"},
		{"several codes", []dnsbl.List{{Zone: "multi.example.com", Codes: code("127.0.1.2")}}, "192.0.2.99", "", 1, "multi.example.com"},
		{"another code", []dnsbl.List{{Zone: "multi.example.com", Codes: code("127.0.1.3")}}, "192.0.2.99", "", 0, ""},
		{"no list any more", []dnsbl.List{{Zone: "parked.example.com", Codes: func(netip.Addr) bool { return true }}}, "192.0.2.99", "", 0, ""},
		{"a notice to the name server", []dnsbl.List{{Zone: "notice.example.com"}}, "192.0.2.99", "", 0, ""},
		{"127.0.0.1", []dnsbl.List{{Zone: "one.example.com"}}, "192.0.2.99", "", 0, ""},
		{"127.0.0.1 by name", []dnsbl.List{{Zone: "one.example.com", Codes: code("127.0.0.1")}}, "192.0.2.99", "", 1, "one.example.com"},
		{"failure", []dnsbl.List{{Zone: "broken.example.com"}, {Zone: "bad.example.com"}}, "192.0.2.99", "", 1, "bad.example.com"},
		{"silence", []dnsbl.List{{Zone: "silent.example.com"}, {Zone: "bad.example.com"}}, "192.0.2.99", "", 1, "bad.example.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, start := newWorld(), time.Now()
				c := &dnsbl.Checker{Lists: test.lists, Resolver: d}
				r := c.Check(t.Context(), netip.MustParseAddr(test.addr), test.domain)
				var zones []string
				for _, l := range r.Listings {
					zones = append(zones, l.Zone)
				}
				if got := strings.Join(zones, " "); r.Score != test.score || got != test.zones {
					t.Errorf("got %d of %q, want %d of %q", r.Score, got, test.score, test.zones)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("it took %v", d)
				}
				if n := d.Count("99.2.0.192.mask.example.com", mailparts.TypeA); n > 1 {
					t.Errorf("one zone was asked %d times", n)
				}
			})
		})
	}
}

func TestReasons(t *testing.T) {
	d := newWorld()
	c := &dnsbl.Checker{Resolver: d, Reasons: true, Lists: []dnsbl.List{
		{Zone: "bad.example.com"}, {Zone: "rude.example.com"}, {Zone: "long.example.com"}, {Zone: "mask.example.com"},
		{Zone: "good.example.com", Weight: -1},
	}}
	var got []string
	for _, l := range c.Check(t.Context(), listed, "").Listings {
		got = append(got, l.Reason)
	}
	if len(got) != 5 || got[0] != "Dynamic address, see http://bad.example.com?192.0.2.99" || got[1] != "one??250 two?" ||
		len(got[2]) > 400 || !strings.HasPrefix(got[2], "so long, ") || got[3] != "" {
		t.Errorf("got %q", got)
	}
	if d.Count("99.2.0.192.good.example.com", mailparts.TypeTXT) != 0 {
		t.Error("a list that allows is asked why")
	}
	c.Reasons = false
	for _, l := range c.Check(t.Context(), listed, "").Listings {
		if l.Reason != "" {
			t.Errorf("%s: an unwanted reason", l.Zone)
		}
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := &dnsbl.Checker{Lists: []dnsbl.List{{Zone: "silent.example.com"}}, Resolver: newWorld(), Timeout: time.Second,
			Logger: slog.New(slog.NewTextHandler(&log, nil))}
		start := time.Now()
		if r := c.Check(t.Context(), listed, ""); r.Listings != nil {
			t.Errorf("got %+v", r)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("it took %v", d)
		}
		if !strings.Contains(log.String(), "99.2.0.192.silent.example.com") {
			t.Errorf("the log is %q", log.String())
		}
	})
}

// A dns.Client finds the same on the wire.
func TestWithClient(t *testing.T) {
	c := &dnsbl.Checker{Lists: []dnsbl.List{{Zone: "bad.example.com"}}, Reasons: true, Resolver: &dns.Client{Servers: []string{newWorld().Serve(t)}}}
	if r := c.Check(t.Context(), listed, ""); r.Score != 1 || r.Listings[0].Subject != "192.0.2.99" || r.Listings[0].Reason == "" {
		t.Errorf("got %+v", r)
	}
}

func TestMail(t *testing.T) {
	lists := []dnsbl.List{{Zone: "bad.example.com", Weight: 2}, {Zone: "doms.example.net", Domains: true}}
	at := func(a string) *mailparts.Peer {
		return &mailparts.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(a), 4711)}
	}
	user, trusted := at("192.0.2.99"), at("192.0.2.99")
	user.User, trusted.Trusted = "alice", true
	behind := at("10.0.0.1")
	behind.Origin = at("192.0.2.99")
	for _, test := range []struct {
		name      string
		threshold int
		peer      *mailparts.Peer
		from      mailparts.Address
		message   string // of the refusal
		score     string // of who passes
	}{
		{"nobody has it", 0, at("192.0.2.98"), "a@example.org", "", ""},
		{"address", 0, at("192.0.2.99"), "a@example.org", "192.0.2.99 is listed by bad.example.com", ""},
		{"domain", 0, at("192.0.2.98"), "a@invalid.edu", "invalid.edu is listed by doms.example.net", ""},
		{"both", 0, at("192.0.2.99"), "a@invalid.edu", "192.0.2.99 is listed by bad.example.com\ninvalid.edu is listed by doms.example.net", ""},
		{"below Threshold", 3, at("192.0.2.99"), "a@example.org", "", "2"},
		{"at Threshold", 3, at("192.0.2.99"), "a@invalid.edu", "192.0.2.99 is listed by bad.example.com\ninvalid.edu is listed by doms.example.net", ""},
		{"marked only", -1, at("192.0.2.99"), "a@invalid.edu", "", "3"},
		{"null sender", 0, at("192.0.2.98"), "", "", ""},
		{"authenticated", 0, user, "a@invalid.edu", "", ""},
		{"trusted", 0, trusted, "a@invalid.edu", "", ""},
		{"mail made here", 0, nil, "a@invalid.edu", "", ""},
		{"unix socket", 0, new(mailparts.Peer), "a@example.org", "", ""},
		{"behind a proxy", 0, behind, "a@example.org", "192.0.2.99 is listed by bad.example.com", ""},
		{"exempt", 0, at("198.51.100.1"), "a@invalid.edu", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &dnsbl.Checker{Lists: lists, Threshold: test.threshold, Resolver: newWorld(), Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}
			attrs := map[string]string{"tenant": "x"}
			env := &mailparts.Envelope{From: test.from, Peer: test.peer, Attrs: attrs}
			var got string
			if err := c.Mail(t.Context(), env); err != nil {
				e := mailparts.AsError(err)
				if e.Code != 554 || e.Status != "5.7.1" {
					t.Errorf("got %v", err)
				}
				got = e.Message
			}
			if got != test.message || env.Attrs[dnsbl.AttrScore] != test.score {
				t.Errorf("got %q and %v, want %q and a score of %q", got, env.Attrs, test.message, test.score)
			}
			if len(attrs) != 1 || env.Attrs["tenant"] != "x" {
				t.Errorf("attributes %v, were %v", env.Attrs, attrs)
			}
		})
	}
}

// The peer reads why instead of a greeting.
func TestAdmitDialogue(t *testing.T) {
	c := &dnsbl.Checker{Resolver: newWorld(), Lists: []dnsbl.List{{Zone: "bad.example.com"}}}
	s := &smtp.Server{Hostname: "mx.example.com", Admit: c.Admit, Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(nil))}
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()
	for client, want := range map[string]string{
		"192.0.2.99": "554 5.7.1 192.0.2.99 is listed by bad.example.com", "192.0.2.98": "220 mx.example.com ESMTP",
	} {
		nc, err := l.DialFrom(t.Context(), netip.MustParseAddr(client))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if got, err := textproto.NewConn(nc).ReadLine(); got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestAdmit(t *testing.T) {
	d := newWorld()
	c := &dnsbl.Checker{Lists: []dnsbl.List{{Zone: "bad.example.com"}, {Zone: "doms.example.net", Domains: true}}, Reasons: true, Resolver: d}
	peer := &mailparts.Peer{Addr: netip.AddrPortFrom(listed, 4711)}
	err := c.Admit(t.Context(), peer)
	if e := mailparts.AsError(err); e == nil || e.Code != 554 || e.Message != "192.0.2.99 is listed by bad.example.com: Dynamic address, see http://bad.example.com?192.0.2.99" {
		t.Errorf("got %v", err)
	}
	if err := c.Admit(t.Context(), &mailparts.Peer{Addr: peer.Addr, User: "alice"}); err != nil {
		t.Errorf("authenticated: %v", err)
	}
	if err := (&dnsbl.Checker{Resolver: d}).Admit(t.Context(), peer); err != nil {
		t.Errorf("no lists: %v", err)
	}
}

// The refusal of several lists is a reply of several lines that every client can
// read.
func TestDialogue(t *testing.T) {
	inbox := mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		return err
	})
	c := &dnsbl.Checker{Resolver: newWorld(), Reasons: true, Lists: []dnsbl.List{{Zone: "rude.example.com"}, {Zone: "long.example.com"}}}
	s := &smtp.Server{Hostname: "mx.example.com", Receiver: mailparts.Chain(mailparts.AsReceiver(inbox), mailparts.OnMail(c.Mail))}
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()
	nc, err := l.DialFrom(t.Context(), listed)
	if err != nil {
		t.Fatal(err)
	}
	conn := textproto.NewConn(nc)
	defer conn.Close()
	conn.ReadResponse(220)
	conn.PrintfLine("EHLO client.example.org")
	conn.ReadResponse(250)
	conn.PrintfLine("MAIL FROM:<a@example.org>")
	for _, want := range []string{
		"554-5.7.1 192.0.2.99 is listed by rude.example.com: one??250 two?", "554 5.7.1 192.0.2.99 is listed by long.example.com: so long, ",
	} {
		if got, err := conn.ReadLine(); err != nil || !strings.HasPrefix(got, want) || len(got) > 510 {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	conn.PrintfLine("NOOP")
	if got, err := conn.ReadLine(); got != "250 2.0.0 OK" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTest(t *testing.T) {
	d := mailtest.NewDNS(`
		2.0.0.127.four.example A 127.0.0.2
		2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.six.example A 127.0.0.2
		test.doms.example A 127.0.0.2
		other.empty.example A 127.0.0.2
		2.0.0.127.all.example A 127.0.0.2
		1.0.0.127.all.example A 127.0.0.2
		2.0.0.127.all6.example A 127.0.0.2
		1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.all6.example A 127.0.0.2
		test.alldoms.example A 127.0.0.2
		invalid.alldoms.example A 127.0.0.2
		2.0.0.127.parked.example A 203.0.113.1
		1.0.0.127.parked.example A 203.0.113.1
		2.0.0.127.wrong.example A 203.0.113.1
		2.0.0.127.broken.example SERVFAIL`)
	for _, test := range []struct {
		list dnsbl.List
		want string
	}{
		{dnsbl.List{Zone: "four.example"}, ""},
		{dnsbl.List{Zone: "six.example"}, ""},
		{dnsbl.List{Zone: "doms.example", Domains: true}, ""},
		{dnsbl.List{Zone: "empty.example"}, "empty.example: it has no test entry"},
		{dnsbl.List{Zone: "doms.example"}, "doms.example: it has no test entry"},
		{dnsbl.List{Zone: "four.example", Domains: true}, "four.example: it has no test entry"},
		{dnsbl.List{Zone: "all.example"}, "all.example: it lists everybody"},
		{dnsbl.List{Zone: "all6.example"}, "all6.example: it lists everybody"},
		{dnsbl.List{Zone: "alldoms.example", Domains: true}, "alldoms.example: it lists everybody"},
		{dnsbl.List{Zone: "parked.example"}, "parked.example: it lists everybody"},
		{dnsbl.List{Zone: "wrong.example"}, "wrong.example: it has no test entry"},
		{dnsbl.List{Zone: "broken.example"}, "broken.example: mailtest: DNS lookup"},
	} {
		err := (&dnsbl.Checker{Lists: []dnsbl.List{{Zone: "four.example"}, test.list}, Resolver: d}).Test(t.Context())
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", test.list.Zone, err, test.want)
		}
	}
}
