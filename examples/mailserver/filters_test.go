package main

import (
	"context"
	"io"
	"log/slog"
	"net/smtp"
	"path/filepath"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/sasl/passwd"
)

// What strangers meet at the door, by the flags.
func TestFilters(t *testing.T) {
	// It lists the address that it may not have, as a test can have no other.
	dns := mailtest.NewDNS("1.0.0.127.bl.example.org A 127.0.0.2", "1.0.0.127.bl.example.org TXT not you").Serve(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, "<nil>"},
		{"greylist", []string{"-greylist"}, `450 "4.7.1 Greylisted, please try again in 60 seconds"`},
		{"dnsbl", []string{"-dnsbl", "bl.example.org", "-resolver", dns}, `554 "5.7.1 127.0.0.1 is listed by bl.example.org: not you"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			addr := start(t, append(test.args, "-user", "alice:first")...)
			c, err := smtp.Dial(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err = c.Mail("carol@example.net"); err == nil {
				err = c.Rcpt("alice@example.test")
			}
			if got := errorText(err); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}

// start runs a mail server with no door but that for other servers, whose address
// it returns, until t ends.
func start(t *testing.T, args ...string) string {
	t.Helper()
	args = append(args, "-data", t.TempDir(), "-smtp", "127.0.0.1:0")
	for _, name := range []string{"submission", "submissions", "lmtp", "pop3", "pop3s", "imap", "imaps"} {
		args = append(args, "-"+name, "off")
	}
	c, err := parseConfig(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(readyHandler, 1), make(chan error, 1)
	go func() { done <- run(ctx, c, io.Discard, slog.New(ready)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case addrs := <-ready:
		return addrs["smtp"]
	case err := <-done:
		done <- err
		t.Fatal("it has not started")
	}
	return ""
}

func TestOwn(t *testing.T) {
	file, err := passwd.OpenOrCreate(filepath.Join(t.TempDir(), "users"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob", "bob+list", "carol@other.test"} {
		if err := file.Set(name, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	a := &accounts{file, []string{"example.test", "example.org"}}
	for _, test := range []struct {
		user string
		addr mailparts.Address
		want bool
	}{
		{"alice", "alice@example.test", true},
		{"alice", "Alice@Example.ORG", true},
		{"alice", "alice+shop@example.test", true},
		{"alice", "bob@example.test", false},
		{"alice", "alice@elsewhere.test", false},
		{"alice", "nobody@example.test", false},
		{"bob", "bob+shop@example.test", true},
		{"bob", "bob+list@example.test", false},
		{"bob+list", "bob+list@example.test", true},
		{"carol@other.test", "carol@other.test", true},
		{"carol@other.test", "carol+shop@other.test", true},
		{"carol@other.test", "carol@example.test", false},
	} {
		if got, err := a.Own(t.Context(), test.user, test.addr); got != test.want || err != nil {
			t.Errorf("%s as %s: got %v, %v", test.user, test.addr, got, err)
		}
	}
}
