package queue_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
	. "github.com/mailparts/mailparts/queue"
)

// now is the time of all entries that have no other.
var now = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

// newEntry is an entry due at now.
func newEntry(id, dest string, to ...string) *Entry {
	e := &Entry{ID: id, Dest: dest, Queued: now, Due: now, Env: mailparts.Envelope{ID: id, From: "alice@example.org"}}
	for _, a := range to {
		e.Env.To = append(e.Env.To, mailparts.Rcpt{Addr: mailparts.Address(a)})
	}
	if to == nil {
		e.Env.To = []mailparts.Rcpt{{Addr: mailparts.Address("bob@" + dest)}}
	}
	return e
}

func put(t testing.TB, s Spool, msg string, entries ...*Entry) {
	t.Helper()
	if err := s.Put(t.Context(), strings.NewReader(msg), entries...); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// next leases what is due at the given time.
func next(t testing.TB, s Spool, at time.Time, max int, skip ...string) []*Entry {
	t.Helper()
	entries, _, err := s.Next(t.Context(), Query{Now: at, Max: max, Skip: func(d string) bool { return slices.Contains(skip, d) }})
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return entries
}

func ids(entries []*Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, e.ID)
	}
	return strings.Join(s, " ")
}

func content(t testing.TB, s Spool, e *Entry) string {
	t.Helper()
	r, err := s.Open(t.Context(), e)
	if err != nil {
		t.Fatalf("Open %s: %v", e.ID, err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %s: %v", e.ID, err)
	}
	return string(b)
}

func save(t testing.TB, s Spool, e *Entry) {
	t.Helper()
	if err := s.Save(t.Context(), e); err != nil {
		t.Fatalf("Save %s: %v", e.ID, err)
	}
}

// finish saves e without recipients.
func finish(t testing.TB, s Spool, e *Entry) {
	t.Helper()
	done := *e
	done.Env.To = nil
	save(t, s, &done)
}

func all(t testing.TB, s Spool) map[string]*Entry {
	t.Helper()
	m := map[string]*Entry{}
	for e, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatalf("All: %v", err)
		}
		if m[e.ID] != nil {
			t.Errorf("All yields %s twice", e.ID)
		}
		m[e.ID] = e
	}
	return m
}

func keys(m map[string]*Entry) string { return strings.Join(slices.Sorted(maps.Keys(m)), " ") }

// testSpool checks what every Spool promises. open opens the same spool again,
// after the one before it was closed, as a new process would.
func testSpool(t *testing.T, newSpool func(t *testing.T) (open func() Spool)) {
	t.Run("Put is read back", func(t *testing.T) {
		s := newSpool(t)()
		for _, size := range []int{0, 1, 4096, MaxInline, MaxInline + 1, 1 << 20} {
			msg := strings.Repeat("a\x00\r\n\xff", size/5+1)[:size]
			e := newEntry("m"+time.Duration(size).String(), "example.com")
			put(t, s, msg, e)
			got := next(t, s, now, 10)
			if ids(got) != e.ID {
				t.Fatalf("Next leases %q, want %s", ids(got), e.ID)
			}
			if content(t, s, got[0]) != msg {
				t.Errorf("content of %d octets is not what was put", size)
			}
			finish(t, s, got[0])
		}
	})

	t.Run("An entry survives a restart whole", func(t *testing.T) {
		open := newSpool(t)
		s := open()
		e := fullEntry()
		put(t, s, "x", e)
		s = open()
		got := next(t, s, e.Due, 1)
		if len(got) != 1 {
			t.Fatal("entry is gone")
		}
		sameEntry(t, got[0], e)
		e.Attempts, e.Due, e.Last = 8, e.Due.Add(time.Hour), []string{"451 later", ""}
		save(t, s, e)
		s = open()
		sameEntry(t, all(t, s)[e.ID], e)
	})

	t.Run("Entries of one Put share its content until the last is finished", func(t *testing.T) {
		open := newSpool(t)
		s := open()
		for _, msg := range []string{"small", strings.Repeat("b", MaxInline+1)} {
			put(t, s, msg, newEntry("a", "a.example"), newEntry("b", "b.example"))
			for i, e := range next(t, s, now, 2) {
				if content(t, s, e) != msg {
					t.Errorf("entry %s has other content", e.ID)
				}
				if i == 0 {
					finish(t, s, e)
				} else {
					save(t, s, e)
				}
			}
			s = open()
			rest := next(t, s, now, 2)
			if len(rest) != 1 || content(t, s, rest[0]) != msg {
				t.Fatalf("after one is finished Next leases %q", ids(rest))
			}
			finish(t, s, rest[0])
			if s = open(); len(all(t, s)) != 0 {
				t.Errorf("finished entries are back: %s", keys(all(t, s)))
			}
		}
	})

	t.Run("A read error leaves nothing", func(t *testing.T) {
		open := newSpool(t)
		s := open()
		for _, size := range []int{10, MaxInline + 10} {
			gone := errors.New("the peer went away")
			msg := io.MultiReader(strings.NewReader(strings.Repeat("a", size)), iotest.ErrReader(gone))
			if err := s.Put(t.Context(), msg, newEntry("a", "example.com")); !errors.Is(err, gone) {
				t.Errorf("Put: %v, want the read error", err)
			}
			if err := s.Put(t.Context(), &io.LimitedReader{R: iotest.ErrReader(io.ErrUnexpectedEOF), N: 1}, newEntry("a", "example.com")); err != io.ErrUnexpectedEOF {
				t.Errorf("Put: %v, want io.ErrUnexpectedEOF", err)
			}
		}
		if s = open(); len(all(t, s)) != 0 {
			t.Errorf("the spool has %s", keys(all(t, s)))
		}
	})

	t.Run("A repeat is ErrExists, what is new of it is put", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "x", newEntry("a", "a.example"), newEntry("b", "b.example"))
		if err := s.Put(t.Context(), strings.NewReader("x"), newEntry("b", "b.example"), newEntry("a", "a.example")); !errors.Is(err, ErrExists) {
			t.Errorf("Put again: %v, want ErrExists", err)
		}
		put(t, s, "x", newEntry("b", "b.example"), newEntry("c", "c.example"))
		if got := keys(all(t, s)); got != "a b c" {
			t.Errorf("the spool has %s, want a b c", got)
		}
	})

	t.Run("Of two Puts at once with one ID one is ErrExists, or both fail", func(t *testing.T) {
		s := newSpool(t)()
		gone := errors.New("the peer went away")
		first, reading := io.Pipe()
		result := make(chan error, 2)
		go func() { result <- s.Put(t.Context(), first, newEntry("a", "example.com")) }()
		reading.Write([]byte("x")) // the first Put has begun
		go func() { result <- s.Put(t.Context(), strings.NewReader("second"), newEntry("a", "example.com")) }()
		reading.CloseWithError(gone)
		errs := []error{<-result, <-result}
		if !slices.Contains(errs, gone) || !slices.Contains(errs, nil) {
			t.Errorf("Put: %v, want one read error and one nil", errs)
		}
		if e := all(t, s)["a"]; e == nil || content(t, s, e) != "second" {
			t.Error("the second message is lost")
		}
	})

	t.Run("Who waits for another Put may give up", func(t *testing.T) {
		s := newSpool(t)()
		first, reading := io.Pipe()
		result := make(chan error)
		go func() { result <- s.Put(context.Background(), first, newEntry("a", "example.com")) }()
		reading.Write([]byte("x"))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if err := s.Put(ctx, strings.NewReader("second"), newEntry("a", "example.com")); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v, want context.Canceled", err)
		}
		reading.Close()
		if err := <-result; err != nil {
			t.Errorf("the first Put: %v", err)
		}
	})

	t.Run("IDs that cannot be are refused", func(t *testing.T) {
		s := newSpool(t)()
		for _, id := range []string{"", "\xff", strings.Repeat("a", 256)} {
			if err := s.Put(t.Context(), strings.NewReader("x"), newEntry(id, "example.com")); err == nil || errors.Is(err, ErrExists) {
				t.Errorf("Put with the ID %q: %v, want an error", id, err)
			}
		}
		if err := s.Put(t.Context(), strings.NewReader("x"), newEntry("a", "a.example"), newEntry("a", "b.example")); err == nil || errors.Is(err, ErrExists) {
			t.Errorf("Put with one ID twice: %v, want an error", err)
		}
		if err := s.Put(t.Context(), strings.NewReader("x")); err == nil {
			t.Error("Put without entries: want an error")
		}
		for _, id := range []string{" ", "..", ".", "a/b", "\n", "a\"b", "é", strings.Repeat("b", 255)} {
			put(t, s, strings.Repeat("x", MaxInline+1), newEntry(id, id))
		}
	})

	t.Run("Next leases what is due, earliest first", func(t *testing.T) {
		s := newSpool(t)()
		for i, id := range []string{"c", "a", "b", "later"} {
			e := newEntry(id, "example.com")
			e.Due = now.Add([]time.Duration{-time.Minute, -time.Hour, -2 * time.Minute, time.Hour}[i])
			put(t, s, id, e)
		}
		held := newEntry("held", "example.com")
		held.Held = true
		put(t, s, "held", held)
		if got := ids(next(t, s, now, 2)); got != "a b" {
			t.Errorf("Next leases %q, want a b", got)
		}
		if got := ids(next(t, s, now, 2)); got != "c" {
			t.Errorf("Next leases %q, want c", got)
		}
		entries, due, err := s.Next(t.Context(), Query{Now: now, Max: 2})
		if len(entries) != 0 || !due.Equal(now.Add(time.Hour)) || err != nil {
			t.Errorf("Next: %q, %v, %v, want none until an hour later", ids(entries), due, err)
		}
		if got := ids(next(t, s, now.Add(time.Hour), 2)); got != "later" {
			t.Errorf("an hour later Next leases %q, want later", got)
		}
		if entries, due, err = s.Next(t.Context(), Query{Now: now, Max: 2}); len(entries) != 0 || !due.IsZero() || err != nil {
			t.Errorf("Next: %q, %v, %v, want none, ever", ids(entries), due, err)
		}
	})

	t.Run("Next passes over destinations", func(t *testing.T) {
		s := newSpool(t)()
		for _, id := range []string{"a1", "a2", "b1", "c1"} {
			put(t, s, id, newEntry(id, id[:1]+".example"))
		}
		if got := ids(next(t, s, now, 4, "a.example", "c.example")); got != "b1" {
			t.Errorf("Next leases %q, want b1", got)
		}
		if got := len(next(t, s, now, 4)); got != 3 {
			t.Errorf("Next leases %d, want the other 3", got)
		}
	})

	t.Run("Lease takes what is not due, once", func(t *testing.T) {
		s := newSpool(t)()
		e := newEntry("a", "example.com")
		e.Held, e.Due = true, now.Add(time.Hour)
		put(t, s, "x", e)
		got, err := s.Lease(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Lease(t.Context(), "a"); !errors.Is(err, ErrLeased) {
			t.Errorf("Lease again: %v, want ErrLeased", err)
		}
		if _, err := s.Lease(t.Context(), "none"); !errors.Is(err, ErrNoEntry) {
			t.Errorf("Lease of none: %v, want ErrNoEntry", err)
		}
		got.Held, got.Due = false, now
		save(t, s, got)
		if got := ids(next(t, s, now, 1)); got != "a" {
			t.Errorf("released, Next leases %q, want a", got)
		}
	})

	t.Run("Save needs a lease, and ends it", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "x", newEntry("a", "example.com"))
		if err := s.Save(t.Context(), newEntry("a", "example.com")); !errors.Is(err, ErrLeased) {
			t.Errorf("Save without a lease: %v, want ErrLeased", err)
		}
		e := next(t, s, now, 1)[0]
		save(t, s, e)
		if err := s.Save(t.Context(), e); !errors.Is(err, ErrLeased) {
			t.Errorf("Save again: %v, want ErrLeased", err)
		}
		finish(t, s, next(t, s, now, 1)[0])
		if err := s.Save(t.Context(), e); !errors.Is(err, ErrLeased) {
			t.Errorf("Save when finished: %v, want ErrLeased", err)
		}
		if _, err := s.Open(t.Context(), e); !errors.Is(err, ErrNoEntry) {
			t.Errorf("Open when finished: %v, want ErrNoEntry", err)
		}
	})

	t.Run("Save can change the destination", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "x", newEntry("a", "a.example"))
		e := next(t, s, now, 1)[0]
		e.Dest = "b.example"
		save(t, s, e)
		if got := next(t, s, now, 1, "b.example"); got != nil {
			t.Errorf("Next leases %q", ids(got))
		}
		if got := next(t, s, now, 1, "a.example"); ids(got) != "a" || got[0].Dest != "b.example" {
			t.Errorf("Next leases %q", ids(got))
		}
	})

	t.Run("All yields what is leased too, and may be left", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "x", newEntry("a", "a.example"), newEntry("b", "b.example"))
		next(t, s, now, 1)
		for range s.All(t.Context()) {
			break
		}
		for e := range s.All(t.Context()) { // calls back in
			if e.ID == "b" {
				put(t, s, "x", newEntry("c", "c.example"))
			}
		}
		if got := keys(all(t, s)); got != "a b c" {
			t.Errorf("All yields %s", got)
		}
	})

	t.Run("Several read one message at once", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "0123456789", newEntry("a", "a.example"))
		e := next(t, s, now, 1)[0]
		r1, err1 := s.Open(t.Context(), e)
		r2, err2 := s.Open(t.Context(), e)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		defer r1.Close()
		defer r2.Close()
		finish(t, s, e) // what is open stays readable
		if err := iotest.TestReader(r1, []byte("0123456789")); err != nil {
			t.Error(err)
		}
		if err := iotest.TestReader(r2, []byte("0123456789")); err != nil {
			t.Error(err)
		}
	})

	t.Run("Each entry is leased by one of many", func(t *testing.T) {
		s := newSpool(t)()
		const n, workers = 200, 10
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < n; i += workers {
					put(t, s, "x", newEntry(time.Duration(i).String(), "example.com"))
				}
			})
		}
		wg.Wait()
		var mu sync.Mutex
		seen := map[string]int{}
		for range workers {
			wg.Go(func() {
				for {
					entries := next(t, s, now, 3)
					if len(entries) == 0 {
						return
					}
					for _, e := range entries {
						mu.Lock()
						seen[e.ID]++
						mu.Unlock()
						finish(t, s, e)
					}
				}
			})
		}
		wg.Wait()
		if len(seen) != n || slices.Max(slices.Collect(maps.Values(seen))) != 1 {
			t.Errorf("%d of %d entries were leased", len(seen), n)
		}
	})

	t.Run("A context that has ended stops every call", func(t *testing.T) {
		s := newSpool(t)()
		put(t, s, "x", newEntry("a", "a.example"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Put(ctx, strings.NewReader("x"), newEntry("b", "a.example")); !errors.Is(err, context.Canceled) {
			t.Errorf("Put: %v", err)
		}
		if _, _, err := s.Next(ctx, Query{Now: now, Max: 1}); !errors.Is(err, context.Canceled) {
			t.Errorf("Next: %v", err)
		}
		if _, err := s.Lease(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("Lease: %v", err)
		}
		for _, err := range s.All(ctx) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("All: %v", err)
			}
		}
		if got := ids(next(t, s, now, 2)); got != "a" {
			t.Errorf("Next leases %q, want a", got)
		}
	})
}
