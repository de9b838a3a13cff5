package lmtp_test

import (
	"bufio"
	"context"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
)

// ProxyFrom, XFrom and Admit are the engine's: whom a proxy tells of, Admit sees,
// and again whom XCLIENT tells of.
func TestWhoThePeerIs(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := &lmtp.Server{Hostname: "mx.example.com", Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(nil)), ProxyFrom: loopback, XFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	s.Admit = func(_ context.Context, p *mailparts.Peer) error {
		if p.Addr.Addr() == netip.MustParseAddr("198.51.100.1") {
			return &mailparts.Error{Code: 554, Status: "5.7.1", Message: "Not from there"}
		}
		return nil
	}
	l := mailtest.NewListener()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	defer func() { s.Close(); <-done }()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for _, step := range []struct{ send, want string }{
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1111 24\r\n", "220 mx.example.com LMTP"},
		{"XCLIENT ADDR=198.51.100.1\r\n", "554 5.7.1 Not from there"},
	} {
		io.WriteString(c, step.send)
		if got, err := r.ReadString('\n'); strings.TrimRight(got, "\r\n") != step.want {
			t.Fatalf("got %q, %v, want %q", got, err, step.want)
		}
	}
}
