package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	. "github.com/mailparts/mailparts/queue"
)

// What was taken for a domain of ours may go on to it, whoever sent it.
func TestOutgoingMayRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []*mailparts.Envelope
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			sent = append(sent, env)
			return nil
		})
		q := &Queue{Spool: newSpool(t), Routes: Routes{"backup.example": s}}
		run(t, q)
		env := envelope("bob@backup.example")
		env.Peer = stranger
		deliver(t, q, env)
		synctest.Wait()
		if len(sent) != 1 || !sent[0].MayRelay() || sent[0].Peer.Hello != stranger.Hello || stranger.Trusted {
			t.Errorf("sent %+v", sent)
		}
	})
}

// What a Deliverer does to its envelope is not saved, and not seen by another.
func TestOutgoingIsACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(ctx context.Context, env *mailparts.Envelope) error {
			if env.Attrs["tenant"] != "blue" || env.To[0].Addr == "changed@example.com" {
				t.Errorf("envelope of %s: %v", env.To[0].Addr, env.Attrs)
			}
			env.Attrs["tenant"], env.To[0].Addr = "red", "changed@example.com"
			return later
		})
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}}
		run(t, q)
		env := envelope("a@a.example", "b@b.example", "c@c.example")
		env.Attrs = map[string]string{"tenant": "blue"}
		deliver(t, q, env)
		<-time.After(time.Hour)
	})
}
