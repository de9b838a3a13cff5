package greylist

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// The values that zero fields of a Greylist stand for. RFC 6647 section 5 asks for
// the first two, and for a week or more of the third.
const (
	defaultDelay  = time.Minute
	defaultWindow = 24 * time.Hour
	defaultExpire = 35 * 24 * time.Hour // what comes once a month stays known
	defaultPasses = 1
)

// storeTimeout is how long a Store has for one look-up: a client is waiting.
const storeTimeout = 5 * time.Second

// Greylist makes mail from strangers wait. The zero value works, and forgets all
// when the process ends. Fields must not change and it must not be copied after
// first use.
type Greylist struct {
	// Store keeps what was seen. Nil: a Memory of its own.
	Store Store
	// Delay is how long after the first attempt another one passes. 0: one minute.
	Delay time.Duration
	// Window is how long after the first attempt another one still counts as its
	// repetition; after it, that is a first attempt again. 0: 24 hours.
	Window time.Duration
	// Expire is how long those who passed are known since their last mail. 0: 35
	// days.
	Expire time.Duration
	// Passes is after how many messages that passed a network need not wait at all
	// any more. 0: one. Less: it always must for a new sender or recipient.
	Passes int
	// Exempt are networks that need not wait: of servers that are known to try
	// again from elsewhere, or not at all.
	Exempt []netip.Prefix
	// Logger hears when Store fails. Nil: discard.
	Logger *slog.Logger

	memory Memory
}

// check is nil if the mail may pass, and counts the pass.
func (g *Greylist) check(ctx context.Context, client netip.Addr, from, to mailparts.Address) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	wait, err := g.see(ctx, network(client), from, to)
	if err != nil {
		log := cmp.Or(g.Logger, slog.New(slog.DiscardHandler))
		log.WarnContext(ctx, "greylist store failed, mail passes", "client", client, "err", err)
		return nil
	}
	if wait <= 0 {
		return nil
	}
	seconds := (wait + time.Second - 1) / time.Second
	return &mailparts.Error{Code: 450, Status: "4.7.1", Message: fmt.Sprintf("Greylisted, please try again in %d seconds", seconds)}
}

// see is how long the mail has to wait. A known network is one look-up, what is
// new two, a pass three.
func (g *Greylist) see(ctx context.Context, network netip.Prefix, from, to mailparts.Address) (wait time.Duration, err error) {
	store, now := g.store(), time.Now().Round(0) // by the clock that other processes have too
	expire := now.Add(cmp.Or(g.Expire, defaultExpire))
	passes := cmp.Or(g.Passes, defaultPasses)
	if passes > 0 {
		known := false
		err := store.Update(ctx, network.String(), func(r Record) Record {
			if known = now.Before(r.Ends) && r.Passes >= passes; known {
				r.Ends = later(now, r.Ends, expire)
			}
			return r
		})
		if known || err != nil {
			return 0, err
		}
	}
	err = store.Update(ctx, tuple(network, from, to), func(r Record) Record {
		if !now.Before(r.Ends) {
			r = Record{First: now, Ends: now.Add(cmp.Or(g.Window, defaultWindow))}
		}
		if r.Passes == 0 {
			wait = r.First.Add(cmp.Or(g.Delay, defaultDelay)).Sub(now)
		} else {
			wait = 0
		}
		switch {
		case wait > 0:
			return r
		case r.Passes == 0:
			r.Ends = expire
		default:
			r.Ends = later(now, r.Ends, expire)
		}
		r.Passes++
		return r
	})
	if wait > 0 || err != nil || passes < 0 {
		return wait, err
	}
	return 0, store.Update(ctx, network.String(), func(r Record) Record {
		if !now.Before(r.Ends) {
			r = Record{First: now}
		}
		r.Passes++
		r.Ends = later(now, r.Ends, expire)
		return r
	})
}

func (g *Greylist) store() Store {
	if g.Store != nil {
		return g.Store
	}
	return &g.memory
}

// later puts off the end of a record, but not for so little that a Store would
// have to write at every message.
func later(now, ends, expire time.Time) time.Time {
	if expire.Sub(ends) > expire.Sub(now)/100 {
		return expire
	}
	return ends
}

// network is whom client is taken for: its neighbours too, since a retry may come
// from one of them.
func network(client netip.Addr) netip.Prefix {
	bits := 64
	if client.Is4() {
		bits = 24
	}
	p, _ := client.Prefix(bits)
	return p
}

// tuple is the key of a network, sender and recipient. It has the addresses as a
// hash: whoever reads a Store need not know who writes to whom, and a key is
// short.
func tuple(network netip.Prefix, from, to mailparts.Address) string {
	sum := sha256.Sum256([]byte(strings.ToLower(string(from) + "\n" + string(to))))
	return network.String() + " " + base64.RawURLEncoding.EncodeToString(sum[:16])
}
