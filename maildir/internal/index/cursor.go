package index

import (
	"encoding/binary"
	"math"
)

// cursor reads numbers and texts from a record's content. Once one is odd, there is
// nothing more.
type cursor struct {
	b   []byte
	odd bool
}

var errOdd = damaged("a record has an odd number or ends too early")

func (c *cursor) fail() { c.b, c.odd = nil, true }

func (c *cursor) more() bool { return len(c.b) > 0 }

func (c *cursor) number() uint64 {
	n, size := binary.Uvarint(c.b)
	if size <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[size:]
	return n
}

// small is a number of 32 bits.
func (c *cursor) small() uint32 {
	n := c.number()
	if n>>32 != 0 {
		c.fail()
		return 0
	}
	return uint32(n)
}

// above is a UID, of which the record has the distance from the last one.
func (c *cursor) above(last uint32) uint32 {
	step := c.small()
	if step == 0 || step > math.MaxUint32-last {
		c.fail()
		return 0
	}
	return last + step
}

func (c *cursor) octet() byte {
	if len(c.b) == 0 {
		c.fail()
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

// text has its length before it, in one octet.
func (c *cursor) text() []byte {
	n := int(c.octet())
	if len(c.b) < n {
		c.fail()
		return nil
	}
	t := c.b[:n]
	c.b = c.b[n:]
	return t
}
