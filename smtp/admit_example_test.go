package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	netsmtp "net/smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// Who is not welcome hears so in place of a greeting. Admit is also where the
// Admit methods of filter/dnsbl and filter/throttle go.
func ExampleServer_admit() {
	banned := netip.MustParsePrefix("192.0.2.0/24")
	s := &smtp.Server{
		Hostname: "mx.example.com",
		Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error {
			return errors.New("no mail comes in this example")
		})),
		Admit: func(_ context.Context, p *mailparts.Peer) error {
			if banned.Contains(p.Addr.Addr()) {
				return &mailparts.Error{Code: 554, Status: "5.7.1", Message: "Not from there"}
			}
			return nil
		},
	}
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()

	for _, client := range []string{"192.0.2.99", "198.51.100.7"} {
		nc, err := l.DialFrom(context.Background(), netip.MustParseAddr(client))
		if err != nil {
			log.Fatal(err)
		}
		_, err = netsmtp.NewClient(nc, "mx.example.com")
		fmt.Println(client, err)
		nc.Close()
	}
	// Output:
	// 192.0.2.99 554 "5.7.1 Not from there"
	// 198.51.100.7 <nil>
}
