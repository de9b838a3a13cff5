package mailtest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"time"

	"github.com/mailparts/mailparts"
)

// Append reads all messages before it takes the lock to add them.
func (b memoryHandle) Append(ctx context.Context, msgs iter.Seq2[mailparts.Incoming, error]) (mailparts.Placed, error) {
	var batch []*memoryMessage
	var need claim
	for in, err := range msgs {
		if err == nil {
			// A refusal comes before the first Read.
			err = b.update("i", func(mailparts.Rights) error { return b.fits(need.plus(in.Size, in.Replaces)) })
		}
		if err != nil {
			return mailparts.Placed{}, err
		}
		raw, err := io.ReadAll(in.Body)
		if err != nil {
			return mailparts.Placed{}, err
		}
		m := &memoryMessage{flags: in.Flags, received: in.Received, id: in.ID, body: toCRLF(raw)}
		need = need.plus(int64(len(m.body)), in.Replaces)
		if m.received.IsZero() {
			m.received = time.Now()
		}
		batch = append(batch, m)
	}
	if err := ctx.Err(); err != nil {
		return mailparts.Placed{}, err
	}
	var placed mailparts.Placed
	err := b.update("i", func(mine mailparts.Rights) error {
		if err := b.fits(need); err != nil {
			return err
		}
		placed = b.add(batch, mine)
		return nil
	})
	return placed, err
}

// add gives each message its place, and of its flags those that mine allow. The
// caller holds the lock.
func (b *memoryMailbox) add(batch []*memoryMessage, mine mailparts.Rights) mailparts.Placed {
	placed := mailparts.Placed{UIDValidity: b.uidValidity}
	if len(batch) == 0 {
		return placed
	}
	b.highest++
	for _, m := range batch {
		m.uid, m.modSeq = b.uidNext, b.highest
		m.flags = b.change(nil, mailparts.AddFlags, allowedFlags(mine, m.flags))
		m.saved = time.Now()
		if m.id == "" {
			m.id = b.store.memory.newID("M")
		}
		b.messages = append(b.messages, m)
		b.count(m, +1)
		b.uidNext++
		placed.UIDs.Add(m.uid, m.uid)
	}
	b.touch()
	return placed
}

// count adds m to the totals, or takes it out of them.
func (b *memoryMailbox) count(m *memoryMessage, sign int) {
	size := int64(sign * len(m.body))
	b.counts.Size += size
	if !hasFlag(m.flags, mailparts.FlagSeen) {
		b.counts.Unseen += uint32(sign)
	}
	if hasFlag(m.flags, mailparts.FlagDeleted) {
		b.counts.Deleted += uint32(sign)
		b.counts.DeletedSize += size
	}
}

// toCRLF puts a CR before each LF that has none.
func toCRLF(raw []byte) []byte {
	bare := bytes.Count(raw, []byte("\n")) - bytes.Count(raw, []byte("\r\n"))
	if bare == 0 {
		return raw
	}
	out := make([]byte, 0, len(raw)+bare)
	for i, c := range raw {
		if c == '\n' && (i == 0 || raw[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}
