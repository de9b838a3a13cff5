package greylist_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/greylist"
)

func Example() {
	inbox := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { return nil })
	grey := &greylist.Greylist{Exempt: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}
	receiver := mailparts.Chain(mailparts.AsReceiver(inbox), grey.Filter)

	ctx := context.Background()
	for _, client := range []string{"192.0.2.7:4711", "198.51.100.7:4711"} {
		peer := &mailparts.Peer{Addr: netip.MustParseAddrPort(client)}
		tx, err := receiver.Mail(ctx, &mailparts.Envelope{From: "a@example.org", Peer: peer})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(tx.Rcpt(ctx, &mailparts.Rcpt{Addr: "b@example.com"}))
		tx.Close()
	}
	// Output:
	// 450 4.7.1 Greylisted, please try again in 60 seconds
	// <nil>
}
