package dnsbl_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/dnsbl"
	"github.com/mailparts/mailparts/mailtest"
)

func Example() {
	lists := &dnsbl.Checker{
		Lists: []dnsbl.List{
			{Zone: "bad.example.com"},
			{Zone: "good.example.com", Weight: -1},
		},
		// Stands for the DNS.
		Resolver: mailtest.NewDNS(
			"99.2.0.192.bad.example.com A 127.0.0.2",
			"98.2.0.192.bad.example.com A 127.0.0.2",
			"98.2.0.192.good.example.com A 127.0.0.2",
		),
	}
	for _, client := range []string{"192.0.2.99:4711", "192.0.2.98:4711", "192.0.2.97:4711"} {
		fmt.Println(lists.Admit(context.Background(), &mailparts.Peer{Addr: netip.MustParseAddrPort(client)}))
	}
	// Output:
	// 554 5.7.1 192.0.2.99 is listed by bad.example.com
	// <nil>
	// <nil>
}
