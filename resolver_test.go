package mailparts_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/mailparts/mailparts"
)

// table is a Resolver of fixed answers. What it has no answer for does not exist.
type table map[question]result

type question struct {
	name string
	typ  mailparts.RRType
}

type result struct {
	records []mailparts.Record
	err     error
}

func (t table) Lookup(_ context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	r, ok := t[question{name, typ}]
	if !ok {
		return mailparts.Answer{}, mailparts.ErrNoDomain
	}
	return mailparts.Answer{Records: r.records}, r.err
}

var errServFail = errors.New("server failure")

func mxRecords(mxs ...mailparts.MX) result {
	var r result
	for _, mx := range mxs {
		r.records = append(r.records, mailparts.Record{Name: mx.Host, Preference: mx.Preference})
	}
	return r
}

func addrRecords(addrs ...string) result {
	var r result
	for _, a := range addrs {
		r.records = append(r.records, mailparts.Record{Addr: netip.MustParseAddr(a)})
	}
	return r
}

func TestLookupMX(t *testing.T) {
	for _, c := range []struct {
		what  string
		reply result
		want  []mailparts.MX
		err   error
	}{
		{what: "by preference",
			reply: mxRecords(mailparts.MX{Host: "c", Preference: 30}, mailparts.MX{Host: "a", Preference: 10}, mailparts.MX{Host: "b", Preference: 20}),
			want:  []mailparts.MX{{Host: "a", Preference: 10}, {Host: "b", Preference: 20}, {Host: "c", Preference: 30}}},
		{what: "no MX: the domain itself", reply: result{err: mailparts.ErrNoRecords},
			want: []mailparts.MX{{Host: "example.org"}}},
		{what: "null MX", reply: mxRecords(mailparts.MX{}), err: mailparts.ErrNullMX},
		{what: "a null MX beside others says nothing", reply: mxRecords(mailparts.MX{}, mailparts.MX{Host: "a", Preference: 10}),
			want: []mailparts.MX{{Host: "a", Preference: 10}}},
		{what: "no domain", reply: result{err: mailparts.ErrNoDomain}, err: mailparts.ErrNoDomain},
		{what: "nobody could tell", reply: result{err: errServFail}, err: errServFail},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := table{{"example.org", mailparts.TypeMX}: c.reply}
			got, err := mailparts.LookupMX(t.Context(), r, "example.org")
			if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("LookupMX = %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

// RFC 5321 section 5.1: equals MUST be randomised, and only equals.
func TestLookupMXShufflesEquals(t *testing.T) {
	r := table{{"example.org", mailparts.TypeMX}: mxRecords(
		mailparts.MX{Host: "last", Preference: 20}, mailparts.MX{Host: "a", Preference: 10}, mailparts.MX{Host: "b", Preference: 10})}
	first := map[string]bool{}
	for range 100 { // one order a hundred times: once in 2^99
		mxs, err := mailparts.LookupMX(t.Context(), r, "example.org")
		if err != nil || len(mxs) != 3 || mxs[2].Host != "last" {
			t.Fatalf("LookupMX = %v, %v", mxs, err)
		}
		first[mxs[0].Host] = true
	}
	if !first["a"] || !first["b"] {
		t.Errorf("always the same order of equals: first were %v", first)
	}
}

func TestLookupAddrs(t *testing.T) {
	noDomain, noRecords := result{err: mailparts.ErrNoDomain}, result{err: mailparts.ErrNoRecords}
	failed := result{err: errServFail}
	for _, c := range []struct {
		what    string
		aaaa, a result
		want    []string
		err     error
	}{
		{what: "IPv6 first", aaaa: addrRecords("2001:db8::1", "2001:db8::2"), a: addrRecords("192.0.2.1"),
			want: []string{"2001:db8::1", "2001:db8::2", "192.0.2.1"}},
		{what: "IPv4 only", aaaa: noRecords, a: addrRecords("192.0.2.1"), want: []string{"192.0.2.1"}},
		{what: "IPv6 failed, IPv4 had", aaaa: failed, a: addrRecords("192.0.2.1"), want: []string{"192.0.2.1"}},
		{what: "IPv6 had, IPv4 failed", aaaa: addrRecords("2001:db8::1"), a: failed, want: []string{"2001:db8::1"}},
		{what: "none of both", aaaa: noRecords, a: noRecords, err: mailparts.ErrNoRecords},
		{what: "no such name", aaaa: noDomain, a: noDomain, err: mailparts.ErrNoDomain},
		{what: "one failed: not lasting", aaaa: failed, a: noRecords, err: errServFail},
		{what: "the other failed: not lasting", aaaa: noDomain, a: failed, err: errServFail},
		{what: "an answer of nothing", err: mailparts.ErrNoRecords},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := table{{"mx.example.org", mailparts.TypeAAAA}: c.aaaa, {"mx.example.org", mailparts.TypeA}: c.a}
			addrs, err := mailparts.LookupAddrs(t.Context(), r, "mx.example.org")
			var got []string
			for _, a := range addrs {
				got = append(got, a.String())
			}
			if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("LookupAddrs = %v, %v; want %v, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestLookupPTR(t *testing.T) {
	r := table{
		{"1.2.0.192.in-addr.arpa", mailparts.TypePTR}: {records: []mailparts.Record{{Name: "mx.example.org"}, {Name: "www.example.org"}}},
		{"2.2.0.192.in-addr.arpa", mailparts.TypePTR}: {err: mailparts.ErrNoRecords},
	}
	for _, c := range []struct {
		addr string
		want []string
		err  error
	}{
		{addr: "192.0.2.1", want: []string{"mx.example.org", "www.example.org"}},
		{addr: "::ffff:192.0.2.1", want: []string{"mx.example.org", "www.example.org"}},
		{addr: "192.0.2.2", err: mailparts.ErrNoRecords},
		{addr: "192.0.2.3", err: mailparts.ErrNoDomain},
	} {
		got, err := mailparts.LookupPTR(t.Context(), r, netip.MustParseAddr(c.addr))
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("LookupPTR(%s) = %v, %v; want %v, %v", c.addr, got, err, c.want, c.err)
		}
	}
}

func TestReverseName(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":        "1.2.0.192.in-addr.arpa",
		"255.0.10.200":     "200.10.0.255.in-addr.arpa",
		"::ffff:192.0.2.1": "1.2.0.192.in-addr.arpa",
		// the example of RFC 3596 section 2.5
		"4321:0:1:2:3:4:567:89ab": "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
	} {
		if got := mailparts.ReverseName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("ReverseName(%s) = %s, want %s", addr, got, want)
		}
	}
}
