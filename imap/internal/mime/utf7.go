package mime

import (
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// utf7 decodes UTF-7 (RFC 2152), which mail of old clients is in. What is not of it
// stays as it is.
type utf7 struct {
	shifted bool
	empty   bool // nothing yet since the "+"
	bits    uint32
	n       int // bits in bits
	high    rune
}

// Reset makes it start anew.
func (d *utf7) Reset() { *d = utf7{} }

// Transform is that of transform.Transformer.
func (d *utf7) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for nSrc < len(src) {
		if len(dst)-nDst < 2*utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		c := src[nSrc]
		nSrc++
		switch v := unbase64[c]; {
		case !d.shifted && c == '+':
			*d = utf7{shifted: true, empty: true}
		case !d.shifted:
			nDst += utf8.EncodeRune(dst[nDst:], ascii(c))
		case v < 64:
			d.empty = false
			d.bits, d.n = d.bits<<6|uint32(v), d.n+6
			if d.n >= 16 {
				d.n -= 16
				nDst += d.unit(dst[nDst:], rune(d.bits>>d.n)&0xffff)
			}
		default:
			d.shifted = false
			if d.high != 0 {
				nDst += utf8.EncodeRune(dst[nDst:], utf8.RuneError)
				d.high = 0
			}
			if c != '-' {
				nDst += utf8.EncodeRune(dst[nDst:], ascii(c))
			} else if d.empty { // "+-" is "+"
				dst[nDst] = '+'
				nDst++
			}
		}
	}
	return nDst, nSrc, nil
}

// unit takes 16 bits of UTF-16.
func (d *utf7) unit(dst []byte, u rune) int {
	high := d.high
	d.high = 0
	switch {
	case high != 0:
		return utf8.EncodeRune(dst, utf16.DecodeRune(high, u))
	case u >= 0xd800 && u < 0xdc00:
		d.high = u
		return 0
	}
	return utf8.EncodeRune(dst, u)
}

// ascii is an octet that stands for itself.
func ascii(c byte) rune {
	if c < utf8.RuneSelf {
		return rune(c)
	}
	return utf8.RuneError
}
