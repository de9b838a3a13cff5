package pop3

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/mailparts/mailparts"
)

// maildrop is the snapshot of an INBOX that a session works on: what messages
// there are, by which numbers, and which are marked as deleted.
type maildrop struct {
	mailbox  mailparts.Mailbox
	messages []message // number n is messages[n-1]; ascending UIDs

	count int   // of the messages not marked as deleted
	size  int64 // of these, in octets

	idPrefix  string   // "UIDVALIDITY.": what our unique-ids begin with
	ids       []string // those of an earlier server, by index; nil: there are none
	idsLoaded bool
}

// message takes 16 octets: a maildrop of 100,000 costs 1.6 MB while a client is
// logged in.
type message struct {
	size    int64
	uid     mailparts.UID
	deleted bool
}

func openMaildrop(ctx context.Context, mb mailparts.Mailbox) (*maildrop, error) {
	status, err := mb.Status(ctx)
	if err != nil {
		return nil, err
	}
	d := &maildrop{mailbox: mb, idPrefix: strconv.FormatUint(uint64(status.UIDValidity), 10) + "."}
	d.messages = make([]message, 0, min(status.Messages, maxGuess))
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			return nil, err
		}
		d.messages = append(d.messages, message{size: m.Size, uid: m.UID})
		d.size += m.Size
	}
	d.count = len(d.messages)
	return d, nil
}

// maxGuess bounds the room that is made on the word of Status.
const maxGuess = 1 << 20

// number parses a message-number and returns its index in messages.
func (d *maildrop) number(arg []byte) (int, error) {
	n, ok := parseNumber(arg)
	switch {
	case !ok:
		return 0, errNotNumber
	case n < 1 || n > len(d.messages):
		return 0, mailparts.ErrNoMessage
	case d.messages[n-1].deleted:
		return 0, errDeleted
	}
	return n - 1, nil
}

const (
	errNotNumber syntaxError = "Not a number"
	errDeleted   refusal     = "This message is marked as deleted"
)

// mark marks messages[i] as deleted.
func (d *maildrop) mark(i int) {
	m := &d.messages[i]
	m.deleted = true
	d.count--
	d.size -= m.size
}

// unmark is RSET.
func (d *maildrop) unmark() {
	d.count, d.size = len(d.messages), 0
	for i := range d.messages {
		d.messages[i].deleted = false
		d.size += d.messages[i].size
	}
}

// remove expunges what is marked, in one call.
func (d *maildrop) remove(ctx context.Context) error {
	var uids mailparts.UIDSet
	for i := range d.messages {
		if m := &d.messages[i]; m.deleted {
			uids.Add(m.uid, m.uid)
		}
	}
	if len(uids) == 0 {
		return nil
	}
	return d.mailbox.Expunge(ctx, uids, "")
}

// find returns the index of the message with the UID, or -1.
func (d *maildrop) find(uid mailparts.UID) int {
	i, ok := slices.BinarySearchFunc(d.messages, uid, func(m message, uid mailparts.UID) int { return cmp.Compare(m.uid, uid) })
	if !ok {
		return -1
	}
	return i
}

// parseNumber reads decimal digits. A number that no message has and no line
// reaches is as good as a larger one, so that none overflows.
func parseNumber(arg []byte) (n int, ok bool) {
	for _, c := range arg {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = int(min(10*int64(n)+int64(c-'0'), math.MaxInt32))
	}
	return n, len(arg) > 0
}
