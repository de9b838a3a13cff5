package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
	"github.com/mailparts/mailparts/mailtest"
)

const zone = `
	example.org      300 MX    10 MX1.Example.ORG
	example.org      300 MX    20 mx2.example.org
	example.org          TXT   "v=spf1 mx -all" "and more"
	mx1.example.org   60 A     192.0.2.1
	mx1.example.org   60 AAAA  2001:db8::1
	192.0.2.1            PTR   mx1.example.org
	www.example.org   30 CNAME alias.example.org
	alias.example.org 90 CNAME mx1.example.org
	dangling.example.org CNAME gone.example.org
	_25._tcp.mx1.example.org TLSA 3 1 1 00ff
	bücher.example       A     192.0.2.9
	none.example         MX    0 .
	bad.example          SERVFAIL
	signed.example       SECURE
	mx.signed.example    A     192.0.2.8
	www.signed.example   CNAME mx1.example.org
`

func TestLookup(t *testing.T) {
	c := &dns.Client{Servers: []string{mailtest.NewDNS(zone).Serve(t)}}
	addr := func(ttl time.Duration, s string) mailparts.Record {
		return mailparts.Record{TTL: ttl, Addr: netip.MustParseAddr(s)}
	}
	const minute = time.Minute
	for _, tc := range []struct {
		name string
		typ  mailparts.RRType
		want []mailparts.Record
		err  error
	}{
		{name: "EXAMPLE.org.", typ: mailparts.TypeMX, want: []mailparts.Record{
			{TTL: 5 * minute, Name: "mx1.example.org", Preference: 10}, {TTL: 5 * minute, Name: "mx2.example.org", Preference: 20}}},
		{name: "example.org", typ: mailparts.TypeTXT, want: []mailparts.Record{{Text: []string{"v=spf1 mx -all", "and more"}}}},
		{name: "mx1.example.org", typ: mailparts.TypeA, want: []mailparts.Record{addr(minute, "192.0.2.1")}},
		{name: "mx1.example.org", typ: mailparts.TypeAAAA, want: []mailparts.Record{addr(minute, "2001:db8::1")}},
		{name: "1.2.0.192.in-addr.arpa", typ: mailparts.TypePTR, want: []mailparts.Record{{Name: "mx1.example.org"}}},
		{name: "_25._tcp.mx1.example.org", typ: mailparts.TypeTLSA, want: []mailparts.Record{{Data: []byte{3, 1, 1, 0, 0xff}}}},
		{name: "none.example", typ: mailparts.TypeMX, want: []mailparts.Record{{}}},
		// Along aliases the smallest TTL counts.
		{name: "www.example.org", typ: mailparts.TypeA, want: []mailparts.Record{addr(minute/2, "192.0.2.1")}},
		{name: "www.example.org", typ: mailparts.TypeCNAME, want: []mailparts.Record{{TTL: minute / 2, Name: "alias.example.org"}}},
		{name: "bücher.example", typ: mailparts.TypeA, want: []mailparts.Record{addr(0, "192.0.2.9")}},
		{name: "BÜCHER。example", typ: mailparts.TypeA, want: []mailparts.Record{addr(0, "192.0.2.9")}},

		{name: "gone.example.org", typ: mailparts.TypeA, err: mailparts.ErrNoDomain},
		{name: "dangling.example.org", typ: mailparts.TypeA, err: mailparts.ErrNoDomain},
		{name: "example.org", typ: mailparts.TypeA, err: mailparts.ErrNoRecords},
		{name: "www.example.org", typ: mailparts.TypeMX, err: mailparts.ErrNoRecords},
	} {
		ans, err := c.Lookup(t.Context(), tc.name, tc.typ)
		if !reflect.DeepEqual(ans.Records, tc.want) || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
			t.Errorf("Lookup(%s, %d) = %v, %v; want %v, %v", tc.name, tc.typ, ans.Records, err, tc.want, tc.err)
		}
	}
}

// lasting reports whether err is the DNS's own word.
func lasting(err error) bool {
	return errors.Is(err, mailparts.ErrNoDomain) || errors.Is(err, mailparts.ErrNoRecords)
}

func TestServFailIsTemporary(t *testing.T) {
	d := mailtest.NewDNS(zone)
	c := &dns.Client{Servers: []string{d.Serve(t)}, Attempts: 3}
	_, err := c.Lookup(t.Context(), "bad.example", mailparts.TypeMX)
	if err == nil || lasting(err) || !strings.Contains(err.Error(), `MX of "bad.example"`) || !strings.Contains(err.Error(), "ServerFailure") {
		t.Errorf("Lookup = %v", err)
	}
	if n := d.Count("bad.example", mailparts.TypeMX); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

func TestNextServer(t *testing.T) {
	bad := mailtest.NewDNS("example.org SERVFAIL")
	good := mailtest.NewDNS(zone)
	c := &dns.Client{Servers: []string{bad.Serve(t), good.Serve(t)}}
	ans, err := c.Lookup(t.Context(), "example.org", mailparts.TypeMX)
	if err != nil || len(ans.Records) != 2 {
		t.Fatalf("Lookup = %v, %v", ans, err)
	}
	if n, m := bad.Count("example.org", mailparts.TypeMX), good.Count("example.org", mailparts.TypeMX); n != 1 || m != 1 {
		t.Errorf("the first was asked %d times, the second %d times", n, m)
	}
	// The first server's word counts, also when it is no.
	if _, err := c.Lookup(t.Context(), "mx1.example.org", mailparts.TypeA); !errors.Is(err, mailparts.ErrNoDomain) {
		t.Errorf("NXDOMAIN of the first server: %v", err)
	}
}

func TestAuthenticated(t *testing.T) {
	c := &dns.Client{Servers: []string{mailtest.NewDNS(zone).Serve(t)}}
	for name, want := range map[string]bool{
		"mx.signed.example":  true,
		"www.signed.example": false, // leads out of it
		"mx1.example.org":    false,
	} {
		ans, err := c.Lookup(t.Context(), name, mailparts.TypeA)
		if err != nil || ans.Authenticated != want {
			t.Errorf("Lookup(%s): Authenticated %v, %v; want %v", name, ans.Authenticated, err, want)
		}
	}
}

func TestTruncatedGoesByTCP(t *testing.T) {
	d := new(mailtest.DNS)
	for i := range 200 {
		d.Add(fmt.Sprintf("example.org MX %d a-rather-long-name-%d.example.org", i, i))
	}
	var networks []string
	c := &dns.Client{Servers: []string{d.Serve(t)}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		networks = append(networks, network)
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}
	ans, err := c.Lookup(t.Context(), "example.org", mailparts.TypeMX)
	if err != nil || len(ans.Records) != 200 || fmt.Sprint(networks) != "[udp tcp]" {
		t.Errorf("%d records over %v, %v", len(ans.Records), networks, err)
	}
}

// No server is asked for a name that the DNS cannot hold, and no retry helps it.
func TestImpossibleNames(t *testing.T) {
	c := &dns.Client{Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a server was asked")
		return nil, os.ErrInvalid
	}}
	for _, name := range []string{
		"", ".", "..", "a..example", ".example.org", "192.0.2.1", "192.0.2.1.", "[192.0.2.1]", "2001:db8::1",
		strings.Repeat("a", 64) + ".example", strings.Repeat("abcdefg.", 40) + "org", "a b.example", "a\r\nb.example", "a\x00.example",
		"\xff.example", "xn--\u0301.example", strings.Repeat("ü", 63) + ".example", "a\u200db.example",
	} {
		if _, err := c.Lookup(t.Context(), name, mailparts.TypeA); !errors.Is(err, mailparts.ErrNoDomain) {
			t.Errorf("Lookup(%q) = %v", name, err)
		}
	}
}

func TestResolvConf(t *testing.T) {
	var dialed []string
	errDial := errors.New("not here")
	path := filepath.Join(t.TempDir(), "resolv.conf")
	c := &dns.Client{ResolvConf: path, Attempts: 1, Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		dialed = append(dialed, addr)
		return nil, errDial
	}}
	asked := func() string {
		dialed = nil
		if _, err := c.Lookup(t.Context(), "example.org", mailparts.TypeMX); !errors.Is(err, errDial) {
			t.Errorf("Lookup = %v", err)
		}
		return strings.Join(dialed, " ")
	}
	write := func(s string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, want string) {
		t.Helper()
		if got := asked(); got != want {
			t.Errorf("%s: asked %q, want %q", what, got, want)
		}
	}
	check("no file", "127.0.0.1:53 [::1]:53")
	write("# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\n\tnameserver 2001:db8::1 # ours\nnameserver\nnameserver ns.example.org\noptions timeout:1\n", time.Hour)
	check("two", "192.0.2.1:53 [2001:db8::1]:53")
	write("nameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\nnameserver 192.0.2.5\n", time.Minute)
	check("changed, and three at most", "192.0.2.2:53 192.0.2.3:53 192.0.2.4:53")
	write("nameserver 192.0.2.6\n", 0)
	check("changed just now", "192.0.2.6:53")
	write("nameserver 192.0.2.7\n", 0)
	check("changed again, in the same moment and to the same size", "192.0.2.7:53")
	os.Remove(path)
	check("gone", "192.0.2.7:53")

	c.Servers = []string{"192.0.2.1", "192.0.2.2:5353", "2001:db8::1", "[2001:db8::2]:5353", "ns.example.org"}
	check("given", "192.0.2.1:53 192.0.2.2:5353 [2001:db8::1]:53 [2001:db8::2]:5353 ns.example.org:53")
}

func TestManyAtOnce(t *testing.T) {
	c := &dns.Client{Servers: []string{mailtest.NewDNS(zone).Serve(t)}}
	errs := make(chan error)
	for range 50 {
		go func() {
			_, err := c.Lookup(t.Context(), "www.example.org", mailparts.TypeA)
			errs <- err
		}()
	}
	for range 50 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func ExampleClient() {
	// A name server for the example; the zero Client asks those of this machine.
	addr, stop, err := mailtest.NewDNS("example.org MX 10 mx.example.org").Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()

	resolver := &dns.Client{Servers: []string{addr}}
	mxs, err := mailparts.LookupMX(context.Background(), resolver, "example.org")
	fmt.Println(mxs, err)
	_, err = mailparts.LookupMX(context.Background(), resolver, "example.net")
	fmt.Println(errors.Is(err, mailparts.ErrNoDomain))
	// Output:
	// [{mx.example.org 10}] <nil>
	// true
}
