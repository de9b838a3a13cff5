package index

import "encoding/binary"

// coder writes numbers to the end of b, or reads them from its beginning: eight
// octets each, or as short as can be.
type coder struct {
	b           []byte
	read, short bool
	odd         bool // there was no number to read
}

func (c *coder) u64(v *uint64) {
	switch {
	case !c.read && c.short:
		c.b = binary.AppendUvarint(c.b, *v)
	case !c.read:
		c.b = le.AppendUint64(c.b, *v)
	case c.short:
		n, size := binary.Uvarint(c.b)
		if size <= 0 {
			c.b, c.odd = nil, true
			return
		}
		*v, c.b = n, c.b[size:]
	default: // of a Head, which has them all
		*v, c.b = le.Uint64(c.b), c.b[8:]
	}
}

func (c *coder) u32(v *uint32) {
	n := uint64(*v)
	c.u64(&n)
	*v = uint32(n)
}

func (c *coder) i64(v *int64) {
	n := uint64(*v)
	c.u64(&n)
	*v = int64(n)
}

func (c *coder) flag(v *bool) {
	n := uint64(0)
	if *v {
		n = 1
	}
	c.u64(&n)
	*v = n != 0
}
