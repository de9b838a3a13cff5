package imap

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/internal/serve"
)

// statusItem is a row of the table of STATUS items. Its value appends what it is, or
// nothing, and then the item is left out.
type statusItem struct {
	name   string
	counts bool // it needs statusNumbers.counts
	value  func(b []byte, s *session, c *statusNumbers) []byte
}

// statusNumbers are those of a mailbox, as STATUS tells them.
type statusNumbers struct {
	mailparts.Status
	counts mailparts.Counts // if an item needs it
	recent uint32           // if RECENT is asked for
}

// statusItems are of RFC 9051 section 6.3.11, RFC 3501 section 6.3.10 (RECENT), RFC 9208
// section 4.1.4 (DELETED, DELETED-STORAGE), RFC 8438 (SIZE), RFC 7162 section 3.1.7
// (HIGHESTMODSEQ), RFC 8474 section 4.3 (MAILBOXID) and RFC 7889 section 3.2 (APPENDLIMIT).
var statusItems = []statusItem{
	{"MESSAGES", false, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.Messages) }},
	{"RECENT", false, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.recent) }},
	{"UIDNEXT", false, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.UIDNext) }},
	{"UIDVALIDITY", false, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.UIDValidity) }},
	{"UNSEEN", true, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.counts.Unseen) }},
	{"DELETED", true, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.counts.Deleted) }},
	{"DELETED-STORAGE", true, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.counts.DeletedSize) }},
	{"SIZE", true, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.counts.Size) }},
	{"HIGHESTMODSEQ", false, func(b []byte, _ *session, c *statusNumbers) []byte { return appendUint(b, c.HighestModSeq) }},
	{"MAILBOXID", false, func(b []byte, _ *session, c *statusNumbers) []byte {
		id := objectID(c.ID)
		if id == "" {
			return b
		}
		return append(append(append(b, '('), id...), ')')
	}},
	{"APPENDLIMIT", false, func(b []byte, s *session, _ *statusNumbers) []byte {
		if limit := s.maxMessage(); limit > 0 {
			return appendUint(b, limit)
		}
		return append(b, "NIL"...)
	}},
}

// appendLimit is what follows the name of the capability APPENDLIMIT (RFC 7889 section 2):
// nothing if there is no limit, which STATUS says of each mailbox.
func (s *session) appendLimit() string {
	limit := s.maxMessage()
	if limit <= 0 {
		return ""
	}
	return "=" + strconv.FormatInt(limit, 10)
}

// maxMessage is the limit as it can be told: by a number of 32 bits (RFC 7889 section 5).
func (s *session) maxMessage() int64 {
	return min(serve.Limit(s.srv.MaxMessageSize, defaultMaxMessageSize), math.MaxUint32)
}

func appendUint[N ~uint32 | ~uint64 | ~int64](b []byte, n N) []byte {
	return strconv.AppendUint(b, uint64(n), 10)
}

// status is STATUS (RFC 9051 section 6.3.11).
func (s *session) status(p *wire.Parser) error {
	p.SP()
	asked := s.mailboxName(p)
	p.SP()
	items := parseStatusItems(p)
	if err := p.End(); err != nil {
		return err
	}
	name := s.existing(asked)
	mb, err := s.store.Mailbox(s.ctx, name)
	if err != nil {
		return err
	}
	st, err := mb.Status(s.ctx)
	if err != nil {
		return err
	}
	numbers, err := s.statusNumbers(name, mb, st, items)
	if err != nil {
		return err
	}
	s.tellOldName("", asked, name)
	s.tellStatus(name, numbers, items)
	return nil
}

// parseStatusItems reads what is asked for, each item once.
func parseStatusItems(p *wire.Parser) (items []*statusItem) {
	p.List(func() {
		word := p.Word()
		i := slices.IndexFunc(statusItems, func(it statusItem) bool { return it.name == word })
		if i < 0 {
			p.Fail(wire.Error("Unknown STATUS item"))
			return
		}
		if !slices.Contains(items, &statusItems[i]) {
			items = append(items, &statusItems[i])
		}
	})
	if len(items) == 0 {
		p.Fail(wire.Error("No STATUS items"))
	}
	return items
}

// statusNumbers adds what items need to the Status of a mailbox.
func (s *session) statusNumbers(name string, mb mailparts.Mailbox, st mailparts.Status, items []*statusItem) (c *statusNumbers, err error) {
	c = &statusNumbers{Status: st}
	switch {
	case !slices.ContainsFunc(items, func(it *statusItem) bool { return it.counts }):
	case st.Counts != nil:
		c.counts = *st.Counts
	default:
		c.counts, err = count(s.ctx, mb, st.UIDNext)
	}
	if err == nil && slices.ContainsFunc(items, isItem("RECENT")) {
		c.recent, err = s.countRecent(name, mb, st)
	}
	return c, err
}

// tellStatus sends STATUS. To ask for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 section
// 3.1).
func (s *session) tellStatus(name string, c *statusNumbers, items []*statusItem) {
	s.out.Print("* STATUS ")
	s.printName(name)
	s.out.Append(func(b []byte) []byte {
		b = append(b, " ("...)
		from := len(b)
		for _, it := range items {
			head := len(b)
			b = append(append(b, it.name...), ' ')
			value := len(b)
			if b = it.value(b, s, c); len(b) == value {
				b = b[:head]
				continue
			}
			b = append(b, ' ')
		}
		if len(b) > from {
			b = b[:len(b)-1]
		}
		return append(b, ")\r\n"...)
	})
	if slices.ContainsFunc(items, isItem("HIGHESTMODSEQ")) {
		s.enableCondstore()
	}
}

func isItem(name string) func(*statusItem) bool {
	return func(it *statusItem) bool { return it.name == name }
}

// count looks at each message, of a mailbox that does not keep its Counts.
func count(ctx context.Context, mb mailparts.Mailbox, next mailparts.UID) (c mailparts.Counts, err error) {
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize}) {
		if err != nil {
			return c, err
		}
		if m.UID >= next { // not in the other numbers, either
			break
		}
		c.Size += m.Size
		if !hasFlag(m.Flags, mailparts.FlagSeen) {
			c.Unseen++
		}
		if hasFlag(m.Flags, mailparts.FlagDeleted) {
			c.Deleted++
			c.DeletedSize += m.Size
		}
	}
	return c, nil
}

// countRecent counts what no session has claimed, and in the mailbox that is selected
// what this one has.
func (s *session) countRecent(name string, mb mailparts.Mailbox, st mailparts.Status) (n uint32, err error) {
	var claimed mailparts.UIDSet
	if s.box != nil && s.box.name == name {
		claimed = s.box.view.uids.Intersect(s.box.recent)
	}
	n = claimed.Len()
	if st.FirstRecent == 0 || st.FirstRecent >= st.UIDNext {
		return n, nil
	}
	recent := mailparts.UIDSet{{First: st.FirstRecent, Last: st.UIDNext - 1}}.Subtract(claimed)
	for _, err := range mb.Messages(s.ctx, recent, mailparts.Query{}) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
