package inflate

// maxBits is the longest code.
const maxBits = 15

// huffman is a canonical code (RFC 1951 section 3.2.2): how many codes there are of each
// length, and the symbols in the order of their codes.
type huffman struct {
	count  [maxBits + 1]uint16
	symbol [288]uint16
}

// Of lengths and distances (RFC 1951 section 3.2.5).
var (
	lengthBase    = [...]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra   = [...]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distanceBase  = [...]uint16{1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577}
	distanceExtra = [...]uint8{0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13}
)

// codeOrder is the order of the lengths of codes for lengths of codes (RFC 1951 section
// 3.2.7).
var codeOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// The codes of RFC 1951 section 3.2.6.
var fixedLengths, fixedDistances = fixed()

func fixed() (lengths, distances huffman) {
	var n [288]uint8
	for i := range n {
		switch {
		case i < 144:
			n[i] = 8
		case i < 256:
			n[i] = 9
		case i < 280:
			n[i] = 7
		default:
			n[i] = 8
		}
	}
	lengths.make(n[:])
	for i := range 32 {
		n[i] = 5
	}
	distances.make(n[:32])
	return lengths, distances
}

// make builds a code from the lengths of its symbols' codes. It reports whether they make
// one: no code may be left over, but where there is one symbol only, or none.
func (h *huffman) make(lengths []uint8) bool {
	h.count = [maxBits + 1]uint16{}
	for _, n := range lengths {
		h.count[n]++
	}
	used := len(lengths) - int(h.count[0])
	h.count[0] = 0
	left := 1
	var offset [maxBits + 2]uint16
	for n := 1; n <= maxBits; n++ {
		if left = 2*left - int(h.count[n]); left < 0 {
			return false
		}
		offset[n+1] = offset[n] + h.count[n]
	}
	for s, n := range lengths {
		if n != 0 {
			h.symbol[offset[n]] = uint16(s)
			offset[n]++
		}
	}
	return left == 0 || used == 0 || used == 1 && h.count[1] == 1
}

// decode reads a symbol.
func (r *Reader) decode(h *huffman) int {
	code, first, index := 0, 0, 0
	for n := 1; n <= maxBits; n++ {
		code |= int(r.take(1))
		count := int(h.count[n])
		if r.err != nil {
			return 0
		}
		if code-first < count {
			return int(h.symbol[index+code-first])
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	r.err = ErrCorrupt
	return 0
}

// codes reads the codes of a block that has its own (RFC 1951 section 3.2.7).
func (r *Reader) codes() {
	literals, distances, codes := int(r.take(5))+257, int(r.take(5))+1, int(r.take(4))+4
	if r.err == nil && (literals > 286 || distances > 30) {
		r.err = ErrCorrupt
	}
	var n [286 + 30]uint8
	for _, at := range codeOrder[:codes] {
		n[at] = uint8(r.take(3))
	}
	if h := &r.own[0]; r.err == nil && !h.make(n[:19]) {
		r.err = ErrCorrupt
	}
	n = [len(n)]uint8{}
	for i := 0; i < literals+distances && r.err == nil; {
		s, again := r.decode(&r.own[0]), 1
		length := uint8(s)
		switch {
		case r.err != nil:
			return
		case s == 16 && i > 0:
			length, again = n[i-1], 3+int(r.take(2))
		case s == 17:
			length, again = 0, 3+int(r.take(3))
		case s == 18:
			length, again = 0, 11+int(r.take(7))
		case s > 15:
			r.err = ErrCorrupt
			return
		}
		if r.err == nil && i+again > literals+distances {
			r.err = ErrCorrupt
			return
		}
		for ; again > 0 && r.err == nil; again-- {
			n[i] = length
			i++
		}
	}
	if r.err == nil && !(r.own[0].make(n[:literals]) && r.own[1].make(n[literals:literals+distances])) {
		r.err = ErrCorrupt
	}
}
