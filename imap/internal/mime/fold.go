package mime

import (
	"unicode"
	"unicode/utf8"
)

// folder folds case: every letter becomes the first of those that are the same by
// Unicode's simple case folding, but for US-ASCII, where that is the lower-case one.
type folder struct {
	table []rune // of the scripts that have most of the text with cases
}

func (f *folder) prepare() {
	f.table = make([]rune, 0x600)
	for i := range f.table {
		f.table[i] = foldRune(rune(i))
	}
}

func foldRune(r rune) rune {
	least := r
	for o := unicode.SimpleFold(r); o != r; o = unicode.SimpleFold(o) {
		least = min(least, o)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// fold appends folded text.
func (f *folder) fold(dst, src []byte) []byte {
	for n := 0; n < len(src); {
		c := src[n]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			n++
			continue
		}
		if c >= 0xc2 && c < 0xd8 && n+1 < len(src) && src[n+1]&0xc0 == 0x80 && len(f.table) > 0 { // two octets, of the table
			if r := f.table[rune(c&0x1f)<<6|rune(src[n+1]&0x3f)]; r < utf8.RuneSelf {
				dst = append(dst, byte(r))
			} else if r < 0x800 {
				dst = append(dst, 0xc0|byte(r>>6), 0x80|byte(r&0x3f))
			} else {
				dst = utf8.AppendRune(dst, r)
			}
			n += 2
			continue
		}
		r, size := utf8.DecodeRune(src[n:])
		switch {
		case r == utf8.RuneError && size == 1: // no UTF-8
			dst = append(dst, c)
		case int(r) < len(f.table):
			dst = utf8.AppendRune(dst, f.table[r])
		case r >= 0x2e80 && r < 0xa640 || r >= 0xac00 && r < 0xd800: // Chinese, Japanese, Korean
			dst = append(dst, src[n:n+size]...)
		default:
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		n += size
	}
	return dst
}
