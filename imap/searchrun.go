package imap

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// verdict is what is known of a key and a message.
type verdict uint8

const (
	no verdict = iota
	maybe
	yes
)

func verdictOf(is bool) verdict {
	if is {
		return yes
	}
	return no
}

// stages are the listings that a search may take, each of the messages that those before
// it have not decided on, by the keys up to a cost.
var stages = [...]struct{ from, most cost }{{ofListing, ofListing}, {ofFields, ofFields}, {ofDerived, ofBody}}

// run finds the messages that match.
func (q *query) run() (found mailparts.UIDSet, err error) {
	q.root.plan()
	if q.marks != nil {
		q.enableCondstore()
	}
	left, _ := q.root.bounds(q.box.view.uids)
	for i, stage := range stages {
		if len(left) == 0 {
			break
		}
		if i > 0 && !q.root.has(stage.from, stage.most) {
			continue
		}
		if stage.most == ofBody {
			if err := q.narrow(left); err != nil {
				return nil, err
			}
		}
		var matched mailparts.UIDSet
		if matched, left, err = q.list(left, stage.most); err != nil {
			return nil, err
		}
		found = union(found, matched)
	}
	return found, nil
}

// has reports whether there are keys that cost from to most.
func (k *searchKey) has(from, most cost) bool {
	if len(k.keys) == 0 {
		return from <= k.cost && k.cost <= most
	}
	for _, sub := range k.keys {
		if sub.has(from, most) {
			return true
		}
	}
	return false
}

// union is what is in either set.
func union(a, b mailparts.UIDSet) (out mailparts.UIDSet) {
	if len(a) == 0 {
		return b
	}
	for len(a) > 0 || len(b) > 0 {
		from := &a
		if len(a) == 0 || len(b) > 0 && b[0].First < a[0].First {
			from = &b
		}
		out.Add((*from)[0].First, (*from)[0].Last)
		*from = (*from)[1:]
	}
	return out
}

// list decides on messages, as far as keys up to a cost can.
func (q *query) list(uids mailparts.UIDSet, most cost) (matched, left mailparts.UIDSet, err error) {
	a := ahead{
		q:    q,
		look: func(q *query) (verdict, error) { return q.judge(q.root, most) },
		take: func(q *query, v verdict) error {
			switch v {
			case yes:
				matched.Add(q.message.UID, q.message.UID)
				if q.marks != nil {
					q.marks.note(&q.message)
				}
			case maybe:
				left.Add(q.message.UID, q.message.UID)
			}
			return nil
		},
	}
	defer a.close()
	inPlace := most < ofDerived
	for m, err := range q.box.mb.Messages(q.ctx, uids, mailparts.Query{Want: q.root.want(most)}) {
		if err != nil {
			return nil, nil, err
		}
		q.begin(&m)
		if err := a.add(inPlace || q.root.cost <= ofDerived && q.derived.have(&q.message)); err != nil {
			return nil, nil, err
		}
	}
	err = a.drain()
	q.cache.flush(q.session)
	return matched, left, err
}

// begin goes on to another message.
func (q *query) begin(m *mailparts.Message) {
	q.message = *m
	q.body.begin(q.session, &q.message)
	q.derived.reset()
}

// judge decides on a key, as far as what it may cost suffices.
func (q *query) judge(k *searchKey, most cost) (verdict, error) {
	switch k.kind {
	case keyAnd:
		return q.all(k.keys, most)
	case keyOr:
		return q.any(k.keys, most)
	case keyNot:
		v, err := q.judge(k.keys[0], most)
		return yes - v, err
	}
	if k.cost > most {
		return maybe, nil
	}
	switch k.kind {
	case keySent:
		return q.sent(k)
	case keyText:
		return q.textMatches(k.text)
	}
	return verdictOf(q.matches(k)), nil
}

// all is the least of the verdicts on keys.
func (q *query) all(keys []*searchKey, most cost) (verdict, error) {
	least := yes
	for _, k := range keys {
		v, err := q.judge(k, most)
		if err != nil || v == no {
			return no, err
		}
		least = min(least, v)
	}
	return least, nil
}

// any is the highest of the verdicts on keys.
func (q *query) any(keys []*searchKey, most cost) (verdict, error) {
	highest := no
	for _, k := range keys {
		v, err := q.judge(k, most)
		if err != nil || v == yes {
			return v, err
		}
		highest = max(highest, v)
	}
	return highest, nil
}

// matches decides on a key of what the store has told.
func (q *query) matches(k *searchKey) bool {
	m := &q.message
	switch k.kind {
	case keySet:
		return k.uids.Contains(m.UID)
	case keySeqs:
		return k.seqs.contains(m.UID)
	case keyFlag:
		return hasFlag(m.Flags, k.flag)
	case keyModSeq:
		return int64(m.ModSeq) >= k.n
	case keySize:
		return k.order.holds(m.Size, k.n)
	case keyReceived:
		return k.order.holds(day(m.Received), k.n)
	case keySaved: // RFC 8514 section 4.3 has INTERNALDATE in its place
		saved := m.Saved
		if saved.IsZero() {
			saved = m.Received
		}
		return k.order.holds(day(saved), k.n)
	case keySaves:
		return !m.Saved.IsZero()
	case keyAge:
		return k.order.holds(q.now.Unix()-m.Received.Unix(), k.n)
	case keyEmailID:
		return m.ID != "" && m.ID == k.id
	case keyThreadID:
		return m.ThreadID != "" && m.ThreadID == k.id
	}
	return true
}

// sent decides on a key of the Date field, by the day that the sender wrote there.
func (q *query) sent(k *searchKey) (verdict, error) {
	if err := q.derive(); err != nil {
		return no, err
	}
	t, ok := q.derived.view.Date()
	return verdictOf(ok && k.order.holds(day(t), k.n)), nil
}

// derive sees to it that q.derived is of q.message.
func (q *query) derive() error {
	if q.derived.ok {
		return nil
	}
	return q.derived.read(&q.body)
}

// isAddressField reports whether a field holds addresses.
func isAddressField(name string) bool {
	switch strings.ToLower(name) {
	case "from", "sender", "reply-to", "to", "cc", "bcc",
		"resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc":
		return true
	}
	return false
}
