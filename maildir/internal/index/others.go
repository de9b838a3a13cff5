package index

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/mailparts/mailparts"
)

const (
	guidsEach = 2048 // GUIDs in a record, at most
	goneEach  = 8192 // ranges of expunged UIDs in a record, at most
)

// startOf writes the first record of a file.
func (b *builder) startOf(id uint64) {
	b.begin(beginRecord)
	b.buf = le.AppendUint64(b.buf, id)
	b.end()
}

func readStart(b []byte) (id uint64, err error) {
	if len(b) != 8 {
		return 0, errOdd
	}
	return le.Uint64(b), nil
}

// commit writes a record that ends a snapshot or a change, with what a crash would
// leave of the head.
func (b *builder) commit(h Head) {
	h = h.lasting()
	b.begin(commitRecord)
	c := coder{b: b.buf, short: true}
	h.code(&c)
	b.buf = c.b
	b.end()
}

func readCommit(b []byte) (h Head, err error) {
	c := coder{b: b, read: true, short: true}
	h.code(&c)
	if c.odd || len(c.b) > 0 {
		return h, errOdd
	}
	return h, nil
}

func (b *builder) guids(guids map[uint32]string) {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(guids)), guidsEach) {
		b.begin(guidRecord)
		var last uint32
		for _, uid := range part {
			b.buf = binary.AppendUvarint(b.buf, uint64(uid-last))
			b.buf = append(b.buf, byte(len(guids[uid])))
			b.buf = append(b.buf, guids[uid]...)
			last = uid
		}
		b.end()
	}
}

func readGUIDs(b []byte) (map[uint32]string, error) {
	guids := map[uint32]string{}
	c := cursor{b: b}
	for uid := uint32(0); c.more(); {
		uid = c.above(uid)
		guid := string(c.text())
		if c.odd {
			return nil, errOdd
		}
		if err := checkGUID(uid, guid); err != nil {
			return nil, damaged("%w", err)
		}
		guids[uid] = guid
	}
	return guids, nil
}

// gone writes tombstones.
func (b *builder) gone(gone []Tombstone) {
	open, left := false, 0 // ranges that the record may still get
	var modSeq uint64
	for _, t := range gone {
		for part := range slices.Chunk(t.UIDs, goneEach) {
			if open && left < len(part) {
				b.end()
				open = false
			}
			if !open {
				b.begin(goneRecord)
				open, left, modSeq = true, goneEach, 0
			}
			left -= len(part)
			b.buf = binary.AppendUvarint(b.buf, t.ModSeq-modSeq)
			b.buf = binary.AppendUvarint(b.buf, uint64(len(part)))
			modSeq = t.ModSeq
			var last mailparts.UID
			for _, r := range part {
				b.buf = binary.AppendUvarint(b.buf, uint64(r.First-last))
				b.buf = binary.AppendUvarint(b.buf, uint64(r.Last-r.First))
				last = r.Last
			}
		}
	}
	if open {
		b.end()
	}
}

func readGone(b []byte) (gone []Tombstone, err error) {
	c := cursor{b: b}
	var modSeq uint64
	for c.more() {
		modSeq += c.number()
		t := Tombstone{ModSeq: modSeq}
		n := c.number()
		if n > uint64(len(c.b)/2) {
			return nil, errOdd
		}
		t.UIDs = make(mailparts.UIDSet, n)
		var last uint32
		for i := range t.UIDs {
			first := c.above(last)
			size := c.small()
			if size > math.MaxUint32-first {
				return nil, errOdd
			}
			last = first + size
			t.UIDs[i] = mailparts.UIDRange{First: mailparts.UID(first), Last: mailparts.UID(last)}
		}
		if c.odd {
			return nil, errOdd
		}
		gone = append(gone, t)
	}
	return gone, nil
}
