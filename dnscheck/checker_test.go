package dnscheck_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/dnscheck"
	"github.com/mailparts/mailparts/mailtest"
)

// servers are the SMTP servers of a test: what each says at its address, and
// nothing more. "silent" accepts and waits; an address without a server refuses
// connections; "lost" never answers.
type servers map[string]string

func (s servers) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, _ := net.SplitHostPort(addr)
	greeting, ok := s[host]
	switch {
	case network != "tcp" || port != "25":
		return nil, fmt.Errorf("dial of %s %s", network, addr)
	case greeting == "lost":
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	case !ok:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		if greeting == "silent" {
			io.Copy(io.Discard, theirs)
			return
		}
		if _, err := io.WriteString(theirs, greeting); err != nil {
			return
		}
		if line, _ := bufio.NewReader(theirs).ReadString('\n'); line == "QUIT\r\n" {
			io.WriteString(theirs, "221 bye\r\n")
		}
	}()
	return ours, nil
}

const cleanZone = `
	example.org     MX    10 mx.example.org
	mx.example.org  A     192.0.2.1
	mx.example.org  AAAA  2001:db8::1
	192.0.2.1       PTR   mx.example.org
	2001:db8::1     PTR   mx.example.org
`

var cleanServers = servers{
	"192.0.2.1":   "220 mx.example.org ESMTP\r\n",
	"2001:db8::1": "220 mx.example.org ESMTP\r\n",
}

func TestCheck(t *testing.T) {
	one := func(greeting string) servers { return servers{"192.0.2.1": greeting} }
	const mx = "example.org MX 10 mx.example.org\nmx.example.org A 192.0.2.1\n"
	const ptr = "192.0.2.1 PTR mx.example.org\n"
	const good = "220 mx.example.org\r\n"
	for _, c := range []struct {
		what    string
		zone    string
		servers servers
		private bool
		want    []string // "code host addr"
	}{
		{what: "clean", zone: cleanZone, servers: cleanServers},
		{what: "no such domain", zone: "example.com A 192.0.2.1", want: []string{"no-domain"}},
		{what: "null MX", zone: "example.org MX 0 .", want: []string{"null-mx"}},
		{what: "null MX beside another", zone: mx + ptr + "example.org MX 0 .", servers: one(good), want: []string{"null-mx-beside"}},
		{what: "no MX", zone: "example.org A 192.0.2.1\n192.0.2.1 PTR example.org", servers: one("220 example.org\r\n"), want: []string{"no-mx"}},
		{what: "no MX, and an alias, as it may be", zone: "example.org CNAME www.example.org\nwww.example.org A 192.0.2.1\n192.0.2.1 PTR www.example.org",
			servers: one("220 example.org\r\n"), want: []string{"no-mx"}},
		{what: "no MX and no address", zone: "example.org TXT nothing", want: []string{"no-mx", "mx-no-address example.org"}},
		{what: "the MX lookup fails", zone: "example.org SERVFAIL", want: []string{"lookup-failed"}},
		{what: "MX is an alias", zone: "example.org MX 10 mail.example.org\nmail.example.org CNAME mx.example.org\nmx.example.org A 192.0.2.1\n" + ptr,
			servers: one(good), want: []string{"mx-alias mail.example.org"}},
		{what: "MX is an address", zone: "example.org MX 10 192.0.2.1", servers: one(good), want: []string{"mx-literal 192.0.2.1"}},
		{what: "MX does not exist", zone: "example.org MX 10 gone.example.org", want: []string{"mx-no-address gone.example.org"}},
		{what: "MX has no address", zone: "example.org MX 10 mx.example.org\nmx.example.org TXT x", want: []string{"mx-no-address mx.example.org"}},
		{what: "the address lookup fails", zone: "example.org MX 10 mx.example.org\nmx.example.org SERVFAIL", want: []string{"lookup-failed mx.example.org"}},
		{what: "private addresses are not knocked at", zone: `
			example.org MX 10 mx.example.org
			mx.example.org A 127.0.0.1
			mx.example.org A 10.1.2.3
			mx.example.org A 100.64.0.1
			mx.example.org A 169.254.1.1
			mx.example.org A 0.0.0.0
			mx.example.org AAAA ::1
			mx.example.org AAAA fd00::1
			mx.example.org AAAA ::ffff:10.1.2.3`,
			servers: servers{"127.0.0.1": good},
			want: []string{"private-address mx.example.org ::1", "private-address mx.example.org fd00::1", "private-address mx.example.org 10.1.2.3",
				"private-address mx.example.org 127.0.0.1", "private-address mx.example.org 10.1.2.3", "private-address mx.example.org 100.64.0.1",
				"private-address mx.example.org 169.254.1.1", "private-address mx.example.org 0.0.0.0"}},
		{what: "private addresses in a closed network", zone: "example.org MX 10 mx.example.org\nmx.example.org A 127.0.0.1\n127.0.0.1 PTR mx.example.org",
			servers: servers{"127.0.0.1": good}, private: true},
		{what: "no PTR", zone: mx, servers: one(good), want: []string{"no-ptr mx.example.org 192.0.2.1"}},
		{what: "the PTR lookup fails", zone: mx + "192.0.2.1 SERVFAIL", servers: one(good), want: []string{"lookup-failed mx.example.org 192.0.2.1"}},
		{what: "PTR leads elsewhere", zone: mx + "192.0.2.1 PTR other.example.org\nother.example.org A 192.0.2.2", servers: one(good),
			want: []string{"ptr-mismatch mx.example.org 192.0.2.1"}},
		{what: "PTR leads nowhere", zone: mx + "192.0.2.1 PTR gone.example.org", servers: one(good), want: []string{"ptr-mismatch mx.example.org 192.0.2.1"}},
		{what: "nobody can tell where PTR leads", zone: mx + "192.0.2.1 PTR bad.example.org\nbad.example.org SERVFAIL", servers: one(good),
			want: []string{"lookup-failed mx.example.org 192.0.2.1"}},
		{what: "one of the PTRs leads back", zone: mx + "192.0.2.1 PTR gone.example.org\n" + ptr, servers: one(good)},
		{what: "no server", zone: mx + ptr, want: []string{"unreachable mx.example.org 192.0.2.1"}},
		{what: "no answer to the connection", zone: mx + ptr, servers: one("lost"), want: []string{"timeout mx.example.org 192.0.2.1"}},
		{what: "no greeting", zone: mx + ptr, servers: one("silent"), want: []string{"timeout mx.example.org 192.0.2.1"}},
		{what: "half a greeting", zone: mx + ptr, servers: one("220-mx.example.org\r\n220"), want: []string{"timeout mx.example.org 192.0.2.1"}},
		{what: "many lines", zone: mx + ptr, servers: one("220-mx.example.org ESMTP\r\n220-We do not want\r\n220 spam\r\n")},
		{what: "capitals and LF", zone: mx + ptr, servers: one("220 MX.Example.ORG.\n")},
		{what: "the name of the PTR", zone: mx + "192.0.2.1 PTR host.example.net\nhost.example.net A 192.0.2.1", servers: one("220 host.example.net\r\n")},
		{what: "another name that leads to it", zone: mx + ptr + "host.example.net A 192.0.2.1", servers: one("220 host.example.net\r\n")},
		{what: "its address", zone: mx + ptr, servers: one("220 [192.0.2.1] Clueless host service ready\r\n")},
		{what: "a name that leads elsewhere", zone: mx + ptr + "host.example.net A 192.0.2.2", servers: one("220 host.example.net\r\n"),
			want: []string{"greeting-name mx.example.org 192.0.2.1"}},
		{what: "a name that does not exist", zone: mx + ptr, servers: one("220 localhost.localdomain ESMTP\r\n"), want: []string{"greeting-name mx.example.org 192.0.2.1"}},
		{what: "a name that nobody can tell of", zone: mx + ptr + "bad.example SERVFAIL", servers: one("220 bad.example\r\n"),
			want: []string{"lookup-failed mx.example.org 192.0.2.1"}},
		{what: "no name", zone: mx + ptr, servers: one("220\r\n"), want: []string{"greeting-name mx.example.org 192.0.2.1"}},
		{what: "554", zone: mx + ptr, servers: one("554 no SMTP service here\r\n"), want: []string{"not-220 mx.example.org 192.0.2.1"}},
		{what: "not SMTP", zone: mx + ptr, servers: one("SSH-2.0-OpenSSH_9.2\r\n"), want: []string{"not-220 mx.example.org 192.0.2.1"}},
		{what: "two codes", zone: mx + ptr, servers: one("220-mx.example.org\r\n250 ok\r\n"), want: []string{"not-220 mx.example.org 192.0.2.1"}},
		{what: "an endless line", zone: mx + ptr, servers: one("220 " + strings.Repeat("x", 1<<20)), want: []string{"not-220 mx.example.org 192.0.2.1"}},
		{what: "endless lines", zone: mx + ptr, servers: one(strings.Repeat("220-mx.example.org\r\n", 10000)), want: []string{"not-220 mx.example.org 192.0.2.1"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				checker := dnscheck.Checker{Resolver: mailtest.NewDNS(c.zone), Dial: c.servers.dial, Private: c.private}
				report, err := checker.Check(t.Context(), "Example.ORG.")
				if err != nil {
					t.Fatal(err)
				}
				if got := codes(report); !slices.Equal(got, c.want) {
					t.Errorf("findings %q, want %q\n%s", got, c.want, report)
				}
				for _, f := range report.Findings {
					if f.Severity == 0 || f.Text == "" || !strings.HasSuffix(f.Text, ".") || f.Reference == "" {
						t.Errorf("finding %+v", f)
					}
				}
			})
		})
	}
}

func codes(r *dnscheck.Report) []string {
	var codes []string
	for _, f := range r.Findings {
		s := string(f.Code)
		if f.Host != "" {
			s += " " + f.Host
		}
		if f.Addr.IsValid() {
			s += " " + f.Addr.String()
		}
		codes = append(codes, s)
	}
	return codes
}

// MX records come in any order and more than once; the report is the same.
func TestOrder(t *testing.T) {
	d := mailtest.NewDNS("example.org MX 20 b.example", "example.org MX 20 a.example", "example.org MX 30 c.example", "example.org MX 10 c.example")
	c := dnscheck.Checker{Resolver: d}
	report, err := c.Check(t.Context(), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, h := range report.MX {
		got = append(got, fmt.Sprint(h.Preference, " ", h.Name))
	}
	if want := []string{"10 c.example", "20 a.example", "20 b.example"}; !slices.Equal(got, want) {
		t.Errorf("hosts %v, want %v", got, want)
	}
}

// A domain with hundreds of hosts and addresses costs a bounded time, and no more
// servers are spoken to at once than allowed.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(mailtest.DNS)
		for i := range 100 {
			d.Add(fmt.Sprintf("example.org MX 10 mx%d.example", i))
			for j := range 100 {
				d.Add(fmt.Sprintf("mx%d.example A 192.0.%d.%d", i, i, j))
			}
		}
		open := make(chan struct{}, 3)
		c := dnscheck.Checker{Resolver: d, Concurrency: 3, Timeout: time.Second, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			select {
			case open <- struct{}{}:
				defer func() { <-open }()
			default:
				t.Error("more than three at once")
			}
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		start := time.Now()
		report, err := c.Check(t.Context(), "example.org")
		if err != nil {
			t.Fatal(err)
		}
		counts := map[dnscheck.Code]int{}
		for _, f := range report.Findings {
			counts[f.Code]++
		}
		want := map[dnscheck.Code]int{dnscheck.NotChecked: 1 + 16, dnscheck.NoPTR: 256, dnscheck.Timeout: 256}
		if !reflect.DeepEqual(counts, want) {
			t.Errorf("findings %v, want %v", counts, want)
		}
		if took := time.Since(start); took > 90*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := dnscheck.Checker{Resolver: mailtest.NewDNS(cleanZone), Dial: servers{"192.0.2.1": "silent", "2001:db8::1": "lost"}.dial}
		start := time.Now()
		if report, err := c.Check(ctx, "example.org"); !errors.Is(err, context.DeadlineExceeded) || report != nil {
			t.Errorf("Check = %v, %v", report, err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// What strangers wrote must not reach a terminal as it is.
func TestHostileGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dnscheck.Checker{Resolver: mailtest.NewDNS(cleanZone), Dial: servers{
			"192.0.2.1":   "220 \x1b[2J\x07mx.example.org \xff\x00\r\n",
			"2001:db8::1": "\x1b]0;evil\x07\r\n",
		}.dial}
		report, err := c.Check(t.Context(), "example.org")
		if err != nil {
			t.Fatal(err)
		}
		if s := report.String(); strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\n' || c >= 0x7f }) {
			t.Errorf("%q", s)
		}
	})
}

func TestJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dnscheck.Checker{Resolver: mailtest.NewDNS(cleanZone), Dial: servers{"192.0.2.1": "220 mx.example.org\r\n"}.dial}
		report, err := c.Check(t.Context(), "example.org")
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"domain":"example.org","mx":[{"name":"mx.example.org","preference":10,"addrs":[` +
			`{"addr":"2001:db8::1","ptr":["mx.example.org"],"confirmed":true},` +
			`{"addr":"192.0.2.1","ptr":["mx.example.org"],"confirmed":true,"greeting":"mx.example.org"}]}],` +
			`"findings":[{"severity":"error","code":"unreachable","host":"mx.example.org","addr":"2001:db8::1",` +
			`"text":"There is no connection to 2001:db8::1: dial tcp: connection refused.","reference":"RFC 5321 section 5.1"}]}`
		if string(text) != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
		var again dnscheck.Report
		if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(&again, report) {
			t.Errorf("read back: %+v, %v", again, err)
		}
		if err := json.Unmarshal([]byte(`{"severity":"dreadful"}`), new(dnscheck.Finding)); err == nil {
			t.Error("an unknown severity was read")
		}
	})
}
