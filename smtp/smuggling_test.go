package smtp_test

import (
	"context"
	"net"
	"testing"

	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// smugglingKit is the kit for s.
func smugglingKit(t *testing.T, s *smtp.Server) mailtest.SmugglingKit {
	b := new(inbox)
	s.Receiver, s.MaxConnsPerAddr = b, -1
	l := startServer(t, s)
	return mailtest.SmugglingKit{
		Dial: func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx, "", "") },
		LMTP: s.LMTP,
		Received: func() (texts []string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, m := range b.messages {
				texts = append(texts, m.text)
			}
			b.messages = nil
			return texts
		},
	}
}

// Nothing is smuggled past us, in whatever pieces it comes.
func TestSmuggling(t *testing.T) {
	t.Run("as it is", func(t *testing.T) { smugglingKit(t, new(smtp.Server)).Test(t) })
	t.Run("normalizing", func(t *testing.T) { smugglingKit(t, &smtp.Server{NormalizeLines: true}).Test(t) })
	t.Run("LMTP", func(t *testing.T) { smugglingKit(t, &smtp.Server{LMTP: true}).Test(t) })
}

// Nor do we smuggle to others.
func TestSmugglingRelay(t *testing.T) {
	for way, send := range misbehaviourWays {
		t.Run(way, func(t *testing.T) {
			if way == "Client with AUTH" {
				t.Skip("the kit's server has no AUTH")
			}
			mailtest.TestSmugglingRelay(t, func(_ context.Context, dial mailtest.DialFunc, msg string) error {
				return send(t, dial, text(msg))
			})
		})
	}
}
