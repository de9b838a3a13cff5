package mailtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts"
)

func appendPromises() []promise {
	return []promise{
		{"keeps body, flags and date", appendKeeps},
		{"keeps dates of any age and zone to the second", appendDates},
		{"dates a message now if it has no date", appendNow},
		{"leaves nothing after a read error", appendReadError},
		{"leaves nothing of a batch after a read error", appendBatchReadError},
		{"takes nothing but io.EOF for the end", appendOnlyEOF},
		{"leaves nothing after an error of its iterator", appendIteratorError},
		{"adds a batch or none of it", appendBatch},
		{"adds nothing for an empty batch", appendEmpty},
		{"reads each body before it asks for the next message", appendInTurn},
		{"takes octets however a reader gives them", appendReaders},
		{"holds no lock while it reads", appendNoLock},
		{"holds no lock while it waits for a message", appendNoLockBetween},
		{"shows a message only when it is whole", appendWhole},
		{"is all or nothing when its context ends", appendCancelled},
		{"gives each message an id and keeps the one it brings", appendIDs},
		{"leaves the caller's flags alone", appendCallersFlags},
	}
}

var errRead = errors.New("the peer went away")

// failAfter yields s and then err.
func failAfter(s string, err error) io.Reader {
	return io.MultiReader(strings.NewReader(s), iotest.ErrReader(err))
}

func appendKeeps(x *trial) {
	x.needFlags(mailparts.FlagSeen, mailparts.FlagFlagged)
	const body = "Subject: kept\r\n\r\nas it came\r\n"
	date := time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)
	uid := x.add(x.inbox, mailparts.Incoming{
		Body: strings.NewReader(body), Size: int64(len(body)), Received: date,
		Flags: []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagFlagged},
	})[0]
	m := x.message(x.inbox, uid)
	if m.Size != int64(len(body)) {
		x.Errorf("Size is %d, want %d", m.Size, len(body))
	}
	if !m.Received.Equal(date) {
		x.Errorf("Received is %v, want %v", m.Received, date)
	}
	x.wantFlags("as appended", x.inbox, uid, mailparts.FlagSeen, mailparts.FlagFlagged)
	x.wantBodies("as appended", x.inbox, body)
}

func appendDates(x *trial) {
	for _, date := range []time.Time{
		time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC),
		time.Date(2024, 2, 29, 23, 59, 59, 0, time.FixedZone("", -12*3600)),
		time.Date(2030, 1, 1, 0, 0, 0, 0, time.FixedZone("", 14*3600)),
		time.Date(2021, 6, 7, 8, 9, 10, 987654321, time.UTC),
	} {
		in := text("m")
		in.Received = date
		got := x.message(x.inbox, x.add(x.inbox, in)[0]).Received
		if got.Unix() != date.Unix() {
			x.Errorf("appended with the date %v, has %v", date, got)
		}
	}
}

func appendNow(x *trial) {
	before := time.Now().Add(-2 * time.Second) // a disk's clock may be coarse
	got := x.message(x.inbox, x.addTexts(x.inbox, "m")[0]).Received
	if after := time.Now().Add(2 * time.Second); got.Before(before) || got.After(after) {
		x.Errorf("appended without a date, Received is %v, want about %v", got, after)
	}
}

// wantNothing checks that an Append failed with errRead and left no message.
func (x *trial) wantNothing(what string, err error) {
	x.Helper()
	x.wantError(what, err, errRead)
	x.wantUIDs(what, x.inbox)
	if n := x.status(x.inbox).Messages; n != 0 {
		x.Errorf("%s: Status says %d messages, want none", what, n)
	}
}

func appendReadError(x *trial) {
	const body = "Subject: cut\r\n\r\n.\r\n"
	for n := range len(body) + 1 {
		_, err := mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: failAfter(body[:n], errRead), Size: int64(len(body))})
		x.wantNothing(fmt.Sprintf("a read error after %d of %d octets", n, len(body)), err)
	}
	_, err := mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: iotest.DataErrReader(failAfter(body, errRead))})
	x.wantNothing("a read error together with the last octets", err)
	large := octets(1 << 20)
	for _, n := range []int{511, 4095, 4096, 4097, 32<<10 - 1, 32 << 10, 64 << 10, 100_001, 320_000, 1 << 20} {
		_, err = mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: failAfter(large[:n], errRead)})
		x.wantNothing(fmt.Sprintf("a read error after %d octets", n), err)
	}
}

func appendBatchReadError(x *trial) {
	const body = "Subject: cut\r\n\r\n.\r\n"
	for n := range len(body) + 1 {
		_, err := x.inbox.Append(x.Context(), batch(text("whole"), mailparts.Incoming{Body: failAfter(body[:n], errRead)}, text("never asked for")))
		x.wantNothing(fmt.Sprintf("a read error after %d of %d octets of the second", n, len(body)), err)
	}
}

func appendOnlyEOF(x *trial) {
	for _, end := range []error{io.ErrUnexpectedEOF, fmt.Errorf("connection reset: %w", io.EOF), io.ErrClosedPipe} {
		_, err := mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: failAfter("cut", end)})
		x.wantError("a body that ends with "+end.Error(), err, end)
		x.wantUIDs("a body that ends with "+end.Error(), x.inbox)
	}
}

func appendIteratorError(x *trial) {
	for n := range 3 {
		_, err := x.inbox.Append(x.Context(), func(yield func(mailparts.Incoming, error) bool) {
			for i := range n {
				if !yield(text(fmt.Sprintf("message %d", i)), nil) {
					return
				}
			}
			yield(mailparts.Incoming{}, errRead)
		})
		x.wantNothing(fmt.Sprintf("an error after %d messages", n), err)
	}
}

func appendBatch(x *trial) {
	const size = 4
	for k := range size {
		var msgs []mailparts.Incoming
		for i := range size {
			msgs = append(msgs, text(fmt.Sprintf("message %d\r\n", i)))
		}
		msgs[k].Body = failAfter("mess", errRead)
		asked := 0
		_, err := x.inbox.Append(x.Context(), func(yield func(mailparts.Incoming, error) bool) {
			for _, m := range msgs {
				if asked++; !yield(m, nil) {
					return
				}
			}
		})
		x.wantNothing(fmt.Sprintf("a batch of %d whose number %d fails", size, k), err)
		if asked != k+1 {
			x.Errorf("number %d of a batch failed and %d were asked for, want no more after an error", k, asked)
		}
	}
	uids := x.addTexts(x.inbox, "a", "b", "c")
	x.wantUIDs("a batch that does not fail", x.inbox, uids...)
}

func appendEmpty(x *trial) {
	before := x.status(x.inbox)
	placed, err := x.inbox.Append(x.Context(), batch())
	x.must("Append of nothing", err)
	after := x.status(x.inbox)
	if len(placed.UIDs) != 0 || placed.UIDValidity != before.UIDValidity {
		x.Errorf("Append of nothing: placed %+v, want no UIDs and UIDVALIDITY %d", placed, before.UIDValidity)
	}
	if after.Messages != 0 || after.UIDNext != before.UIDNext {
		x.Errorf("Append of nothing: Status %+v, was %+v", after, before)
	}
}

func appendInTurn(x *trial) {
	var last *eofReader
	_, err := x.inbox.Append(x.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for i := range 3 {
			if last != nil && !last.ended {
				x.Errorf("message %d was asked for before the body of the last was read to its end", i)
			}
			last = &eofReader{r: strings.NewReader("some text\r\n")}
			if !yield(mailparts.Incoming{Body: last}, nil) {
				return
			}
		}
	})
	x.must("Append", err)
}

// eofReader knows whether its reader has seen io.EOF.
type eofReader struct {
	r     io.Reader
	ended bool
}

func (r *eofReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.ended = r.ended || err == io.EOF
	return n, err
}

func appendReaders(x *trial) {
	const body = "Subject: cut\n\nbare\r\r\nand \r lone\r\n.\n"
	want := crlf(body)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"one octet at a time":      iotest.OneByteReader,
		"half of what is asked":    iotest.HalfReader,
		"io.EOF with the last":     iotest.DataErrReader,
		"one at a time, with EOF":  func(r io.Reader) io.Reader { return iotest.DataErrReader(iotest.OneByteReader(r)) },
		"nothing at times":         func(r io.Reader) io.Reader { return &lazyReader{r: r} },
		"as a WriterTo and Seeker": func(io.Reader) io.Reader { return strings.NewReader(body) },
	} {
		uid := x.add(x.inbox, mailparts.Incoming{Body: wrap(strings.NewReader(body))})[0]
		if got := x.body(x.inbox, uid); got != want {
			x.Errorf("a reader that gives %s: Body is %q, want %q", name, got, want)
		}
	}
}

// lazyReader gives nothing and no error at every second Read, as an io.Reader
// may.
type lazyReader struct {
	r    io.Reader
	busy bool
}

func (r *lazyReader) Read(p []byte) (int, error) {
	if r.busy = !r.busy; !r.busy {
		return 0, nil
	}
	return r.r.Read(p[:min(len(p), 3)])
}

// readFunc is a body that calls f at its first Read and then is s.
func readFunc(s string, f func()) io.Reader {
	done := false
	r := strings.NewReader(s)
	return readerFunc(func(p []byte) (int, error) {
		if !done {
			done = true
			f()
		}
		return r.Read(p)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func appendNoLock(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	x.within("Append whose body's reader calls the mailbox", func() error {
		var inner error
		_, err := mailparts.Append(x.Context(), x.inbox, mailparts.Incoming{Body: readFunc("outer", func() {
			inner = x.callAll(uids[0], uids[1])
		})})
		return errors.Join(err, inner)
	})
	got := x.bodies(x.inbox)
	slices.Sort(got)
	if want := []string{"a", "inner", "outer"}; !slices.Equal(got, want) {
		x.Errorf("the mailbox holds %q, want %q in any order", got, want)
	}
}

func appendNoLockBetween(x *trial) {
	uids := x.addTexts(x.inbox, "a", "b")
	x.within("Append whose iterator calls the mailbox", func() error {
		var inner error
		_, err := x.inbox.Append(x.Context(), func(yield func(mailparts.Incoming, error) bool) {
			if yield(text("outer"), nil) {
				inner = x.callAll(uids[0], uids[1])
			}
		})
		return errors.Join(err, inner)
	})
	got := x.bodies(x.inbox)
	slices.Sort(got)
	if want := []string{"a", "inner", "outer"}; !slices.Equal(got, want) {
		x.Errorf("the mailbox holds %q, want %q in any order", got, want)
	}
}

// callAll calls every method of the inbox, and expunges gone.
func (x *trial) callAll(uid, gone mailparts.UID) error {
	ctx := x.Context()
	if _, err := x.inbox.Status(ctx); err != nil {
		return err
	}
	if _, err := collect(ctx, x.inbox, mailparts.AllUIDs(), mailparts.Query{Want: wantAll}); err != nil {
		return err
	}
	body, err := x.inbox.Body(ctx, uid)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return err
	}
	if err := body.Close(); err != nil {
		return err
	}
	if _, err := mailparts.Append(ctx, x.inbox, text("inner")); err != nil {
		return err
	}
	if _, _, err := x.inbox.SetFlags(ctx, set(uid), mailparts.FlagChange{Flags: []mailparts.Flag{mailparts.FlagSeen}}); err != nil {
		return err
	}
	return x.inbox.Expunge(ctx, set(gone), "")
}

func appendWhole(x *trial) {
	look := func(when string) func() {
		return func() {
			if msgs, err := collect(x.Context(), x.inbox, mailparts.AllUIDs(), mailparts.Query{}); err != nil || len(msgs) != 0 {
				x.Errorf("%s: Messages yields %v, %v, want none yet", when, msgs, err)
			}
			if st, err := x.inbox.Status(x.Context()); err != nil || st.Messages != 0 {
				x.Errorf("%s: Status says %d messages, %v, want none yet", when, st.Messages, err)
			}
		}
	}
	x.within("Append whose body's reader looks at the mailbox", func() error {
		_, err := x.inbox.Append(x.Context(), batch(
			mailparts.Incoming{Body: io.MultiReader(strings.NewReader("half"), readFunc("", look("at the end of the first body")))},
			mailparts.Incoming{Body: readFunc("second", look("while the second body is read"))},
		))
		return err
	})
	x.wantBodies("after the batch", x.inbox, "half", "second")
}

func appendCancelled(x *trial) {
	ctx, cancel := context.WithCancel(x.Context())
	placed, err := mailparts.Append(ctx, x.inbox, mailparts.Incoming{Body: readFunc("cut short", cancel)})
	if err != nil {
		x.wantUIDs("Append that failed with "+err.Error(), x.inbox)
	} else {
		x.wantUIDs("Append that did not mind its context", x.inbox, each(placed.UIDs)...)
	}
}

func appendIDs(x *trial) {
	uids := x.addTexts(x.inbox, "same", "same")
	a, b := x.message(x.inbox, uids[0]).ID, x.message(x.inbox, uids[1]).ID
	if a == "" && b == "" {
		x.Skip("the store keeps no EMAILID")
	}
	if a == b || a == "" || b == "" {
		x.Errorf("two messages have the IDs %q and %q, want two different ones", a, b)
	}
	in := text("same")
	in.ID = a
	dst := x.other()
	if got := x.message(dst, x.add(dst, in)[0]).ID; got != a {
		x.Errorf("a message that came with the ID %q has %q", a, got)
	}
}

func appendCallersFlags(x *trial) {
	flags := []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDraft}
	in := text("m")
	in.Flags = flags
	uid := x.add(x.inbox, in)[0]
	x.setFlags(x.inbox, set(uid), mailparts.ReplaceFlags, mailparts.FlagDeleted)
	if want := []mailparts.Flag{mailparts.FlagSeen, mailparts.FlagDraft}; !slices.Equal(flags, want) {
		x.Errorf("the flags given to Append are %v now, want %v", flags, want)
	}
	flags[0], flags[1] = "changed", "changed"
	x.wantFlags("after the caller used its slice again", x.inbox, uid, mailparts.FlagDeleted)
}
