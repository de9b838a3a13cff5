package mailtest

import (
	"context"

	"github.com/mailparts/mailparts"
)

// Outline walks over the messages.
func (b memoryHandle) Outline(context.Context) (o mailparts.Outline, err error) {
	err = b.update("r", func(mine mailparts.Rights) error {
		o.Status = b.status(mine)
		for _, m := range b.messages {
			o.UIDs.Add(m.uid, m.uid)
			if o.FirstUnseen == 0 && !hasFlag(m.flags, mailparts.FlagSeen) {
				o.FirstUnseen = m.uid
			}
		}
		return nil
	})
	return o, err
}
