package mailtest

import (
	"context"
	"slices"

	"github.com/mailparts/mailparts"
)

// expunged is what one change removed.
type expunged struct {
	at   mailparts.ModSeq
	uids mailparts.UIDSet
}

// Expunge frees the bodies once their readers are done.
func (b memoryHandle) Expunge(_ context.Context, uids mailparts.UIDSet, having mailparts.Flag) error {
	return b.view("e", func() { b.expunge(uids, having) })
}

func (b *memoryMailbox) expunge(uids mailparts.UIDSet, having mailparts.Flag) {
	var gone mailparts.UIDSet
	for m := range b.in(uids) {
		if having == "" || hasFlag(m.flags, having) {
			gone.Add(m.uid, m.uid)
			b.count(m, -1)
		}
	}
	if len(gone) == 0 {
		return
	}
	b.messages = slices.DeleteFunc(b.messages, func(m *memoryMessage) bool { return gone.Contains(m.uid) })
	b.highest++
	b.expunged = append(b.expunged, expunged{b.highest, gone})
	b.touch()
}

// Vanished is exact: Memory forgets nothing.
func (b memoryHandle) Vanished(_ context.Context, since mailparts.ModSeq) (uids mailparts.UIDSet, err error) {
	err = b.view("r", func() {
		for _, e := range slices.Backward(b.expunged) {
			if e.at <= since {
				return
			}
			for _, r := range e.uids {
				uids.Add(r.First, r.Last)
			}
		}
	})
	return uids, err
}
