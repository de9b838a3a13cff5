package dnscheck_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/mailparts/mailparts/dnscheck"
	"github.com/mailparts/mailparts/mailtest"
)

func Example() {
	// A small Internet: its DNS, and one mail server. The zero Checker has the
	// real ones.
	dns := mailtest.NewDNS(
		"example.org       MX    10 mx.example.org",
		"example.org       MX    20 backup.example.org",
		"mx.example.org    A     192.0.2.1",
		"192.0.2.1         PTR   host-1.example.net",
		"host-1.example.net A    192.0.2.1",
		"backup.example.org A    10.0.0.7",
	)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "220 localhost ESMTP\r\n")
			conn.Read(make([]byte, 16)) // QUIT
			conn.Close()
		}
	}()

	checker := dnscheck.Checker{
		Resolver: dns,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		},
	}
	report, err := checker.Check(context.Background(), "example.org")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report)
	// Output:
	// example.org
	//   MX 10 mx.example.org
	//     192.0.2.1 is host-1.example.net, says "localhost ESMTP"
	//       warning: The server at 192.0.2.1 calls itself localhost, which is neither mx.example.org nor a name that leads to it. (greeting-name, RFC 5321 section 4.3.1)
	//   MX 20 backup.example.org
	//     10.0.0.7
	//       error: The address 10.0.0.7 of backup.example.org cannot be reached from the Internet. (private-address, RFC 6890 section 2.2)
	// 1 error, 1 warning
}
