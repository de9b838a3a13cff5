package main

import (
	"net/netip"
	"net/smtp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/filter/dnsbl"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
)

// The clock of this test is synctest's: the minute that a stranger has to wait
// takes no time.
func TestGreylist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		local := &lmtp.Local{Backend: &mailtest.Memory{Users: []string{"alice"}}, Domains: []string{"example.test"}}
		lists := &dnsbl.Checker{Lists: []dnsbl.List{{Zone: "bl.example.org"}}, Resolver: mailtest.NewDNS("99.2.0.192.bl.example.org A 127.0.0.2")}
		s, l := newServer(local, lists), mailtest.NewListener()
		go s.Serve(l)
		defer s.Close()

		send := func(client, to string) string {
			nc, err := l.DialFrom(t.Context(), netip.MustParseAddr(client))
			if err != nil {
				t.Fatal(err)
			}
			c, err := smtp.NewClient(nc, "localhost")
			if err != nil {
				return err.Error()
			}
			defer c.Close()
			if err := c.Mail("carol@example.net"); err != nil {
				return err.Error()
			}
			if err := c.Rcpt(to); err != nil {
				return err.Error()
			}
			return "taken"
		}
		for _, step := range []struct {
			client, to string
			wait       time.Duration
			want       string
		}{
			{"192.0.2.99", "alice@example.test", 0, `554 "5.7.1 192.0.2.99 is listed by bl.example.org"`},
			{"192.0.2.1", "bob@example.test", 0, `550 "5.1.1 No such user here"`},
			{"192.0.2.1", "alice@example.test", 0, `450 "4.7.1 Greylisted, please try again in 60 seconds"`},
			{"192.0.2.1", "alice@example.test", time.Minute, "taken"},
		} {
			time.Sleep(step.wait)
			if got := send(step.client, step.to); got != step.want {
				t.Errorf("%s to %s: got %s, want %s", step.client, step.to, got, step.want)
			}
		}
	})
}
