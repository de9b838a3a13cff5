package main

import (
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// inbox is what mail asks for beyond the notes: UIDs that ascend and have 32 bits,
// and flags. An app that lives longer keeps this table where it keeps its notes.
type inbox struct {
	app      *App
	user     string
	validity uint32
	rows     []row // UIDs ascend
	next     mailparts.UID
}

type row struct {
	uid      mailparts.UID
	key      key
	version  int // an edited note is another message
	flags    []mailparts.Flag
	received time.Time
}

var systemFlags = []mailparts.Flag{`\Seen`, `\Answered`, `\Flagged`, `\Deleted`, `\Draft`}

// Open implements mailparts.Backend.
func (a *App) Open(_ context.Context, user string) (mailparts.Store, error) {
	if b, ok := a.users[user]; ok {
		return b, nil
	}
	return nil, mailparts.ErrNoUser
}

// List implements mailparts.Store, which has one mailbox and is that too.
func (b *inbox) List(context.Context) iter.Seq2[mailparts.MailboxInfo, error] {
	return func(yield func(mailparts.MailboxInfo, error) bool) { yield(mailparts.MailboxInfo{Name: "INBOX"}, nil) }
}

func (b *inbox) Mailbox(_ context.Context, name string) (mailparts.Mailbox, error) {
	if name != "INBOX" {
		return nil, mailparts.ErrNoMailbox
	}
	return b, nil
}

// lock brings the table up to date with the notes.
func (b *inbox) lock() (unlock func()) {
	b.app.mu.Lock()
	known := map[key]bool{}
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		known[r.key] = b.app.notes[r.key].version == r.version
		return !known[r.key]
	})
	for k, n := range b.app.notes {
		if k.user == b.user && !known[k] {
			b.add(row{key: k, version: n.version, received: time.Now()})
		}
	}
	return b.app.mu.Unlock
}

func (b *inbox) add(r row) mailparts.UID {
	r.uid = b.next
	b.rows = append(b.rows, r)
	b.next++
	return r.uid
}

func (b *inbox) Status(context.Context) (mailparts.Status, error) {
	defer b.lock()()
	return mailparts.Status{UIDValidity: b.validity, UIDNext: b.next, Messages: uint32(len(b.rows)), PermanentFlags: systemFlags}, nil
}

func (b *inbox) Messages(_ context.Context, uids mailparts.UIDSet, q mailparts.Query) iter.Seq2[mailparts.Message, error] {
	return func(yield func(mailparts.Message, error) bool) {
		var msgs []mailparts.Message // yielded without the lock
		unlock := b.lock()
		for _, r := range b.rows {
			if uids.Contains(r.uid) && q.Since == 0 { // there are no mod-sequences
				size := int64(len(b.app.notes[r.key].text))
				msgs = append(msgs, mailparts.Message{UID: r.uid, Flags: r.flags, Size: size, Received: r.received})
			}
		}
		unlock()
		for _, m := range msgs {
			if !yield(m, nil) {
				return
			}
		}
	}
}

func (b *inbox) Body(_ context.Context, uid mailparts.UID) (io.ReadCloser, error) {
	defer b.lock()()
	for _, r := range b.rows {
		if r.uid == uid {
			return io.NopCloser(strings.NewReader(b.app.notes[r.key].text)), nil
		}
	}
	return nil, mailparts.ErrNoMessage
}

// Append makes a note of each message.
func (b *inbox) Append(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (placed mailparts.Placed, err error) {
	var texts []string // all of them or none
	var rows []row
	for m, err := range msgs {
		var text []byte
		if err == nil {
			text, err = io.ReadAll(m.Body)
		}
		if err != nil {
			return placed, err
		}
		if m.Received.IsZero() {
			m.Received = time.Now()
		}
		texts = append(texts, strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n", "\r\n"))
		rows = append(rows, row{key: key{b.user, rand.Uint64()}, version: 1, flags: change(nil, mailparts.AddFlags, m.Flags), received: m.Received})
	}
	defer b.lock()()
	placed.UIDValidity = b.validity
	for i, r := range rows {
		b.app.put(r.key, texts[i])
		uid := b.add(r)
		placed.UIDs.Add(uid, uid)
	}
	return placed, nil
}

func (b *inbox) SetFlags(_ context.Context, uids mailparts.UIDSet, c mailparts.FlagChange) (mailparts.ModSeq, mailparts.UIDSet, error) {
	defer b.lock()()
	for i, r := range b.rows {
		if uids.Contains(r.uid) {
			b.rows[i].flags = change(r.flags, c.Op, c.Flags)
		}
	}
	return 0, nil, nil
}

// change makes a new slice: readers have the old one.
func change(old []mailparts.Flag, op mailparts.FlagOp, flags []mailparts.Flag) (out []mailparts.Flag) {
	for _, f := range systemFlags {
		had, named := in(old, f), in(flags, f)
		if op == mailparts.AddFlags && (had || named) || op == mailparts.RemoveFlags && had && !named || op == mailparts.ReplaceFlags && named {
			out = append(out, f)
		}
	}
	return out
}

func in(list []mailparts.Flag, f mailparts.Flag) bool {
	return slices.ContainsFunc(list, func(g mailparts.Flag) bool { return strings.EqualFold(string(f), string(g)) })
}

// Expunge deletes the notes.
func (b *inbox) Expunge(_ context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	defer b.lock()()
	b.rows = slices.DeleteFunc(b.rows, func(r row) bool {
		return uids.Contains(r.uid) && (having == "" || in(r.flags, having)) && b.app.remove(r.key)
	})
	return nil
}
