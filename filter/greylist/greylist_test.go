package greylist_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/greylist"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// play runs a dialogue with a server that has g:
//
//	@ ADDRESS   a new connection from there, after EHLO
//	W DURATION  time goes by
//	C: …        what the client sends
//	S: …        the reply, exact but for "..." at the end
func play(t *testing.T, g *greylist.Greylist, script string) {
	t.Helper()
	playWith(t, &smtp.Server{Trusted: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}, g, script)
}

func playWith(t *testing.T, s *smtp.Server, g *greylist.Greylist, script string) {
	t.Helper()
	inbox := mailparts.DelivererFunc(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		return err
	})
	known := mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
		if strings.HasPrefix(string(to.Addr), "unknown") {
			return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user here"}
		}
		return nil
	})
	s.Hostname, s.Receiver = "mx.example.com", mailparts.Chain(mailparts.AsReceiver(inbox), known, g.Filter)
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()

	var c *textproto.Conn
	for line := range strings.Lines(script) {
		kind, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "@":
			from, _ := netip.ParseAddr(text) // "unix" has none
			nc, err := l.DialFrom(t.Context(), from)
			if err != nil {
				t.Fatal(err)
			}
			c = textproto.NewConn(nc)
			defer c.Close()
			c.ReadResponse(220)
			c.PrintfLine("EHLO client.example.org")
			c.ReadResponse(250)
		case "W":
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(d)
		case "C:":
			c.PrintfLine("%s", text)
		case "S:":
			got, err := c.ReadLine()
			if prefix, ok := strings.CutSuffix(text, "..."); got != text && (!ok || !strings.HasPrefix(got, prefix)) {
				t.Errorf("got %q, %v, want %q", got, err, text)
			}
		}
	}
}

func TestDialogues(t *testing.T) {
	const (
		begin = "\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@example.com>\n"
		first = begin + "S: 450 4.7.1 Greylisted, please try again in 60 seconds\n"
		pass  = begin + "S: 250 2.1.5 OK\n"
	)
	for _, test := range []struct {
		name, script string
	}{
		{"a retry passes", "@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass},
		{"one that is early does not", "@ 192.0.2.7" + first + "W 59.5s\n@ 192.0.2.7" + begin + "S: 450 4.7.1 Greylisted, please try again in 1 seconds\n" +
			"W 500ms\n@ 192.0.2.7" + pass},
		{"in one connection", "@ 192.0.2.7" + first + "W 1m" + `
			C: RCPT TO:<b@example.com>
			S: 250 2.1.5 OK`},
		{"the last moment to retry", "@ 192.0.2.7" + first + "W 23h59m59s\n@ 192.0.2.7" + pass},
		{"a retry after Window is a first attempt", "@ 192.0.2.7" + first + "W 24h\n@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass},
		{"a neighbour's retry passes", "@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.200" + pass},
		{"IPv6", "@ 2001:db8:0:1::1" + first + "W 1m\n@ 2001:db8:0:2::1" + first + "@ 2001:db8:0:1:2::2" + pass},
		{"IPv4 in IPv6", "@ ::ffff:192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass},
		{"who retries from elsewhere waits", "@ 192.0.2.7" + first + "W 1m\n@ 198.51.100.7" + first},
		{"other recipients of a message that passes", "@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass + `
			C: RCPT TO:<c@example.com>
			S: 250 2.1.5 OK`},
		{"a network that passed once", "@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass + `
			@ 192.0.2.8
			C: MAIL FROM:<x@example.net>
			S: 250 2.1.0 OK
			C: RCPT TO:<y@example.com>
			S: 250 2.1.5 OK`},
		{"it is known while it sends", "@ 192.0.2.7" + first + "W 1m" + strings.Repeat("\n@ 192.0.2.7"+pass+"W 839h", 3) + "\n@ 192.0.2.7" + pass},
		{"it is forgotten", "@ 192.0.2.7" + first + "W 1m\n@ 192.0.2.7" + pass + "W 840h\n@ 192.0.2.7" + first},
		{"an unknown user is refused for good", `
			@ 192.0.2.7
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<unknown@example.com>
			S: 550 5.1.1 No such user here`},
		{"a trusted peer", "@ 203.0.113.7" + pass},
		{"a unix socket", "@ unix" + pass},
		{"postmaster", `
			@ 192.0.2.7
			C: MAIL FROM:<a@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<postmaster>
			S: 250 2.1.5 OK
			C: RCPT TO:<PostMaster@example.com>
			S: 250 2.1.5 OK
			# and nobody comes in with him
			C: RCPT TO:<b@example.com>
			S: 450 4.7.1 ...`},
		{"the null sender", `
			@ 192.0.2.7
			C: MAIL FROM:<>
			S: 250 2.1.0 OK
			C: RCPT TO:<postmaster>
			S: 250 2.1.5 OK
			C: RCPT TO:<b@example.com>
			S: 250 2.1.5 OK
			C: RCPT TO:<unknown@example.com>
			S: 550 5.1.1 No such user here
			C: DATA
			S: 450 4.7.1 Greylisted, please try again in 60 seconds
			W 1m
			C: MAIL FROM:<>
			S: 250 2.1.0 OK
			C: RCPT TO:<b@example.com>
			S: 250 2.1.5 OK
			C: DATA
			S: 354 ...`},
		{"the null sender to postmaster", `
			@ 192.0.2.7
			C: MAIL FROM:<>
			S: 250 2.1.0 OK
			C: RCPT TO:<postmaster>
			S: 250 2.1.5 OK
			C: DATA
			S: 354 ...`},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, new(greylist.Greylist), test.script) })
		})
	}
}

func TestSettings(t *testing.T) {
	const (
		begin = "\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@example.com>\n"
		later = begin + "S: 450 ...\n"
		pass  = begin + "S: 250 2.1.5 OK\n"
		other = "\nC: MAIL FROM:<x@example.org>\nS: 250 2.1.0 OK\nC: RCPT TO:<y@example.com>\n"
	)
	for _, test := range []struct {
		name   string
		g      *greylist.Greylist
		script string
	}{
		{"Delay", &greylist.Greylist{Delay: time.Hour}, "@ 192.0.2.7" + begin + "S: 450 4.7.1 Greylisted, please try again in 3600 seconds\n" +
			"W 59m\n@ 192.0.2.7" + later + "W 1m\n@ 192.0.2.7" + pass},
		{"Window", &greylist.Greylist{Window: time.Hour}, "@ 192.0.2.7" + later + "W 1h\n@ 192.0.2.7" + later},
		{"Expire", &greylist.Greylist{Expire: time.Hour}, "@ 192.0.2.7" + later + "W 1m\n@ 192.0.2.7" + pass + "W 59m\n@ 192.0.2.7" + pass + "W 1h\n@ 192.0.2.7" + later},
		{"Passes", &greylist.Greylist{Passes: 3}, "@ 192.0.2.7" + later + "W 1m\n@ 192.0.2.7" + pass + "@ 192.0.2.7" + pass +
			"@ 192.0.2.7" + other + "S: 450 ...\n@ 192.0.2.7" + pass + "@ 192.0.2.7" + other + "S: 250 2.1.5 OK"},
		{"no Passes", &greylist.Greylist{Passes: -1}, "@ 192.0.2.7" + later + "W 1m" + strings.Repeat("\n@ 192.0.2.7"+pass, 3) +
			"@ 192.0.2.7" + other + "S: 450 ..."},
		{"Exempt", &greylist.Greylist{Exempt: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}},
			"@ 192.0.2.7" + pass + "@ ::ffff:192.0.2.7" + pass + "@ 192.0.2.16" + later},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, test.g, test.script) })
		})
	}
}

// Who authenticated, or was sent on by a proxy, is judged by that and not by the
// connection's address.
func TestPeers(t *testing.T) {
	at := func(a string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(a), 4711) }
	inbox := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return nil })
	for _, test := range []struct {
		name   string
		peer   *mailparts.Peer
		passes bool
	}{
		{"stranger", &mailparts.Peer{Addr: at("192.0.2.7")}, false},
		{"authenticated", &mailparts.Peer{Addr: at("192.0.2.7"), User: "alice"}, true},
		{"trusted", &mailparts.Peer{Addr: at("192.0.2.7"), Trusted: true}, true},
		{"mail made here", nil, true},
		{"stranger behind a proxy", &mailparts.Peer{Addr: at("10.0.0.1"), Origin: &mailparts.Peer{Addr: at("192.0.2.7")}}, false},
		{"exempt behind a proxy", &mailparts.Peer{Addr: at("10.0.0.1"), Origin: &mailparts.Peer{Addr: at("198.51.100.7")}}, true},
		{"a proxy's socket", &mailparts.Peer{Origin: &mailparts.Peer{Addr: at("192.0.2.7")}}, false},
	} {
		g := &greylist.Greylist{Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}
		tx, err := g.Filter(mailparts.AsReceiver(inbox)).Mail(t.Context(), &mailparts.Envelope{From: "a@example.org", Peer: test.peer})
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Rcpt(t.Context(), &mailparts.Rcpt{Addr: "b@example.com"}); (err == nil) != test.passes {
			t.Errorf("%s: %v", test.name, err)
		}
		tx.Close()
	}
}

// storeFunc is a Store that fails.
type storeFunc func(ctx context.Context) error

func (f storeFunc) Update(ctx context.Context, _ string, _ func(greylist.Record) greylist.Record) error {
	return f(ctx)
}

func TestStoreFails(t *testing.T) {
	for name, store := range map[string]storeFunc{
		"down": func(context.Context) error { return errors.New("connection refused") },
		"slow": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				start := time.Now()
				play(t, &greylist.Greylist{Store: store, Logger: slog.New(slog.NewTextHandler(&log, nil))}, `
					@ 192.0.2.7
					C: MAIL FROM:<a@example.org>
					S: 250 2.1.0 OK
					C: RCPT TO:<b@example.com>
					S: 250 2.1.5 OK`)
				if !strings.Contains(log.String(), "greylist store failed") {
					t.Errorf("the log is %q", log.String())
				}
				if d := time.Since(start); d > 10*time.Second {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

// restless calls change twice for each Update, as a Store does that finds the
// record changed.
type restless struct{ greylist.Memory }

func (s *restless) Update(ctx context.Context, key string, change func(greylist.Record) greylist.Record) error {
	return s.Memory.Update(ctx, key, func(r greylist.Record) greylist.Record {
		change(greylist.Record{First: time.Unix(0, 0), Passes: 17, Ends: time.Now().Add(time.Hour)})
		return change(r)
	})
}

func TestStoreTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const begin = "\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@example.com>\n"
		play(t, &greylist.Greylist{Store: new(restless)}, "@ 192.0.2.7"+begin+"S: 450 ...\nW 1m\n@ 192.0.2.7"+begin+"S: 250 ...")
	})
}

// Two servers with one Store are one to a client (RFC 6647 section 5).
func TestSharedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const begin = "\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK\nC: RCPT TO:<b@example.com>\n"
		store := new(greylist.Memory)
		play(t, &greylist.Greylist{Store: store}, "@ 192.0.2.7"+begin+"S: 450 ...\nW 1m")
		play(t, &greylist.Greylist{Store: store}, "@ 192.0.2.7"+begin+"S: 250 ...")
	})
}

// keys is a Store that collects the keys.
type keys struct {
	greylist.Memory
	seen []string
}

func (s *keys) Update(ctx context.Context, key string, change func(greylist.Record) greylist.Record) error {
	s.seen = append(s.seen, key)
	return s.Memory.Update(ctx, key, change)
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(keys)
		local := strings.Repeat("x", 60)
		play(t, &greylist.Greylist{Store: s}, `
			@ 2001:db8:1111:2222:3333:4444:5555:6666
			C: MAIL FROM:<`+local+`@example.org>
			S: 250 2.1.0 OK
			C: RCPT TO:<`+local+`@example.com>
			S: 450 ...`)
		want := []string{"2001:db8:1111:2222::/64", "2001:db8:1111:2222::/64 "}
		if len(s.seen) != 2 || s.seen[0] != want[0] || !strings.HasPrefix(s.seen[1], want[1]) || len(s.seen[1]) > 64 || strings.Contains(s.seen[1], local) {
			t.Errorf("keys %q", s.seen)
		}
	})
}
