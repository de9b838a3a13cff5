package index

import "hash/crc32"

// TagOf is what ties cached octets to a message, beside its UID: a hash of the base of its
// file's name, which takes eight octets as FNV-1a takes one. It is on disk: another hash
// needs another cacheMagic.
func TagOf(base string) uint64 {
	h := (14695981039346656037 ^ uint64(len(base))) * tagPrime
	for ; len(base) >= 8; base = base[8:] {
		h = (h ^ word(base)) * tagPrime
		h ^= h >> 32 // a product has nothing of the upper half in its lower one
	}
	for i := range len(base) {
		h = (h ^ uint64(base[i])) * tagPrime
	}
	return h
}

const tagPrime = 1099511628211

// word is the first eight octets of s.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Place is where a cache has the octets of a message.
type Place struct {
	UID    uint32
	Tag    uint64
	Offset uint64 // for Entry.Cached; 0: nowhere
}

// MaxCached is how many octets of one message are kept.
const MaxCached = 64 << 10

// batchFull is how many octets are written at once.
const batchFull = 256 << 10

// Before a message's octets the cache file has their key, the CRC-32C of what
// follows, the UID, and their number. The key is the tag in one generation of the
// file: whoever makes the octets of one message does not know it, and so cannot pass
// them off as those of another.
const cacheFrame = 8 + 4 + 4 + 4

// Batch is octets of messages on their way to a cache. Nobody needs a lock to fill
// it.
type Batch struct {
	buf    []byte
	places []Place // with offsets in buf
}

// Add copies the octets of a message, if they are not too many. It reports whether
// the batch should be written now.
func (b *Batch) Add(uid uint32, tag uint64, octets []byte) (full bool) {
	if len(octets) <= MaxCached {
		at := len(b.buf)
		b.places = append(b.places, Place{uid, tag, uint64(at)})
		b.buf = append(b.buf, make([]byte, 12)...) // the key comes when the generation is known
		b.buf = le.AppendUint32(b.buf, uid)
		b.buf = le.AppendUint32(b.buf, uint32(len(octets)))
		b.buf = append(b.buf, octets...)
		le.PutUint32(b.buf[at+8:], crc32.Checksum(b.buf[at+12:], castagnoli))
	}
	return len(b.buf) >= batchFull
}

// Len returns how many messages the batch has.
func (b *Batch) Len() int { return len(b.places) }

// Reset empties the batch.
func (b *Batch) Reset() { b.buf, b.places = b.buf[:0], b.places[:0] }

// seal fills in the keys of a generation, and says where all will be in a file in
// which the batch begins at.
func (b *Batch) seal(generation, at uint64) []Place {
	places := make([]Place, len(b.places))
	for i, p := range b.places {
		le.PutUint64(b.buf[p.Offset:], p.Tag^generation)
		p.Offset += at
		places[i] = p
	}
	return places
}
