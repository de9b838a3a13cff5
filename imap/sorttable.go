package imap

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

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
	append func(key []byte, text string) []byte // what is compared of it
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
		append: func(key []byte, subject string) []byte {
			base, _ := thread.BaseSubject(subject)
			return thread.AppendCollated(key, base)
		},
	},
}

func textSort(text func(*query) string) *sortKey {
	return &sortKey{want: mailparts.WantDerived, text: text, append: thread.AppendCollated}
}

// column is the values of all messages for one key.
type column struct {
	*sortKey
	reverse bool
	numbers []int64
	texts   []byte // one after the other
	ends    []int  // where each ends
}

// maxSortKeys bounds the keys of a SORT. There are fewer to tell apart: one that comes again
// has nothing to sort, and is passed over.
const maxSortKeys = 20

// maxSortText is how many octets of a text are compared, lest senders fill the memory.
const maxSortText = 1000

// parseSort reads the sort criteria, in parentheses.
func parseSort(p *wire.Parser) (columns []*column) {
	n := 0
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
		if n++; n > maxSortKeys {
			p.Fail(errTooComplex)
		}
		if !slices.ContainsFunc(columns, func(d *column) bool { return d.sortKey == c.sortKey }) {
			columns = append(columns, c)
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
		from := len(c.texts)
		c.texts = c.append(c.texts, c.text(q))
		c.texts = c.texts[:min(len(c.texts), from+maxSortText)]
		c.ends = append(c.ends, len(c.texts))
	}
}

// textOf returns the text of a message.
func (c *column) textOf(i int32) []byte {
	if i == 0 {
		return c.texts[:c.ends[0]]
	}
	return c.texts[c.ends[i-1]:c.ends[i]]
}

// row is a message and as much of its key as is compared at once.
type row struct {
	piece uint64
	at    int32
}

// sorted returns the messages in their order; those that are equal in the mailbox's.
func (t *table) sorted() []mailparts.UID {
	rows := make([]row, len(t.uids))
	for i := range rows {
		rows[i].at = int32(i)
	}
	t.order(rows, make([]row, len(rows)), 0, 0)
	uids := make([]mailparts.UID, len(rows))
	for i, r := range rows {
		uids[i] = t.uids[r.at]
	}
	return uids
}

// order sorts rows that are equal in the columns before one, and there up to a depth. Each
// step is of one piece of the key: long beginnings that all have in common cost no
// comparisons.
func (t *table) order(rows, room []row, column, depth int) {
	if len(rows) < 2 || column == len(t.columns) {
		return
	}
	c := t.columns[column]
	flip := uint64(0)
	if c.reverse {
		flip = math.MaxUint64
	}
	for i := range rows {
		rows[i].piece = c.piece(rows[i].at, depth) ^ flip
	}
	sortRows(rows, room)
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].piece == rows[0].piece {
			n++
		}
		if c.number == nil && (rows[0].piece^flip)&0xff > textPiece {
			t.order(rows[:n], room, column, depth+textPiece)
		} else {
			t.order(rows[:n], room, column+1, 0)
		}
		rows = rows[n:]
	}
}

// textPiece is how many octets of a text are in a piece.
const textPiece = 7

// piece is a number, or octets of a text and how many of them there are: textPiece+1 if
// more follow.
func (c *column) piece(i int32, depth int) uint64 {
	if c.number != nil {
		return uint64(c.numbers[i]) ^ 1<<63
	}
	text := c.textOf(i)[depth:]
	if len(text) > textPiece {
		return binary.BigEndian.Uint64(text)&^0xff | (textPiece + 1)
	}
	n := uint64(len(text))
	for k, o := range text {
		n |= uint64(o) << (56 - 8*k)
	}
	return n
}

// sortRows sorts rows by their pieces, and leaves those that are equal as they are.
func sortRows(rows, room []row) {
	if len(rows) < 200 {
		slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(a.piece, b.piece) })
		return
	}
	var counts [8][256]uint32
	for i := range rows {
		for k := range counts {
			counts[k][byte(rows[i].piece>>(8*k))]++
		}
	}
	from, to := rows, room[:len(rows)]
	for k := range counts {
		count := &counts[k]
		if count[byte(rows[0].piece>>(8*k))] == uint32(len(rows)) { // all have the same
			continue
		}
		at := uint32(0)
		for o, n := range count {
			count[o] = at
			at += n
		}
		for _, r := range from {
			o := byte(r.piece >> (8 * k))
			to[count[o]] = r
			count[o]++
		}
		from, to = to, from
	}
	if &from[0] != &rows[0] {
		copy(rows, from)
	}
}
