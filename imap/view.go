package imap

import (
	"sort"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// view is the messages that a session knows of, in the order of their sequence numbers:
// those of UID n are 1 to count. It costs ranges of UIDs, not messages.
type view struct {
	uids  mailparts.UIDSet
	first []uint32 // the sequence number of each range's First
	count uint32
}

// add appends a message, whose UID is above all others.
func (v *view) add(uid mailparts.UID) {
	v.count++
	n := len(v.uids)
	v.uids.Add(uid, uid)
	if len(v.uids) > n {
		v.first = append(v.first, v.count)
	}
}

// remove takes messages out, and returns their sequence numbers, as they were.
func (v *view) remove(uids mailparts.UIDSet) []wire.Range {
	gone := v.seqsOf(uids)
	v.set(v.uids.Subtract(uids))
	return gone
}

// set makes uids the messages.
func (v *view) set(uids mailparts.UIDSet) {
	v.uids, v.first, v.count = uids, v.first[:0], 0
	for _, r := range v.uids {
		v.first = append(v.first, v.count+1)
		v.count += uint32(r.Last-r.First) + 1
	}
}

// seq is the sequence number of a message, 0 if the session does not know it.
func (v *view) seq(uid mailparts.UID) uint32 {
	i := sort.Search(len(v.uids), func(i int) bool { return v.uids[i].Last >= uid })
	if i == len(v.uids) || v.uids[i].First > uid {
		return 0
	}
	return v.first[i] + uint32(uid-v.uids[i].First)
}

// uid is the message with a sequence number from 1 to count.
func (v *view) uid(seq uint32) mailparts.UID {
	i := sort.Search(len(v.first), func(i int) bool { return v.first[i] > seq }) - 1
	return v.uids[i].First + mailparts.UID(seq-v.first[i])
}

// last is the highest UID, 0 if there is none.
func (v *view) last() mailparts.UID {
	if len(v.uids) == 0 {
		return 0
	}
	return v.uids[len(v.uids)-1].Last
}

// uidsOf is the messages with these sequence numbers; those above count are none.
func (v *view) uidsOf(seqs []wire.Range) (uids mailparts.UIDSet) {
	i := 0
	for _, r := range seqs {
		r.Last = min(r.Last, v.count)
		for at := max(r.First, 1); at <= r.Last; {
			for i+1 < len(v.first) && v.first[i+1] <= at {
				i++
			}
			from := v.uids[i].First + mailparts.UID(at-v.first[i])
			to := min(v.uids[i].Last, from+mailparts.UID(r.Last-at))
			uids.Add(from, to)
			at += uint32(to-from) + 1
		}
	}
	return uids
}

// seqsOf is the sequence numbers of those of uids that the session knows.
func (v *view) seqsOf(uids mailparts.UIDSet) (seqs []wire.Range) {
	for _, r := range v.uids.Intersect(uids) {
		first := v.seq(r.First)
		last := first + uint32(r.Last-r.First)
		if n := len(seqs); n > 0 && seqs[n-1].Last+1 == first {
			seqs[n-1].Last = last
			continue
		}
		seqs = append(seqs, wire.Range{First: first, Last: last})
	}
	return seqs
}

// follower walks a view in ascending order of UIDs, for listings: each step costs no
// search.
type follower struct {
	v *view
	i int
}

// seq is view.seq for a UID above the one before.
func (f *follower) seq(uid mailparts.UID) uint32 {
	for f.i < len(f.v.uids) && f.v.uids[f.i].Last < uid {
		f.i++
	}
	if f.i == len(f.v.uids) || f.v.uids[f.i].First > uid {
		return 0
	}
	return f.v.first[f.i] + uint32(uid-f.v.uids[f.i].First)
}
