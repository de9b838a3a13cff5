package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const (
	relayedTo = mailDialogue + `
		C: hello
		C: .
		S: 250 ok
		C: QUIT
		S: 221 bye`
	notNow = "S: 421 4.3.2 later\n"
)

// relayTest is one Deliver to b@example.com, or env's.
type relayTest struct {
	name  string
	zone  string
	hosts map[string]string
	env   *mailparts.Envelope
	want  string   // codes
	dials []string // nil: not looked at
}

func TestRelay(t *testing.T) {
	const two = `
		example.com MX 20 mx2.example.com
		example.com MX 10 mx1.example.com
		mx1.example.com A 192.0.2.1
		mx2.example.com A 192.0.2.2`
	ok := ready() + relayedTo
	tests := []relayTest{{
		name: "the best MX first", zone: two,
		hosts: map[string]string{"192.0.2.1": ok},
		want:  "ok", dials: []string{"192.0.2.1"},
	}, {
		name: "the next MX if one is down", zone: two,
		hosts: map[string]string{"192.0.2.2": ok},
		want:  "ok", dials: []string{"192.0.2.1", "192.0.2.2"},
	}, {
		name: "the next MX after 4xx in the greeting", zone: two,
		hosts: map[string]string{"192.0.2.1": notNow, "192.0.2.2": ok},
		want:  "ok",
	}, {
		name: "the next MX after 5xx in the greeting", zone: two,
		hosts: map[string]string{"192.0.2.1": "S: 554 no mail here\n", "192.0.2.2": ok},
		want:  "ok",
	}, {
		name: "the next MX after 4xx to EHLO", zone: two,
		hosts: map[string]string{"192.0.2.1": "S: 220 mx\nC: EHLO client.example\nS: 451 later\nC!", "192.0.2.2": ok},
		want:  "ok",
	}, {
		name: "the next MX after 4xx to MAIL", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + "C: MAIL ...\nS: 452 4.3.1 disk full\nC: QUIT\nS: 221 bye", "192.0.2.2": ok},
		want:  "ok",
	}, {
		name: "the next MX when one goes away in the envelope", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + "C: MAIL ...", "192.0.2.2": ok},
		want:  "ok",
	}, {
		name: "no other MX after 5xx to MAIL", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + "C: MAIL ...\nS: 550 5.7.1 no\nC: QUIT\nS: 221 bye"},
		want:  "550 5.7.1", dials: []string{"192.0.2.1"},
	}, {
		name: "no other MX after 5xx to RCPT", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + "C: MAIL ...\nS: 250 ok\nC: RCPT ...\nS: 550 5.1.1 no\nC: QUIT\nS: 221 bye"},
		want:  "550 5.1.1", dials: []string{"192.0.2.1"},
	}, {
		name: "no other MX once the message has begun", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + mailDialogue + "C: hello\nC: ."},
		want:  "451 4.4.2", dials: []string{"192.0.2.1"},
	}, {
		name: "no other MX for a message put off", zone: two,
		hosts: map[string]string{"192.0.2.1": ready() + mailDialogue + "C: hello\nC: .\nS: 451 4.7.1 later\nC: QUIT\nS: 221 bye"},
		want:  "451 4.7.1", dials: []string{"192.0.2.1"},
	}, {
		name: "the next MX only for those who were put off", zone: two,
		env: letter("x@example.com", "b@example.com", "y@example.com"),
		hosts: map[string]string{
			"192.0.2.1": ready() + `
				C: MAIL ...
				S: 250 ok
				C: RCPT TO:<x@example.com>
				S: 250 ok
				C: RCPT TO:<b@example.com>
				S: 451 4.7.1 greylisted
				C: RCPT TO:<y@example.com>
				S: 550 5.1.1 no
				C: DATA
				S: 354 go
				C: hello
				C: .
				S: 250 ok
				C: QUIT
				S: 221 bye`,
			"192.0.2.2": ok,
		},
		want: "ok, ok, 550 5.1.1",
	}, {
		name: "all MX down", zone: two,
		want: "451 4.4.1", dials: []string{"192.0.2.1", "192.0.2.2"},
	}, {
		name: "all MX take no mail, ever (RFC 7504)", zone: two,
		hosts: map[string]string{"192.0.2.1": "S: 521 no mail here\n", "192.0.2.2": "S: 521 nor here\n"},
		want:  "521",
	}, {
		name: "one of them may mean us", zone: two,
		hosts: map[string]string{"192.0.2.1": "S: 554 5.7.1 go away\n", "192.0.2.2": "S: 521 no mail here\n"},
		want:  "451 4.3.2",
	}, {
		name: "all MX turn us away", zone: two,
		hosts: map[string]string{"192.0.2.1": "S: 554 5.7.1 go away\n", "192.0.2.2": "S: 220 mx\nC: EHLO client.example\nS: 550 5.7.1 who?\nC: HELO client.example\nS: 550 5.7.1 who?\nC!"},
		want:  "451 4.3.2",
	}, {
		name: "one does for good, the other for now", zone: two,
		hosts: map[string]string{"192.0.2.1": notNow, "192.0.2.2": "S: 521 not here\n"},
		want:  "421 4.3.2",
	}, {
		name:  "each address of a host, IPv6 first",
		zone:  "example.com MX 1 mx.example.com\nmx.example.com A 192.0.2.1\nmx.example.com A 192.0.2.2\nmx.example.com AAAA 2001:db8::1",
		hosts: map[string]string{"192.0.2.2": ok},
		want:  "ok", dials: []string{"2001:db8::1", "192.0.2.1", "192.0.2.2"},
	}, {
		name:  "no MX: the address",
		zone:  "example.com A 192.0.2.9",
		hosts: map[string]string{"192.0.2.9": ok},
		want:  "ok",
	}, {
		name: "an address literal", env: letter("b@[192.0.2.7]"),
		hosts: map[string]string{"192.0.2.7": ready() + strings.Replace(relayedTo, "b@example.com", "b@[192.0.2.7]", 1)},
		want:  "ok",
	}, {
		name: "an IPv6 address literal", env: letter("b@[IPv6:2001:db8::7]"),
		hosts: map[string]string{"2001:db8::7": ready() + strings.Replace(relayedTo, "b@example.com", "b@[IPv6:2001:db8::7]", 1)},
		want:  "ok",
	}, {
		name: "an address literal of another kind", env: letter("b@[x400:nonsense]"),
		want: "550 5.1.2",
	}, {
		name: "an address literal with a zone", env: letter("b@[IPv6:fe80::1%eth0]"),
		want: "550 5.1.2",
	}, {
		name: "no domain", env: letter("postmaster"),
		want: "550 5.1.3",
	}, {
		name: "no such domain", zone: "example.org A 192.0.2.1",
		want: "550 5.1.2",
	}, {
		name: "neither MX nor address", zone: "example.com TXT hello",
		want: "550 5.1.2",
	}, {
		name: "null MX (RFC 7505)", zone: "example.com MX 0 .\nexample.com A 192.0.2.1",
		want: "556 5.1.10", dials: []string{},
	}, {
		name: "an MX without an address", zone: "example.com MX 1 mx.example.com\nmx.example.com TXT x",
		want: "550 5.4.4",
	}, {
		name: "an MX that does not exist beside one that does", zone: "example.com MX 1 gone.example\nexample.com MX 2 mx.example.com\nmx.example.com A 192.0.2.1",
		hosts: map[string]string{"192.0.2.1": ok},
		want:  "ok",
	}, {
		name: "the DNS cannot tell the MX", zone: "example.com SERVFAIL",
		want: "451 4.4.3", dials: []string{},
	}, {
		name: "the DNS cannot tell the address", zone: "example.com MX 1 mx.example.com\nmx.example.com SERVFAIL",
		want: "451 4.4.3", dials: []string{},
	}, {
		name: "we are the best MX", zone: "example.com MX 1 Client.Example\nexample.com MX 1 mx1.example.com\nexample.com MX 2 mx2.example.com\nmx1.example.com A 192.0.2.1",
		want: "554 5.4.6", dials: []string{},
	}, {
		name: "we are our own MX without one", zone: "client.example A 192.0.2.1", env: letter("b@client.example"),
		want: "554 5.4.6", dials: []string{},
	}, {
		name: "we are an MX: only better ones", zone: two + "\nexample.com MX 20 client.example\nexample.com MX 30 mx3.example.com\nmx3.example.com A 192.0.2.3",
		want: "451 4.4.1", dials: []string{"192.0.2.1"},
	}, {
		name: "each domain its own host", zone: two + "\nexample.net A 192.0.2.4\nexample.edu MX 0 .",
		env: letter("b@example.com", "x@example.edu", "b@Example.NET", "c@example.COM"),
		hosts: map[string]string{
			"192.0.2.1": ready() + strings.Replace(relayedTo, "C: DATA", "C: RCPT TO:<c@example.COM>\nS: 250 ok\nC: DATA", 1),
			"192.0.2.4": ready() + strings.Replace(relayedTo, "b@example.com", "b@Example.NET", 1),
		},
		want: "ok, 556 5.1.10, ok, ok",
	}, {
		name: "TLS is tried at each host, and plaintext there if it fails", zone: two,
		hosts: map[string]string{"192.0.2.1": ready("STARTTLS") + "C: STARTTLS\nS: 220 go\nT!\n---\n" + ok},
		want:  "ok", dials: []string{"192.0.2.1", "192.0.2.1"},
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func (test *relayTest) run(t *testing.T) {
	i := newInternet(t, test.zone)
	for addr, script := range test.hosts {
		i.host(addr, strings.Split(script, "---\n")...)
	}
	env := test.env
	if env == nil {
		env = letter("b@example.com")
	}
	err := i.relay().Deliver(t.Context(), env, text("hello\r\n"))
	if got := codes(err, len(env.To)); got != test.want {
		t.Errorf("got  %s\nwant %s\n(%v)", got, test.want, err)
	}
	if test.dials != nil && !slices.Equal(i.dials, test.dials) {
		t.Errorf("tried %v, want %v", i.dials, test.dials)
	}
	i.wait()
}

// Mail of a stranger for somebody else is not relayed.
func TestRelayRefusesStrangers(t *testing.T) {
	for name, test := range map[string]struct {
		peer *mailparts.Peer
		want string
	}{
		"a stranger": {&mailparts.Peer{}, "550 5.7.1"},
		"a user":     {&mailparts.Peer{User: "a"}, "556 5.1.10"},
		"trusted":    {&mailparts.Peer{Trusted: true}, "556 5.1.10"},
		"ourselves":  {nil, "556 5.1.10"},
	} {
		i := newInternet(t, "example.com MX 0 .")
		env := letter("b@example.com")
		env.Peer = test.peer
		read := false
		msg := readerFunc(func([]byte) (int, error) { read = true; return 0, io.EOF })
		if got := codes(i.relay().Deliver(t.Context(), env, msg), 1); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if read && test.want == "550 5.7.1" {
			t.Errorf("%s: the message was asked for", name)
		}
	}
}

func TestRelayReadError(t *testing.T) {
	i := newInternet(t, "example.com A 192.0.2.1")
	msg := io.MultiReader(strings.NewReader("hello\r\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if err := i.relay().Deliver(t.Context(), letter("b@example.com"), msg); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
	if len(i.dials) > 0 {
		t.Error("a message that is none was on its way")
	}
}

// A message that cannot be read is no reason to try another host.
func TestRelaySeekableReadError(t *testing.T) {
	i := newInternet(t, "example.com MX 1 mx1.example.com\nexample.com MX 2 mx2.example.com\nmx1.example.com A 192.0.2.1\nmx2.example.com A 192.0.2.2")
	i.host("192.0.2.1", ready()+mailDialogue+"C!")
	broken := errors.New("broken")
	msg := struct {
		io.Reader
		io.Seeker
	}{io.MultiReader(strings.NewReader("Subject: hi\r\n\r\n"), iotest.ErrReader(broken)), strings.NewReader("hello\r\n")}
	if err := i.relay().Deliver(t.Context(), letter("b@example.com"), msg); err != broken {
		t.Errorf("got %v", err)
	}
	if len(i.dials) != 1 {
		t.Errorf("tried %v", i.dials)
	}
	i.wait()
}

// Whoever writes the DNS does not say how many connections we try.
func TestRelayManyAddresses(t *testing.T) {
	zone := ""
	for n := range 50 {
		host := "mx" + itoa(n) + ".example.com"
		zone += "example.com MX " + itoa(n) + " " + host + "\n" + host + " A 192.0.2." + itoa(n) + "\n"
	}
	i := newInternet(t, zone)
	if got := codes(i.relay().Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")), 1); got != "451 4.4.1" {
		t.Errorf("got %s", got)
	}
	if len(i.dials) != 10 {
		t.Errorf("%d connections", len(i.dials))
	}
}

// Nor how many lookups: hosts without an address are no attempt.
func TestRelayManyHosts(t *testing.T) {
	zone := ""
	for n := range 100 {
		zone += "example.com MX " + itoa(n) + " gone" + itoa(n) + ".example.net\n"
	}
	i := newInternet(t, zone)
	relay, lookups := i.relay(), 0
	relay.Resolver = countingResolver{relay.Resolver, &lookups}
	if got := codes(relay.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")), 1); got != "451 4.4.4" {
		t.Errorf("got %s", got)
	}
	if lookups > 50 {
		t.Errorf("%d lookups", lookups)
	}
}

type countingResolver struct {
	mailparts.Resolver
	n *int
}

func (r countingResolver) Lookup(ctx context.Context, name string, typ mailparts.RRType) (mailparts.Answer, error) {
	*r.n++
	return r.Resolver.Lookup(ctx, name, typ)
}

func TestRelayCancel(t *testing.T) {
	i := newInternet(t, "example.com A 192.0.2.1\nexample.com A 192.0.2.2")
	ctx, cancel := context.WithCancel(t.Context())
	r := i.relay()
	var tried atomic.Int32
	r.Dialer.NetDial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		tried.Add(1)
		cancel()
		return nil, context.Cause(ctx)
	}
	err := r.Deliver(ctx, letter("b@example.com"), text("hello\r\n"))
	if !mailparts.AsError(err).Temporary() || tried.Load() != 1 {
		t.Errorf("got %v after %d", err, tried.Load())
	}
}

// A recipient who was not tried has no message: an address literal asks no
// resolver, which would have noticed.
func TestRelayEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, to := range []mailparts.Address{"b@[192.0.2.1]", "b@example.com"} {
		i := newInternet(t, "example.com A 192.0.2.1")
		err := i.relay().Deliver(ctx, letter(to), text("hello\r\n"))
		if err == nil || !mailparts.AsError(err).Temporary() {
			t.Errorf("%s: got %v", to, err)
		}
		if len(i.dials) > 0 {
			t.Errorf("%s: tried %v", to, i.dials)
		}
	}
}

// A receipt names the MX, not its address.
func TestRelayReceipt(t *testing.T) {
	i := newInternet(t, "example.com MX 1 mx.example.com\nmx.example.com A 192.0.2.1")
	i.host("192.0.2.1", ready()+relayedTo)
	host := ""
	ctx := mailparts.WithReceipts(t.Context(), func(_ mailparts.Rcpt, r mailparts.Receipt) { host = r.Host })
	if err := i.relay().Deliver(ctx, letter("b@example.com"), text("hello\r\n")); err != nil || host != "mx.example.com" {
		t.Errorf("got %q, %v", host, err)
	}
	i.wait()
}

// The same on sockets: servers on addresses of their own, the second one up.
func TestRelayOnLoopback(t *testing.T) {
	var got []string
	l, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Skip("only one loopback address here: ", err)
	}
	s := &smtp.Server{Hostname: "mx2.example.com", TLSConfig: testTLS(), Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
			b, err := io.ReadAll(msg)
			_, body, _ := strings.Cut(string(b), "\r\n\r\n")
			got = append(got, env.Peer.Protocol+" "+env.Peer.Hello+" "+string(env.To[0].Addr)+" "+body)
			return err
		}))}
	done := make(chan error)
	go func() { done <- s.Serve(l) }()
	r := smtp.Relay{
		Hostname: "client.example",
		Port:     l.Addr().(*net.TCPAddr).Port,
		Resolver: mailtest.NewDNS("example.com MX 1 mx1.example.com\nexample.com MX 2 mx2.example.com\nmx1.example.com A 127.0.0.2\nmx2.example.com A 127.0.0.3"),
	}
	defer r.Close()
	if err := r.Deliver(t.Context(), letter("b@example.com"), text("Subject: hi\r\n\r\n.hello\r\n")); err != nil {
		t.Error(err)
	}
	s.Close()
	<-done
	if len(got) != 1 || got[0] != "ESMTPS client.example b@example.com .hello\r\n" {
		t.Errorf("got %q", got)
	}
}
