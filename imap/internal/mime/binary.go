package mime

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// ErrUnknownEncoding is a Content-Transfer-Encoding that no reader decodes. RFC 3516
// section 4.3 has NO [UNKNOWN-CTE] for it.
var ErrUnknownEncoding = errors.New("mime: unknown content-transfer-encoding")

// NewBinaryReader decodes a part's body (RFC 3516), which r has the octets of. Nothing
// in the body is an error: what is not of the encoding is passed over in base64 and
// stays as it is in quoted-printable.
func NewBinaryReader(r io.Reader, encoding string) (io.Reader, error) {
	switch strings.ToLower(encoding) {
	case "", "7bit", "8bit", "binary":
		return r, nil
	case "base64":
		return &decodingReader{src: r, d: new(base64Decoder)}, nil
	case "quoted-printable":
		return &decodingReader{src: r, d: new(quotedDecoder)}, nil
	}
	return nil, ErrUnknownEncoding
}

// decoder decodes in pieces; the last one is told.
type decoder interface {
	decode(dst, src []byte, last bool) []byte
}

// decodingReader decodes what it reads.
type decodingReader struct {
	src  io.Reader
	d    decoder
	in   []byte
	out  []byte // decoded, of which left is to be read
	left []byte
	err  error
}

func (r *decodingReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for tries := 0; len(r.left) == 0; tries++ {
		if r.err != nil {
			return 0, r.err
		}
		if tries > 100 {
			return 0, io.ErrNoProgress
		}
		if r.in == nil {
			r.in = make([]byte, 8<<10)
		}
		n, err := r.src.Read(r.in)
		if n > 0 && err == nil {
			tries = 0
		}
		r.out = r.d.decode(r.out[:0], r.in[:n], err == io.EOF)
		r.left, r.err = r.out, err
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// base64Decoder decodes RFC 2045 section 6.8. Padding ends a quantum, not the text:
// bodies that were put together of several are common.
type base64Decoder struct {
	bits uint32
	n    int // characters in bits
}

func (d *base64Decoder) decode(dst, src []byte, last bool) []byte {
	for i := 0; i < len(src); {
		for d.n == 0 && i+4 <= len(src) { // whole quanta
			a, b, c, e := unbase64[src[i]], unbase64[src[i+1]], unbase64[src[i+2]], unbase64[src[i+3]]
			if (a|b|c|e)&0x80 != 0 {
				break
			}
			dst = append(dst, a<<2|b>>4, b<<4|c>>2, c<<6|e)
			i += 4
		}
		if i >= len(src) {
			break
		}
		c := src[i]
		i++
		if v := unbase64[c]; v < 64 {
			d.bits, d.n = d.bits<<6|uint32(v), d.n+1
			if d.n == 4 {
				dst = append(dst, byte(d.bits>>16), byte(d.bits>>8), byte(d.bits))
				d.bits, d.n = 0, 0
			}
		} else if c == '=' {
			dst = d.flush(dst)
		}
	}
	if last {
		dst = d.flush(dst)
	}
	return dst
}

// flush takes the whole octets of a quantum that is not.
func (d *base64Decoder) flush(dst []byte) []byte {
	switch d.n {
	case 2:
		dst = append(dst, byte(d.bits>>4))
	case 3:
		dst = append(dst, byte(d.bits>>10), byte(d.bits>>2))
	}
	d.bits, d.n = 0, 0
	return dst
}

// quotedDecoder decodes RFC 2045 section 6.7.
type quotedDecoder struct {
	held []byte // what more is needed for: "=", "=C", white space
}

// maxBlank bounds what is held back of white space, which may be at the end of a line.
const maxBlank = 1000

func (d *quotedDecoder) decode(dst, src []byte, last bool) []byte {
	if len(d.held) > 0 {
		src = append(d.held, src...)
		d.held = nil
	}
	for len(src) > 0 {
		i := bytes.IndexByte(src, '=')
		if i < 0 {
			end := trimBlank(src, " \t\r")
			if last {
				end = trimBlank(src, " \t")
			} else {
				d.held = bytes.Clone(src[end:])
			}
			return appendLines(dst, src[:end])
		}
		dst = appendLines(dst, src[:i])
		src = src[i:]
		n, c, literal, ok := quotedAt(src, last)
		if !ok {
			d.held = bytes.Clone(src)
			return dst
		}
		if literal {
			dst = append(dst, c)
		}
		src = src[n:]
	}
	return dst
}

// trimBlank returns where the blanks at the end of b begin.
func trimBlank(b []byte, blanks string) int {
	n := len(b)
	for n > 0 && len(b)-n < maxBlank && strings.IndexByte(blanks, b[n-1]) >= 0 {
		n--
	}
	return n
}

// appendLines appends text without an = in it. White space at the end of a line was
// added on the way (rule 3).
func appendLines(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return append(dst, text...)
		}
		end := i + 1 - lineEnd(text[:i+1])
		dst = append(dst, text[:trimBlank(text[:end], " \t")]...)
		dst = append(dst, text[end:i+1]...)
		text = text[i+1:]
	}
}

// quotedAt decodes what an = begins: n octets, which may stand for one. It reports
// false if it cannot say without more.
func quotedAt(src []byte, last bool) (n int, c byte, literal, ok bool) {
	if len(src) >= 3 && isHex(src[1]) && isHex(src[2]) {
		return 3, unhex[src[1]]<<4 | unhex[src[2]], true, true
	}
	if len(src) == 2 && isHex(src[1]) && !last {
		return 0, 0, false, false
	}
	end := 1
	for end < len(src) && end < maxBlank && (src[end] == ' ' || src[end] == '\t') {
		end++
	}
	switch rest := src[end:]; {
	case bytes.HasPrefix(rest, []byte("\r\n")): // a soft line break
		return end + 2, 0, false, true
	case bytes.HasPrefix(rest, []byte("\n")):
		return end + 1, 0, false, true
	case len(rest) == 0 && last:
		return end, 0, false, true
	case (len(rest) == 0 || len(rest) == 1 && rest[0] == '\r') && !last:
		return 0, 0, false, false
	}
	return 1, '=', true, true
}

// unhex and unbase64 have the value of a digit, and 0xff for others.
var unhex, unbase64 = digits("0123456789ABCDEF"), digits("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

func digits(alphabet string) (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(alphabet) {
		if t[alphabet[i]] = byte(i); len(alphabet) == 16 {
			t[alphabet[i]|0x20] = byte(i)
		}
	}
	return t
}
