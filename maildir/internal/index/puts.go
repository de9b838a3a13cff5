package index

import "slices"

const (
	putFixed = 48   // of a message in a record, beside its name
	putsEach = 2048 // messages in a record, at most
)

// puts writes whole messages.
func (b *builder) puts(put []Entry) {
	for part := range slices.Chunk(put, putsEach) {
		b.begin(putRecord)
		b.buf = le.AppendUint32(b.buf, uint32(len(part)))
		for i := range part {
			e := &part[i]
			b.buf = le.AppendUint32(b.buf, e.UID)
			b.buf = le.AppendUint32(b.buf, e.Flags)
			b.buf = le.AppendUint32(b.buf, e.Saved)
			b.buf = append(b.buf, byte(e.Base), e.Shelf, byte(len(e.Name)), 0)
			b.buf = le.AppendUint64(b.buf, e.ModSeq)
			b.buf = le.AppendUint64(b.buf, uint64(e.Size))
			b.buf = le.AppendUint64(b.buf, uint64(e.Received))
			b.buf = le.AppendUint64(b.buf, e.Cached)
		}
		for i := range part {
			b.buf = append(b.buf, part[i].Name...)
		}
		b.end()
	}
}

// readPuts appends the messages of a record's content to into.
func readPuts(b []byte, into []Entry, names *nameStore) ([]Entry, error) {
	if len(b) < 4 {
		return into, errShort
	}
	n := int(le.Uint32(b))
	b = b[4:]
	if n > putsEach || len(b) < n*putFixed {
		return into, errShort
	}
	left := names.keep(b[n*putFixed:])
	if err := checkNames(left); err != nil {
		return into, damaged("%w", err)
	}
	for i := range n {
		f := b[i*putFixed : (i+1)*putFixed]
		e := Entry{
			UID: le.Uint32(f), Flags: le.Uint32(f[4:]), Saved: le.Uint32(f[8:]), Base: uint16(f[12]), Shelf: f[13],
			ModSeq: le.Uint64(f[16:]), Size: int64(le.Uint64(f[24:])), Received: int64(le.Uint64(f[32:])), Cached: le.Uint64(f[40:]),
		}
		size := int(f[14])
		if len(left) < size {
			return into, errShort
		}
		e.Name, left = left[:size], left[size:]
		if err := e.check(); err != nil {
			return into, damaged("%w", err)
		}
		if i > 0 && into[len(into)-1].UID >= e.UID {
			return into, damaged("UID %d does not ascend", e.UID)
		}
		into = append(into, e)
	}
	if left != "" {
		return into, damaged("a record has %d octets too many", len(left))
	}
	return into, nil
}
