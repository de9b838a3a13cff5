package mailtest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
)

const dnsZone = `
	example.org      300 MX    20 mx2.example.org.
	Example.ORG.         MX    10 MX1.example.org   ; as written anywhere
	example.org          TXT   "v=spf1 mx; -all" "second \"string\""
	note.example.org     TXT   one string; and a comment
	mx1.example.org      A     192.0.2.1
	mx1.example.org      AAAA  2001:db8::1
	192.0.2.1            PTR   mx1.example.org
	2001:db8::1          PTR   mx1.example.org
	www.example.org      CNAME alias.example.org
	alias.example.org    CNAME mx1.example.org
	dangling.example.org CNAME gone.example.org
	loop.example.org     CNAME loop.example.org
	_25._tcp.mx1.example.org TLSA 3 1 1 00ff
	bücher.example       A     192.0.2.9
	none.example         MX    0 .
	bad.example          SERVFAIL
	half.example         A     192.0.2.7
	half.example         AAAA  SERVFAIL
	slow.example         TIMEOUT
	signed.example       SECURE
	mx.signed.example    A     192.0.2.8
	www.signed.example   CNAME mx1.example.org
`

func TestDNSLookup(t *testing.T) {
	d := mailtest.NewDNS(dnsZone)
	addr := func(s string) mailparts.Record { return mailparts.Record{Addr: netip.MustParseAddr(s)} }
	for _, c := range []struct {
		name string
		typ  mailparts.RRType
		want []mailparts.Record
		err  error
	}{
		{name: "EXAMPLE.org.", typ: mailparts.TypeMX, want: []mailparts.Record{
			{TTL: 300 * time.Second, Name: "mx2.example.org", Preference: 20}, {Name: "mx1.example.org", Preference: 10}}},
		{name: "example.org", typ: mailparts.TypeTXT, want: []mailparts.Record{{Text: []string{"v=spf1 mx; -all", `second "string"`}}}},
		{name: "note.example.org", typ: mailparts.TypeTXT, want: []mailparts.Record{{Text: []string{"one string"}}}},
		{name: "mx1.example.org", typ: mailparts.TypeA, want: []mailparts.Record{addr("192.0.2.1")}},
		{name: "mx1.example.org", typ: mailparts.TypeAAAA, want: []mailparts.Record{addr("2001:db8::1")}},
		{name: mailparts.ReverseName(netip.MustParseAddr("2001:db8::1")), typ: mailparts.TypePTR, want: []mailparts.Record{{Name: "mx1.example.org"}}},
		{name: "www.example.org", typ: mailparts.TypeA, want: []mailparts.Record{addr("192.0.2.1")}},
		{name: "www.example.org", typ: mailparts.TypeCNAME, want: []mailparts.Record{{Name: "alias.example.org"}}},
		{name: "_25._tcp.mx1.example.org", typ: mailparts.TypeTLSA, want: []mailparts.Record{{Data: []byte{3, 1, 1, 0, 0xff}}}},
		{name: "BÜCHER.example", typ: mailparts.TypeA, want: []mailparts.Record{addr("192.0.2.9")}},
		{name: "xn--bcher-kva.example", typ: mailparts.TypeA, want: []mailparts.Record{addr("192.0.2.9")}},
		{name: "none.example", typ: mailparts.TypeMX, want: []mailparts.Record{{}}},
		{name: "half.example", typ: mailparts.TypeA, want: []mailparts.Record{addr("192.0.2.7")}},

		{name: "mx2.example.org", typ: mailparts.TypeA, err: mailparts.ErrNoDomain},
		{name: "dangling.example.org", typ: mailparts.TypeA, err: mailparts.ErrNoDomain},
		{name: "example.org", typ: mailparts.TypeA, err: mailparts.ErrNoRecords},
		{name: "www.example.org", typ: mailparts.TypeMX, err: mailparts.ErrNoRecords},
		{name: "_tcp.mx1.example.org", typ: mailparts.TypeA, err: mailparts.ErrNoRecords}, // a name below it exists
	} {
		ans, err := d.Lookup(t.Context(), c.name, c.typ)
		if !slices.EqualFunc(ans.Records, c.want, sameRecord) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("Lookup(%s, %d) = %v, %v; want %v, %v", c.name, c.typ, ans.Records, err, c.want, c.err)
		}
	}
}

func sameRecord(a, b mailparts.Record) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

// A failure is neither of the lasting answers.
func TestDNSFailures(t *testing.T) {
	d := mailtest.NewDNS(dnsZone)
	for name, typ := range map[string]mailparts.RRType{
		"bad.example":      mailparts.TypeMX,
		"half.example":     mailparts.TypeAAAA,
		"loop.example.org": mailparts.TypeA,
	} {
		_, err := d.Lookup(t.Context(), name, typ)
		if err == nil || errors.Is(err, mailparts.ErrNoDomain) || errors.Is(err, mailparts.ErrNoRecords) {
			t.Errorf("Lookup(%s) = %v, want a failure", name, err)
		}
	}
}

func TestDNSTimeout(t *testing.T) {
	d := mailtest.NewDNS("slow.example TIMEOUT")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if _, err := d.Lookup(t.Context(), "slow.example", mailparts.TypeA); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Lookup = %v", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("gave up after %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Lookup(ctx, "slow.example", mailparts.TypeA); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Lookup with a deadline = %v", err)
		}
	})
}

func TestDNSSecure(t *testing.T) {
	d := mailtest.NewDNS(dnsZone)
	for name, want := range map[string]bool{
		"mx.signed.example":  true,
		"www.signed.example": false, // ends in a name that is not
		"mx1.example.org":    false,
	} {
		ans, err := d.Lookup(t.Context(), name, mailparts.TypeA)
		if err != nil || ans.Authenticated != want {
			t.Errorf("Lookup(%s): Authenticated %v, %v; want %v", name, ans.Authenticated, err, want)
		}
	}
}

func TestDNSChangesAndCounts(t *testing.T) {
	var d mailtest.DNS
	lookup := func() error {
		_, err := mailparts.LookupPTR(t.Context(), &d, netip.MustParseAddr("192.0.2.1"))
		return err
	}
	if err := lookup(); !errors.Is(err, mailparts.ErrNoDomain) {
		t.Errorf("empty: %v", err)
	}
	d.Add("192.0.2.1 PTR mx.example.org")
	if err := lookup(); err != nil {
		t.Errorf("after Add: %v", err)
	}
	d.Remove("192.0.2.1")
	if err := lookup(); !errors.Is(err, mailparts.ErrNoDomain) {
		t.Errorf("after Remove: %v", err)
	}
	if n := d.Count("192.0.2.1", mailparts.TypePTR); n != 3 {
		t.Errorf("Count = %d, want 3", n)
	}
	if n := d.Count("192.0.2.1", mailparts.TypeA); n != 0 {
		t.Errorf("Count of another type = %d", n)
	}
}

func TestDNSBadLines(t *testing.T) {
	for _, line := range []string{
		"example.org", "example.org 300", "example.org WKS 1", "example.org A", "example.org A mx", "example.org A ::1",
		"example.org AAAA 192.0.2.1", "example.org MX mx.example.org", "example.org MX 70000 mx.example.org", "example.org MX 10",
		`example.org TXT "open`, `example.org TXT "a" b`, "example.org TLSA 3 1 1", "example.org TLSA 3 1 1 xyz", "example.org TLSA 3 1 256 00",
		"a..example A 192.0.2.1", strings.Repeat("a", 64) + ".example A 192.0.2.1", "example.org MX 10 " + strings.Repeat("abcdefg.", 40) + "org",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", line)
				}
			}()
			mailtest.NewDNS(line)
		}()
	}
}

// The server is asked by a client that is not ours: the standard library's.
func TestDNSServer(t *testing.T) {
	d := mailtest.NewDNS(dnsZone)
	server := d.Serve(t)
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	ctx := t.Context()

	mxs, err := r.LookupMX(ctx, "example.org.")
	if err != nil || len(mxs) != 2 || mxs[0].Host != "mx1.example.org." || mxs[1].Pref != 20 {
		t.Errorf("LookupMX = %v, %v", mxs, err)
	}
	addrs, err := r.LookupHost(ctx, "www.example.org.")
	slices.Sort(addrs)
	if err != nil || !slices.Equal(addrs, []string{"192.0.2.1", "2001:db8::1"}) {
		t.Errorf("LookupHost = %v, %v", addrs, err)
	}
	txt, err := r.LookupTXT(ctx, "example.org.")
	if err != nil || !slices.Equal(txt, []string{`v=spf1 mx; -allsecond "string"`}) {
		t.Errorf("LookupTXT = %q, %v", txt, err)
	}
	names, err := r.LookupAddr(ctx, "2001:db8::1")
	if err != nil || !slices.Equal(names, []string{"mx1.example.org."}) {
		t.Errorf("LookupAddr = %v, %v", names, err)
	}

	var dnsErr *net.DNSError
	if _, err := r.LookupHost(ctx, "gone.example.org."); !errors.As(err, &dnsErr) || !dnsErr.IsNotFound {
		t.Errorf("a name that does not exist: %v", err)
	}
	if _, err := r.LookupMX(ctx, "bad.example."); !errors.As(err, &dnsErr) || !dnsErr.IsTemporary || dnsErr.IsNotFound {
		t.Errorf("SERVFAIL: %v", err)
	}
	if n := d.Count("example.org", mailparts.TypeMX); n != 1 {
		t.Errorf("Count = %d", n)
	}
}

// A long answer comes truncated over UDP and whole over TCP.
func TestDNSServerTruncates(t *testing.T) {
	d := new(mailtest.DNS)
	for i := range 100 {
		d.Add(fmt.Sprintf("example.org MX %d a-rather-long-name-%d.example.org", i, i))
	}
	server := d.Serve(t)
	var networks []string
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		networks = append(networks, network)
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
	mxs, err := r.LookupMX(t.Context(), "example.org.")
	if err != nil || len(mxs) != 100 || !slices.Equal(networks, []string{"udp", "tcp"}) {
		t.Errorf("%d records by %v, %v", len(mxs), networks, err)
	}
}

func TestDNSServerStops(t *testing.T) {
	addr, stop, err := mailtest.NewDNS(dnsZone).Start()
	if err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	stop()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("still listening")
	}
	idle.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := idle.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) || err == nil {
		t.Errorf("the idle connection: %v", err)
	}
}

func ExampleDNS() {
	dns := mailtest.NewDNS(
		"example.org      MX 10 mx.example.org",
		"mx.example.org   A  192.0.2.1",
		"broken.example   SERVFAIL",
	)
	ctx := context.Background()
	mxs, err := mailparts.LookupMX(ctx, dns, "example.org")
	fmt.Println(mxs, err)
	_, err = mailparts.LookupMX(ctx, dns, "gone.example")
	fmt.Println(errors.Is(err, mailparts.ErrNoDomain))
	_, err = mailparts.LookupMX(ctx, dns, "broken.example")
	fmt.Println(err != nil, errors.Is(err, mailparts.ErrNoDomain))
	// Output:
	// [{mx.example.org 10}] <nil>
	// true
	// true false
}
