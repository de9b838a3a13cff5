package mime

import (
	"bufio"
	"bytes"
	"io"
)

// HeaderFilter is HEADER.FIELDS of RFC 9051 section 6.4.5.1, or if Not is set
// HEADER.FIELDS.NOT, over the octets of a header.
type HeaderFilter struct {
	Names []string // without regard to case
	Not   bool
}

// Append appends the fields as they stand in a header, and the empty line.
func (f HeaderFilter) Append(b, header []byte) []byte {
	s := f.begin()
	for len(header) > 0 && !s.done {
		line := header
		if i := bytes.IndexByte(header, '\n'); i >= 0 {
			line = header[:i+1]
		}
		if header = header[len(line):]; s.keeps(line) {
			b = append(b, line...)
		}
	}
	return append(b, s.tail()...)
}

// Copy does the same for a header of any size, and returns how many octets it wrote:
// to io.Discard, how many it would write.
func (f HeaderFilter) Copy(w io.Writer, header io.Reader) (n int64, err error) {
	s := f.begin()
	r := bufio.NewReaderSize(header, 16<<10)
	for !s.done {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 && s.keeps(line) {
			m, err := w.Write(line)
			if n += int64(m); err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil && err != bufio.ErrBufferFull {
			return n, err
		}
	}
	m, err := io.WriteString(w, s.tail())
	return n + int64(m), err
}

func (f HeaderFilter) begin() filterState { return filterState{f: f, begins: true, keep: f.Not} }

// filterState goes from line to line.
type filterState struct {
	f      HeaderFilter
	common bool // commonFields are the names
	begins bool // the next octets begin a line
	keep   bool // the field at hand is kept
	open   bool // what was kept last has no line end
	done   bool // the empty line was there
}

// keeps decides on a line, or on a piece of one that is long.
func (s *filterState) keeps(line []byte) bool {
	if s.begins && line[0] != ' ' && line[0] != '\t' {
		if lineEnd(line) == len(line) {
			s.done = true
			return false
		}
		name, _, ok := bytes.Cut(line, []byte(":"))
		s.keep = s.f.Not != (ok && s.named(bytes.TrimRight(name, " \t")))
	}
	if s.begins = line[len(line)-1] == '\n'; s.keep {
		s.open = !s.begins
	}
	return s.keep
}

func (s *filterState) named(name []byte) bool {
	if s.common {
		return isCommon(name)
	}
	for _, n := range s.f.Names {
		if len(n) == len(name) && bytes.EqualFold([]byte(n), name) {
			return true
		}
	}
	return false
}

// tail is the empty line, which is always there.
func (s *filterState) tail() string {
	if s.open {
		return "\r\n\r\n"
	}
	return "\r\n"
}
