package mailtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/mailparts/mailparts"
)

func concurrencyPromises() []promise {
	return []promise{
		{"appends get UIDs of their own", concurrentAppends},
		{"no UID below a seen UIDNext appears later", concurrentUIDNext},
		{"who follows the numbers misses nothing", concurrentSync},
		{"flags of many sessions are all kept", concurrentFlags},
	}
}

const writers, rounds = 4, 12

// together runs f for each writer on a handle of its own, and then returns.
func (x *trial) together(f func(writer int, mb mailparts.Mailbox) error) {
	x.Helper()
	var wg sync.WaitGroup
	for w := range writers {
		mb := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
		wg.Go(func() {
			if err := f(w, mb); err != nil {
				x.Errorf("writer %d: %v", w, err)
			}
		})
	}
	wg.Wait()
}

func concurrentAppends(x *trial) {
	var mu sync.Mutex
	want := map[mailparts.UID]string{}
	x.together(func(w int, mb mailparts.Mailbox) error {
		for i := range rounds {
			bodies := []string{fmt.Sprintf("writer %d, round %d, first", w, i), fmt.Sprintf("writer %d, round %d, second", w, i)}
			placed, err := mb.Append(x.Context(), batch(text(bodies[0]), text(bodies[1])))
			if err != nil {
				return err
			}
			if placed.UIDs.Len() != 2 {
				return fmt.Errorf("a batch of two was placed at %v", placed.UIDs)
			}
			mu.Lock()
			for i, u := range each(placed.UIDs) {
				if want[u] != "" {
					x.Errorf("UID %d was given to %q and to %q", u, want[u], bodies[i])
				}
				want[u] = bodies[i]
			}
			mu.Unlock()
		}
		return nil
	})
	x.wantUIDs("after all appends", x.inbox, slices.Sorted(maps.Keys(want))...)
	for u, body := range want {
		if got := x.body(x.inbox, u); got != body {
			x.Errorf("UID %d is %q, was appended as %q", u, got, body)
		}
	}
}

// during runs look again and again, by two readers, while the writers write. Each reader looks
// once before them.
func (x *trial) during(write func(w int, mb mailparts.Mailbox) error, look func(ctx context.Context, mb mailparts.Mailbox) error) {
	x.Helper()
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		mb := x.mailbox(x.open(x.kit.Users[0]), "INBOX")
		x.must("the reader's first look", look(x.Context(), mb))
		readers.Go(func() {
			for stop := false; !stop; {
				select {
				case <-done:
					stop = true // and look once more
				default:
				}
				if err := look(x.Context(), mb); err != nil {
					x.Errorf("reader: %v", err)
					return
				}
			}
		})
	}
	x.together(write)
	close(done)
	readers.Wait()
}

func concurrentUIDNext(x *trial) {
	type view struct {
		next mailparts.UID
		seen mailparts.UIDSet
	}
	var mu sync.Mutex
	var views []view
	x.during(func(w int, mb mailparts.Mailbox) error {
		for i := range rounds {
			second := text("b")
			if i%3 == 2 {
				second.Body = failAfter("b", errRead)
			}
			if _, err := mb.Append(x.Context(), batch(text("a"), second)); err != nil && !errors.Is(err, errRead) {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, mb mailparts.Mailbox) error {
		st, err := mb.Status(ctx)
		if err != nil {
			return err
		}
		msgs, err := collect(ctx, mb, mailparts.AllUIDs(), mailparts.Query{})
		if err != nil {
			return err
		}
		v := view{next: st.UIDNext}
		for _, m := range msgs {
			v.seen.Add(m.UID, m.UID)
		}
		mu.Lock()
		defer mu.Unlock()
		views = append(views, v)
		return nil
	})
	all := set(x.uids(x.inbox)...)
	for _, v := range views {
		below := all.Intersect(mailparts.UIDSet{{First: 1, Last: v.next - 1}})
		if late := below.Subtract(v.seen); len(late) > 0 {
			x.Fatalf("a reader saw UIDNext %d, then %v; later %v appeared below it", v.next, v.seen, late)
		}
	}
}

func concurrentFlags(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDraft)
	own := [writers]mailparts.Flag{mailparts.FlagSeen, mailparts.FlagAnswered, mailparts.FlagFlagged, mailparts.FlagDraft}
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.together(func(w int, mb mailparts.Mailbox) error {
		for i := range rounds {
			op := mailparts.FlagOp(i % 2) // add, remove, ...
			if _, _, err := mb.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Op: op, Flags: []mailparts.Flag{own[w]}}); err != nil {
				return err
			}
		}
		_, _, err := mb.SetFlags(x.Context(), set(uids...), mailparts.FlagChange{Flags: []mailparts.Flag{own[w]}})
		return err
	})
	for _, u := range uids {
		x.wantFlags("each session set one of its own at last", x.inbox, u, own[:]...)
	}
}
