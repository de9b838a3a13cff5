package index

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/fnv"
	"io"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// Head is what an index says without its messages. Heads can be compared.
type Head struct {
	GUID          [2]uint64 // the mailbox's, big-endian; zero: not known
	Validity      uint32
	FirstRecent   uint32
	Next          uint64 // UIDNEXT
	HighestModSeq uint64
	Forgotten     uint64 // of changes at or below this one there may be no tombstones
	Counts        Counts
	Cache         uint64 // the generation of the cache file that Cached refers to; 0: none
	Boot          uint64 // which run of the machine wrote it, see BootOf; 0: not known

	// What a crash makes worthless: a head that Load has saved from one has none.
	Shelves [2]Shelf
	List    List
	Cost    time.Duration // of the last look at the shelves
}

// Shelf is what is known of new/ or cur/: maildir says what the fields mean.
type Shelf struct {
	MTime, Since     int64
	Settled, Stamped bool
}

// List is what is known of the uidlist: maildir says what the fields mean.
type List struct {
	ID          uint64
	Size, MTime int64
	Next        uint64
	Last, Lines uint32
	Bad         bool
}

// BootOf is how a Head names the run of the machine that it was written in; 0 if it
// has no name.
func BootOf(fsys disk.FS) uint64 {
	name := fsys.Boot()
	if name == "" {
		return 0
	}
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64() | 1
}

// position says which part of which file there is.
type position struct {
	id    uint64 // of the file: each Rewrite gives it another
	start int64  // end of the snapshot
	end   int64  // of the last commit
	sum   uint32 // of its last record, and so of all records
	named bool   // the folder was synced since the file has its name
}

const (
	magic    = "mpindex1"
	headSize = 512
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	le         = binary.LittleEndian
)

// code writes or reads each number of a position, in the order of the file.
func (p *position) code(do *coder) {
	do.u64(&p.id)
	do.i64(&p.start)
	do.i64(&p.end)
	do.u32(&p.sum)
	do.flag(&p.named)
}

// code writes or reads each number of a Head, in the order of the file.
func (h *Head) code(do *coder) {
	do.u64(&h.GUID[0])
	do.u64(&h.GUID[1])
	do.u32(&h.Validity)
	do.u32(&h.FirstRecent)
	do.u64(&h.Next)
	do.u64(&h.HighestModSeq)
	do.u64(&h.Forgotten)
	do.u32(&h.Counts.Messages)
	do.u32(&h.Counts.Unseen)
	do.u32(&h.Counts.Deleted)
	do.u32(&h.Counts.Unsized)
	do.u32(&h.Counts.Cached)
	do.i64(&h.Counts.Size)
	do.i64(&h.Counts.DeletedSize)
	do.u64(&h.Cache)
	do.u64(&h.Boot)
	for i := range h.Shelves {
		s := &h.Shelves[i]
		do.i64(&s.MTime)
		do.i64(&s.Since)
		do.flag(&s.Settled)
		do.flag(&s.Stamped)
	}
	do.u64(&h.List.ID)
	do.i64(&h.List.Size)
	do.i64(&h.List.MTime)
	do.u64(&h.List.Next)
	do.u32(&h.List.Last)
	do.u32(&h.List.Lines)
	do.flag(&h.List.Bad)
	do.i64((*int64)(&h.Cost))
}

// lasting is what a crash leaves of a Head.
func (h Head) lasting() Head {
	h.Shelves, h.List, h.Cost = [2]Shelf{}, List{}, 0
	return h
}

// encodeHead returns headSize octets.
func encodeHead(h Head, p position) []byte {
	b := make([]byte, 0, headSize)
	b = append(b, magic+"\x00\x00\x00\x00"...)
	c := coder{b: b}
	p.code(&c)
	h.code(&c)
	b = c.b[:headSize] // make cleared the rest
	le.PutUint32(b[len(magic):], crc32.Checksum(b[len(magic)+4:], castagnoli))
	return b
}

func decodeHead(b []byte) (h Head, p position, err error) {
	if len(b) < headSize || !bytes.HasPrefix(b, []byte(magic)) {
		return h, p, damaged("it does not begin as one")
	}
	b = b[len(magic):headSize]
	if le.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return h, p, damaged("the checksum of its head is wrong")
	}
	c := coder{b: b[4:], read: true}
	p.code(&c)
	h.code(&c)
	if p.start < headSize || p.end < p.start {
		return h, p, damaged("its head makes no sense")
	}
	return h, p, nil
}
