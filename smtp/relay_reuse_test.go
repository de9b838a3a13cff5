package smtp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

// What Relay makes of idle connections: see TestPool for how they are kept.
func TestRelayReuse(t *testing.T) {
	const (
		one = "example.com MX 1 mx.example.com\nmx.example.com A 192.0.2.1"
		two = one + "\nexample.com MX 2 mx2.example.com\nmx2.example.com A 192.0.2.2"
	)
	com, net := policyMail("b@example.com"), policyMail("b@example.net")
	both := []mailparts.Address{"b@example.com", "b@example.com"}
	tests := []*policyTest{{
		name: "one connection for a domain's mail", zone: one, to: both,
		hosts: map[string]string{"192.0.2.1": ready() + com + com + pooledQuit},
		want:  "ok, ok", dials: []string{"192.0.2.1"},
	}, {
		name: "and for domains that share a host", zone: one + "\nexample.net MX 5 mx.example.com", to: []mailparts.Address{"b@example.com", "b@example.net"},
		hosts: map[string]string{"192.0.2.1": ready() + com + net + pooledQuit},
		want:  "ok, ok", dials: []string{"192.0.2.1"},
	}, {
		name: "not for another host at the same address", zone: one + "\nexample.net A 192.0.2.1", to: []mailparts.Address{"b@example.com", "b@example.net"},
		hosts: map[string]string{"192.0.2.1": ready() + com + pooledQuit + "---\n" + ready() + net + pooledQuit},
		want:  "ok, ok", dials: []string{"192.0.2.1", "192.0.2.1"},
	}, {
		name: "an idle connection to any of the addresses", to: both,
		zone:  "example.com MX 1 mx.example.com\nmx.example.com AAAA 2001:db8::1\nmx.example.com A 192.0.2.1",
		hosts: map[string]string{"192.0.2.1": ready() + com + com + pooledQuit},
		want:  "ok, ok", dials: []string{"2001:db8::1", "192.0.2.1"},
	}, {
		name: "not to a worse MX, where the best is up again", zone: two, to: both,
		hosts: map[string]string{"192.0.2.1": notNow + "---\n" + ready() + com + pooledQuit, "192.0.2.2": ready() + com + pooledQuit},
		want:  "ok, ok", dials: []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"},
	}, {
		name: "gone: a new one to the same host", zone: two, to: both,
		hosts: map[string]string{"192.0.2.1": ready() + com + "C: MAIL ...\n---\n" + ready() + com + pooledQuit},
		want:  "ok, ok", dials: []string{"192.0.2.1", "192.0.2.1"},
	}, {
		name: "gone in the message: to nobody else", zone: two, to: both,
		hosts: map[string]string{"192.0.2.1": ready() + com + mailDialogue + "C: hello\nC: ."},
		want:  "ok, 451 4.4.2", dials: []string{"192.0.2.1"},
	}, {
		name: "4xx over an idle connection: the next host", zone: two, to: both,
		hosts: map[string]string{
			"192.0.2.1": ready() + com + "C: MAIL ...\nS: 452 4.3.1 full\n" + pooledQuit,
			"192.0.2.2": ready() + com + pooledQuit,
		},
		want: "ok, ok", dials: []string{"192.0.2.1", "192.0.2.2"},
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func TestRelayMaxHops(t *testing.T) {
	received := func(n int) string {
		return strings.Repeat("Received: from a by client.example\r\n\twith SMTP\r\n", n)
	}
	long := "X-Long: " + strings.Repeat("Received: ", 1000) + "\r\n"
	for _, test := range []struct {
		name, msg string
		max       int
		want      string
	}{
		{"none", "Subject: hi\r\n\r\n", 0, "ok"},
		{"a hundred", received(100) + "\r\n", 0, "ok"},
		{"one more", received(101) + "\r\n", 0, "554 5.4.6"},
		{"in any case, and anywhere in the header", "Subject: hi\r\n" + long + strings.ToUpper(received(101)) + "\r\n", 0, "554 5.4.6"},
		{"the body does not count", received(100) + "\r\n" + received(5), 0, "ok"},
		{"nor other fields", received(100) + long + "Received-SPF: pass\r\nX-Received: by us\r\n\r\n", 0, "ok"},
		{"set", received(3) + "\r\n", 2, "554 5.4.6"},
		{"any number", received(1000) + "\r\n", -1, "ok"},
		{"no body", received(3), 2, "554 5.4.6"},
		{"empty", "", 0, "ok"},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInternet(t, "example.com A 192.0.2.1")
			if test.want == "ok" {
				i.host("192.0.2.1", ready()+mailDialogue+sentLines(test.msg)+"C: .\nS: 250 ok\n"+pooledQuit)
			}
			r := i.relay()
			r.MaxHops = test.max
			err := r.Deliver(t.Context(), letter("b@example.com"), text(test.msg))
			if got := codes(err, 1); got != test.want {
				t.Errorf("got %v", err)
			}
			i.wait()
		})
	}
}

// sentLines is a message as a script has it.
func sentLines(msg string) string {
	var b strings.Builder
	for l := range strings.Lines(msg) {
		fmt.Fprintln(&b, "C: "+strings.ReplaceAll(strings.TrimSuffix(l, "\r\n"), "\t", `\t`))
	}
	return b.String()
}

// The DNS of mail, beyond TestRelay's: an MX that is an alias works, though RFC
// 5321 section 5.1 does not allow it, and equals are tried in no fixed order.
func TestRelayMXAlias(t *testing.T) {
	test := &policyTest{
		zone:  "example.com MX 1 alias.example.com\nalias.example.com CNAME mx.example.com\nmx.example.com A 192.0.2.1",
		hosts: map[string]string{"192.0.2.1": ready() + pooledMail + pooledQuit},
		want:  "ok",
	}
	test.run(t)
}

func TestRelayEqualMX(t *testing.T) {
	zone := "example.com MX 20 last.example.com\nlast.example.com A 192.0.2.9\n"
	for n := range 4 {
		zone += fmt.Sprintf("example.com MX 10 mx%d.example.com\nmx%d.example.com A 192.0.2.%d\n", n, n, n)
	}
	first := map[string]bool{}
	for range 200 {
		i := newInternet(t, zone)
		i.relay().Deliver(t.Context(), letter("b@example.com"), text("hello\r\n"))
		if len(i.dials) != 5 || i.dials[4] != "192.0.2.9" {
			t.Fatalf("tried %v", i.dials)
		}
		first[i.dials[0]] = true
	}
	if len(first) != 4 { // one in 10^25 of these is chance
		t.Errorf("first is always one of %v", first)
	}
}
