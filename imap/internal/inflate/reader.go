package inflate

import (
	"errors"
	"io"
)

// ErrCorrupt means that the input is not DEFLATE.
var ErrCorrupt = errors.New("corrupt compressed data")

const (
	windowSize = 32 << 10
	fewOctets  = 1 << 10 // of a window, at first
	bufferSize = 512
	maxMatch   = 258
	maxStep    = 48 // bits of a length and a distance, the longest step inside a block
)

// Reader decompresses. It holds twice what it has decompressed, and 35 KB at most. Use
// NewReader.
type Reader struct {
	src  io.Reader
	in   [bufferSize]byte
	r, w int // in[r:w] is unread
	bits uint32
	have uint // bits, the lowest first
	err  error

	window  []byte // grows to windowSize, and is a ring then
	at      int    // where the next octet goes; the end is the start, once it is a ring
	known   int    // octets of the window that have been written
	pending int    // octets before at that have not been read

	block              blockKind
	final              bool // no block follows this one
	stored             int  // what is left of a stored block
	lengths, distances *huffman
	own                [2]huffman
}

type blockKind uint8

const (
	noBlock blockKind = iota // a header comes next
	storedBlock
	codedBlock
)

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src, window: make([]byte, fewOctets)} }

// Read implements io.Reader. It reads from below only if it has nothing to return. An end
// without a last block is io.ErrUnexpectedEOF.
func (r *Reader) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.pending == 0 {
		if r.err != nil {
			return 0, r.err
		}
		for first := true; r.err == nil && r.pending <= windowSize-maxMatch && (first || r.pending == 0 || r.ready()); first = false {
			r.step()
		}
	}
	for n < len(p) && r.pending > 0 {
		from := r.back(r.pending)
		m := copy(p[n:], r.window[from:min(from+r.pending, len(r.window))])
		n += m
		r.pending -= m
	}
	return n, nil
}

// ready reports whether a step needs no read from below. Only that of a header may.
func (r *Reader) ready() bool { return int(r.have)+8*(r.w-r.r) >= maxStep }

// step decodes a header, or what stands for some octets of a block.
func (r *Reader) step() {
	switch r.block {
	case noBlock:
		if r.final {
			r.err = io.EOF
			return
		}
		r.header()
	case storedBlock:
		if r.stored == 0 {
			r.block = noBlock
			return
		}
		if c := r.next(); r.err == nil {
			r.stored--
			r.put(c)
		}
	case codedBlock:
		r.symbol()
	}
}

// header reads the start of a block (RFC 1951 section 3.2.3).
func (r *Reader) header() {
	final, kind := r.take(1), r.take(2)
	if r.err != nil {
		return
	}
	r.final = final == 1
	switch kind {
	case 0:
		r.bits, r.have = 0, 0
		n := int(r.next()) | int(r.next())<<8
		not := int(r.next()) | int(r.next())<<8
		if r.err == nil && n != not^0xffff {
			r.err = ErrCorrupt
		}
		r.block, r.stored = storedBlock, n
	case 1:
		r.block, r.lengths, r.distances = codedBlock, &fixedLengths, &fixedDistances
	case 2:
		r.codes()
		r.block, r.lengths, r.distances = codedBlock, &r.own[0], &r.own[1]
	default:
		r.err = ErrCorrupt
	}
}

// symbol decodes a literal, a match, or the end of the block (RFC 1951 section 3.2.5).
func (r *Reader) symbol() {
	s := r.decode(r.lengths)
	switch {
	case r.err != nil:
	case s < 256:
		r.put(byte(s))
	case s == 256:
		r.block = noBlock
	case s-257 >= len(lengthBase):
		r.err = ErrCorrupt
	default:
		length := int(lengthBase[s-257]) + int(r.take(uint(lengthExtra[s-257])))
		d := r.decode(r.distances)
		if r.err == nil && d >= len(distanceBase) {
			r.err = ErrCorrupt
		}
		if r.err != nil {
			return
		}
		r.repeat(length, int(distanceBase[d])+int(r.take(uint(distanceExtra[d]))))
	}
}

// repeat copies octets of the window.
func (r *Reader) repeat(length, distance int) {
	if r.err == nil && distance > r.known {
		r.err = ErrCorrupt
	}
	if r.err != nil {
		return
	}
	for range length {
		r.put(r.window[r.back(distance)])
	}
}

// back is where the octet stands that was written n octets ago.
func (r *Reader) back(n int) int { return (r.at - n) & (len(r.window) - 1) }

func (r *Reader) put(c byte) {
	if r.at == len(r.window) {
		if r.at < windowSize {
			r.window = append(make([]byte, 0, 2*r.at), r.window...)[:2*r.at]
		} else {
			r.at = 0
		}
	}
	r.window[r.at] = c
	r.at++
	r.known = min(r.known+1, windowSize)
	r.pending++
}

// next reads an octet from below. It is 0 after an error.
func (r *Reader) next() byte {
	if r.r == r.w && r.err == nil {
		r.fill()
	}
	if r.err != nil {
		return 0
	}
	c := r.in[r.r]
	r.r++
	return c
}

func (r *Reader) fill() {
	for range 100 {
		n, err := r.src.Read(r.in[:])
		if n > 0 {
			r.r, r.w = 0, n // an error comes again
			return
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			r.err = err
			return
		}
	}
	r.err = io.ErrNoProgress
}

// take reads n bits, 13 at most. They are 0 after an error.
func (r *Reader) take(n uint) uint32 {
	for r.have < n {
		c := r.next()
		if r.err != nil {
			return 0
		}
		r.bits |= uint32(c) << r.have
		r.have += 8
	}
	v := r.bits & (1<<n - 1)
	r.bits >>= n
	r.have -= n
	return v
}
