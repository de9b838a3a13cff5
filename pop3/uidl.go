package pop3

import (
	"context"
	"strings"

	"github.com/mailparts/mailparts"
)

// uidl is UIDL [msg] (RFC 1939 section 7).
func (s *session) uidl(args [][]byte) error {
	if err := s.drop.loadIDs(s.ctx); err != nil {
		return err
	}
	return s.listing(args, s.uniqueIDListing)
}

// uniqueIDListing writes the number and the unique-id of messages[i].
func (s *session) uniqueIDListing(i int) {
	s.out.number(int64(i) + 1)
	if d := s.drop; d.ids != nil && d.ids[i] != "" {
		s.out.print(" ", d.ids[i])
	} else {
		s.out.print(" ", d.idPrefix)
		s.out.number(int64(d.messages[i].uid))
	}
	s.out.print("\r\n")
}

// loadIDs asks the mailbox once for the unique-ids that another server gave out
// before, so that nobody downloads all again after a migration. After an error
// it asks again: a message must not have one unique-id now and another later.
func (d *maildrop) loadIDs(ctx context.Context) error {
	if d.idsLoaded {
		return nil
	}
	for id, err := range mailparts.UIDLs(ctx, d.mailbox) {
		if err != nil {
			return err
		}
		i := d.find(id.UID)
		if i < 0 || !d.usable(id.ID) {
			continue
		}
		if d.ids == nil {
			d.ids = make([]string, len(d.messages))
		}
		d.ids[i] = id.ID
	}
	d.idsLoaded = true
	return nil
}

// usable reports whether an id that was given out before is one of RFC 1939, and
// none that another message has from us.
func (d *maildrop) usable(id string) bool {
	return len(id) >= 1 && len(id) <= 70 && !strings.HasPrefix(id, d.idPrefix) &&
		!strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}
