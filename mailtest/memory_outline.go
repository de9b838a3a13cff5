package mailtest

import (
	"context"

	"github.com/mailparts/mailparts"
)

// Outline walks over the messages.
func (b memoryHandle) Outline(context.Context) (o mailparts.Outline, err error) {
	err = b.view("r", func() {
		for _, m := range b.messages {
			o.UIDs.Add(m.uid, m.uid)
			if o.FirstUnseen == 0 && !hasFlag(m.flags, mailparts.FlagSeen) {
				o.FirstUnseen = m.uid
			}
		}
	})
	return o, err
}
