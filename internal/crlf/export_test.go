package crlf

// NewSmallMap is NewMap with a small step.
func NewSmallMap(step int64) *Map { return newMap(step) }

// Steps is how many steps m knows.
func (m *Map) Steps() int { return len(m.wire) }
