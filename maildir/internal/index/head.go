package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

const (
	magic    = "mpindex1"
	headSize = 512
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// position is which part of the file is there.
type position struct {
	start int64 // end of the snapshot
	end   int64
}

// headFields calls do with each of a Head's numbers, in the order of the file.
func headFields(h *Head, p *position, do func(*uint64)) {
	u32 := func(v *uint32) {
		n := uint64(*v)
		do(&n)
		*v = uint32(n)
	}
	i64 := func(v *int64) {
		n := uint64(*v)
		do(&n)
		*v = int64(n)
	}
	flag := func(v *bool) {
		n := uint64(0)
		if *v {
			n = 1
		}
		do(&n)
		*v = n != 0
	}
	i64(&p.start)
	i64(&p.end)
	u32(&h.Validity)
	u32(&h.FirstRecent)
	do(&h.Next)
	do(&h.HighestModSeq)
	do(&h.Forgotten)
	u32(&h.Counts.Messages)
	u32(&h.Counts.Unseen)
	u32(&h.Counts.Deleted)
	u32(&h.Counts.Unsized)
	i64(&h.Counts.Size)
	i64(&h.Counts.DeletedSize)
	for i := range h.Shelves {
		s := &h.Shelves[i]
		i64(&s.MTime)
		i64(&s.Since)
		flag(&s.Settled)
		flag(&s.Stamped)
	}
	do(&h.List.ID)
	i64(&h.List.Size)
	i64(&h.List.MTime)
	do(&h.List.Next)
	u32(&h.List.Last)
	u32(&h.List.Lines)
	flag(&h.List.Bad)
	cost := int64(h.Cost)
	i64(&cost)
	h.Cost = time.Duration(cost)
	do(&h.Boot)
}

// encodeHead returns headSize octets.
func encodeHead(h Head, p position) []byte {
	b := make([]byte, 0, headSize)
	b = append(b, magic+"\x00\x00\x00\x00"...)
	headFields(&h, &p, func(n *uint64) { b = binary.LittleEndian.AppendUint64(b, *n) })
	b = b[:headSize] // make cleared the rest
	binary.LittleEndian.PutUint32(b[len(magic):], crc32.Checksum(b[len(magic)+4:], castagnoli))
	return b
}

func decodeHead(b []byte) (h Head, p position, err error) {
	if len(b) < headSize || !bytes.HasPrefix(b, []byte(magic)) {
		return h, p, fmt.Errorf("%w: it does not begin as one", ErrDamaged)
	}
	b = b[:headSize]
	if binary.LittleEndian.Uint32(b[len(magic):]) != crc32.Checksum(b[len(magic)+4:], castagnoli) {
		return h, p, fmt.Errorf("%w: the checksum of its head is wrong", ErrDamaged)
	}
	b = b[len(magic)+4:]
	headFields(&h, &p, func(n *uint64) {
		*n = binary.LittleEndian.Uint64(b)
		b = b[8:]
	})
	if p.start < headSize || p.end < p.start {
		return h, p, fmt.Errorf("%w: its head has no sense", ErrDamaged)
	}
	return h, p, nil
}
