package imap

import (
	"slices"
	"sort"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// keyKind says what a searchKey asks.
type keyKind uint8

const (
	keyAnd      keyKind = iota // all of keys; of none: every message
	keyOr                      // one of keys
	keyNot                     // not keys[0]
	keySet                     // one of uids
	keySeqs                    // one of seqs
	keyFlag                    // has flag
	keyModSeq                  // a mod-sequence of n or higher
	keySize                    // more than n octets, or fewer
	keyReceived                // INTERNALDATE against day n
	keySaved                   // SAVEDATE against day n
	keySaves                   // SAVEDATESUPPORTED
	keyAge                     // received n seconds ago
	keyEmailID                 // has the ID text
	keyThreadID                // has the thread ID text
	keySent                    // the Date field against day n
	keyText                    // text
)

// searchKey is a search-key (RFC 9051 section 9).
type searchKey struct {
	kind  keyKind
	keys  []*searchKey
	uids  mailparts.UIDSet
	seqs  seqs
	flag  mailparts.Flag
	n     int64
	order order
	id    string
	text  *textKey
	cost  cost // of the most expensive of keys
}

// seqs are sequence numbers, as ascending ranges: of those a client can name many in few
// octets, and the UIDs of each set may be many ranges.
type seqs struct {
	ranges []wire.Range
	in     *view
}

// contains reports whether the number of a message is among them.
func (s *seqs) contains(uid mailparts.UID) bool {
	seq := s.in.seq(uid)
	i := sort.Search(len(s.ranges), func(i int) bool { return s.ranges[i].Last >= seq })
	return seq != 0 && i < len(s.ranges) && s.ranges[i].First <= seq
}

// order is on which side of n a key wants a value.
type order int8

const (
	below order = -1
	equal order = 0
	above order = +1
)

// holds reports whether v is there.
func (o order) holds(v, n int64) bool {
	switch o {
	case below:
		return v < n
	case above:
		return v > n
	}
	return v == n
}

// cost is what has to be asked of the store to decide on a key.
type cost uint8

const (
	ofListing cost = iota // the listing, which has flags and mod-sequences
	ofFields              // what WantSize, WantDates, WantIDs get
	ofDerived             // what a scan has found, from the cache
	ofHeader              // the header
	ofBody                // the text of all parts
)

// kinds tells of a kind what it costs, and what it wants.
var kinds = [...]struct {
	cost cost
	want mailparts.Field
}{
	keySize:     {ofFields, mailparts.WantSize},
	keyReceived: {ofFields, mailparts.WantDates},
	keySaved:    {ofFields, mailparts.WantDates},
	keySaves:    {ofFields, mailparts.WantDates},
	keyAge:      {ofFields, mailparts.WantDates},
	keyEmailID:  {ofFields, mailparts.WantIDs},
	keyThreadID: {ofFields, mailparts.WantIDs},
	keySent:     {ofDerived, mailparts.WantDerived},
	keyText:     {ofHeader, mailparts.WantDerived},
}

// plan puts what is cheap before what is not, so that it may make that unnecessary.
func (k *searchKey) plan() {
	k.cost = kinds[k.kind].cost
	if k.text != nil {
		k.cost = k.text.cost()
	}
	for _, sub := range k.keys {
		sub.plan()
		k.cost = max(k.cost, sub.cost)
	}
	slices.SortStableFunc(k.keys, func(a, b *searchKey) int { return int(a.cost) - int(b.cost) })
}

// want is what the keys up to a cost need of the store.
func (k *searchKey) want(most cost) (want mailparts.Field) {
	if kinds[k.kind].cost <= most {
		want = kinds[k.kind].want
	}
	for _, sub := range k.keys {
		want |= sub.want(most)
	}
	return want
}

// bounds narrows uids to those that a key may match for the sets in it alone. It reports
// whether nothing but those sets decides.
func (k *searchKey) bounds(uids mailparts.UIDSet) (_ mailparts.UIDSet, exact bool) {
	switch k.kind {
	case keySet:
		return uids.Intersect(k.uids), true
	case keySeqs:
		return uids.Intersect(k.seqs.in.uidsOf(k.seqs.ranges)), true
	case keyAnd:
		exact = true
		for _, sub := range k.keys {
			var ok bool
			uids, ok = sub.bounds(uids)
			exact = exact && ok
		}
		return uids, exact
	}
	return uids, false
}

// texts yields the keys for text.
func (k *searchKey) texts(yield func(*textKey) bool) bool {
	if k.text != nil {
		return yield(k.text)
	}
	for _, sub := range k.keys {
		if !sub.texts(yield) {
			return false
		}
	}
	return true
}

// day numbers a date in the zone that it is in, without regard to the time of day.
func day(t time.Time) int64 {
	_, offset := t.Zone()
	seconds := t.Unix() + int64(offset)
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return days
}
