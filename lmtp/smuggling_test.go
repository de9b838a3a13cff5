package lmtp_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// What is said to an LMTP server is no less forged.
func TestSmuggling(t *testing.T) {
	var mu sync.Mutex
	var taken []string
	s := &lmtp.Server{Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			text, err := io.ReadAll(msg)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				taken = append(taken, string(text))
			}
			return err
		}))}
	dial := serve(t, s).Dialer.NetDial
	mailtest.SmugglingKit{
		Dial: func(ctx context.Context) (net.Conn, error) { return dial(ctx, "", "") },
		LMTP: true,
		Received: func() []string {
			mu.Lock()
			defer mu.Unlock()
			defer func() { taken = nil }()
			return taken
		},
	}.Test(t)
}

func TestSmugglingRelay(t *testing.T) {
	mailtest.TestSmugglingRelay(t, func(ctx context.Context, dial mailtest.DialFunc, msg string) error {
		c := &lmtp.Client{Dialer: smtp.Dialer{Hostname: "client.example", NetDial: dial}}
		return c.Deliver(ctx, letter("bob@example.com"), text(msg))
	})
}
