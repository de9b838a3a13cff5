package imap

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/thread"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// sortKey is a key of SORT (RFC 5256 section 3, RFC 5957): a number or a text of each
// message.
type sortKey struct {
	want   mailparts.Field
	number func(q *query) int64
	text   func(q *query) string
	key    func(text string) string // what is compared of it
}

const wantSent = mailparts.WantDates | mailparts.WantDerived

var sortKeys = map[string]*sortKey{
	"ARRIVAL":     {want: mailparts.WantDates, number: func(q *query) int64 { return q.message.Received.Unix() }},
	"DATE":        {want: wantSent, number: (*query).sentOrReceived},
	"SIZE":        {want: mailparts.WantSize, number: func(q *query) int64 { return q.message.Size }},
	"CC":          textSort(func(q *query) string { return q.derived.view.Cc() }),
	"FROM":        textSort(func(q *query) string { return q.derived.view.From() }),
	"TO":          textSort(func(q *query) string { return q.derived.view.To() }),
	"DISPLAYFROM": textSort(func(q *query) string { return q.derived.view.DisplayFrom() }),
	"DISPLAYTO":   textSort(func(q *query) string { return q.derived.view.DisplayTo() }),
	"SUBJECT": {
		want: mailparts.WantDerived,
		text: func(q *query) string { return q.derived.view.Subject() },
		key: func(subject string) string {
			base, _ := thread.BaseSubject(subject)
			return thread.Collate(base)
		},
	},
}

func textSort(text func(*query) string) *sortKey {
	return &sortKey{want: mailparts.WantDerived, text: text, key: thread.Collate}
}

// column is the values of all messages for one key.
type column struct {
	*sortKey
	reverse bool
	numbers []int64
	texts   []string
	keys    map[string]string // of texts that have come before
}

// maxSortKeys bounds the keys of a SORT. There are no more than these to tell apart.
const maxSortKeys = 20

// parseSort reads the sort criteria, in parentheses.
func parseSort(p *wire.Parser) (columns []*column) {
	p.List(func() {
		c := &column{}
		word := p.Word()
		if word == "REVERSE" {
			c.reverse = true
			p.SP()
			word = p.Word()
		}
		if c.sortKey = sortKeys[word]; c.sortKey == nil {
			p.Fail(wire.Error("Unknown sort key"))
		}
		if columns = append(columns, c); len(columns) > maxSortKeys {
			p.Fail(errTooComplex)
		}
	})
	if len(columns) == 0 {
		p.Fail(wire.Error("Expected a sort key"))
	}
	return columns
}

// table is the messages of a SORT.
type table struct {
	columns []*column
	uids    []mailparts.UID
}

func newTable(columns []*column) *table {
	for _, c := range columns {
		if c.text != nil {
			c.keys = map[string]string{}
		}
	}
	return &table{columns: columns}
}

func (t *table) want() (want mailparts.Field) {
	for _, c := range t.columns {
		want |= c.want
	}
	return want
}

// add takes a message.
func (t *table) add(q *query) {
	t.uids = append(t.uids, q.message.UID)
	for _, c := range t.columns {
		if c.number != nil {
			c.numbers = append(c.numbers, c.number(q))
			continue
		}
		text := c.text(q)
		key, ok := c.keys[text]
		if !ok {
			text = strings.Clone(text) // which is the store's
			key = c.key(text)
			c.keys[text] = key
		}
		c.texts = append(c.texts, key)
	}
}

// row is a message and as much of its first key as is compared at once.
type row struct {
	start uint64
	at    int32
}

// sorted returns the messages in their order; those that are equal in the mailbox's.
func (t *table) sorted() []mailparts.UID {
	rows := make([]row, len(t.uids))
	for i := range rows {
		rows[i] = row{t.columns[0].start(i), int32(i)}
	}
	slices.SortFunc(rows, func(a, b row) int {
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		for _, c := range t.columns {
			if order := c.compare(a.at, b.at); order != 0 {
				return order
			}
		}
		return int(a.at - b.at)
	})
	uids := make([]mailparts.UID, len(rows))
	for i, r := range rows {
		uids[i] = t.uids[r.at]
	}
	return uids
}

// start is what orders most values, though not all that differ.
func (c *column) start(i int) (n uint64) {
	if c.number != nil {
		n = uint64(c.numbers[i]) ^ 1<<63
	} else {
		var b [8]byte
		copy(b[:], c.texts[i])
		n = binary.BigEndian.Uint64(b[:])
	}
	if c.reverse {
		return math.MaxUint64 - n
	}
	return n
}

func (c *column) compare(a, b int32) (order int) {
	if c.number != nil {
		order = cmp.Compare(c.numbers[a], c.numbers[b])
	} else {
		order = cmp.Compare(c.texts[a], c.texts[b])
	}
	if c.reverse {
		return -order
	}
	return order
}
