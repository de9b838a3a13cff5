// Command greylist is the front door of a mail server: it takes mail for some
// users into Maildir folders, asks a list in the DNS about who sends it, makes
// strangers send again (RFC 6647), and hangs up on those who guess addresses:
//
//	go run ./examples/greylist -domain example.test -dnsbl bl.example.org alice bob
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"slices"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/dnsbl"
	"github.com/mailparts/mailparts/filter/greylist"
	"github.com/mailparts/mailparts/filter/throttle"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/smtp"
)

func main() {
	domain := flag.String("domain", "example.test", "whose mail is taken")
	zone := flag.String("dnsbl", "", "a list in the DNS of those whose mail is not")
	flag.Parse()
	local := &lmtp.Local{Backend: &maildir.Backend{Root: "mail"}, Domains: []string{*domain}}
	local.Lookup = func(_ context.Context, to mailparts.Address) (string, error) {
		if !slices.Contains(flag.Args(), to.Local()) {
			return "", mailparts.ErrNoUser
		}
		return to.Local(), nil
	}
	lists := &dnsbl.Checker{Reasons: true, Logger: slog.Default()}
	if *zone != "" {
		lists.Lists = []dnsbl.List{{Zone: *zone}}
		if err := lists.Test(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	log.Fatal(newServer(local, lists).ListenAndServe())
}

func newServer(local *lmtp.Local, lists *dnsbl.Checker) *smtp.Server {
	conns := &throttle.Limiter{Events: 60, Per: time.Minute}
	guesses := &throttle.Limiter{Events: 20, Per: time.Hour, By: throttle.Network}
	grey := &greylist.Greylist{}
	return &smtp.Server{
		Addr: "localhost:2525", Admit: conns.Admit, Logger: slog.Default(),
		Receiver: mailparts.Chain(local, guesses.FailedRcpts, mailparts.OnMail(lists.Mail),
			mailparts.OnRcpt(local.Check), grey.Filter),
	}
}
