package queue

import (
	"bufio"
	"bytes"
	"hash/crc32"
	"io"
)

// scanner reads the records of a segment one after the other. What is none it
// skips to the next record: those ranges are in broken, and what comes after the
// last record is in tail.
type scanner struct {
	src    io.ReaderAt
	size   int64
	mark   string
	at     int64 // where the next record should begin
	broken []span
	tail   span // without the zeros at its end

	r    *bufio.Reader // of src from pos on
	pos  int64
	line []byte
}

// span is a range of octets of a file.
type span struct{ at, size int64 }

// found is a record and where it stands: line octets at at, and then content.
type found struct {
	*record
	at   int64
	line int32
}

func (f *found) place(seg *segment) place { return place{seg, uint32(f.at), f.line} }

// content returns where the content begins.
func (f *found) content() int64 { return f.at + int64(f.line) }

// end returns where the next record begins.
func (f *found) end() int64 {
	end := f.content()
	if f.Put != nil && f.Big == "" {
		end += f.Size + 1 // and an LF
	}
	return end
}

func newScanner(src io.ReaderAt, size int64, mark string) *scanner {
	return &scanner{src: src, size: size, mark: mark, r: bufio.NewReaderSize(nil, 64<<10)}
}

// next returns the next record, or io.EOF. Any other error is one of reading.
func (s *scanner) next() (*found, error) {
	f, err := s.record(s.at)
	if err == nil {
		s.at = f.end()
		return f, nil
	}
	if err != errLine {
		return nil, err
	}
	return s.resync()
}

// resync looks for a record behind a range that holds none.
func (s *scanner) resync() (*found, error) {
	start, used := s.at, s.at
	for from := start; ; {
		at, nonzero, err := s.search(from)
		used = max(used, nonzero)
		if err != nil {
			if err == io.EOF {
				s.at = s.size
				s.tail = span{start, used - start}
			}
			return nil, err
		}
		f, err := s.record(at)
		if err == nil {
			s.broken = append(s.broken, span{start, at - start})
			s.at = f.end()
			return f, nil
		}
		if err != errLine {
			return nil, err
		}
		from = at + 1
	}
}

// record reads the record at at. It is errLine if there is none.
func (s *scanner) record(at int64) (*found, error) {
	if at >= s.size {
		return nil, errLine
	}
	s.seek(at)
	head, err := s.r.Peek(int(min(headSize+1, s.size-at)))
	if err != nil {
		return nil, unexpected(err)
	}
	if !isLine(head, s.mark) {
		return nil, errLine
	}
	line, err := s.readLine()
	if err != nil {
		return nil, err
	}
	r, err := parseLine(line, s.mark)
	if err != nil {
		return nil, err
	}
	f := &found{r, at, int32(len(line))}
	if f.end() > s.size {
		return nil, errLine
	}
	if err := s.checkContent(f); err != nil {
		return nil, err
	}
	s.pos = f.end()
	return f, nil
}

// seek makes s.r read at at. Records in a row need no new start.
func (s *scanner) seek(at int64) {
	if at != s.pos || at == 0 {
		s.r.Reset(io.NewSectionReader(s.src, at, s.size-at))
	}
	s.pos = -1
}

// readLine reads to the LF.
func (s *scanner) readLine() ([]byte, error) {
	s.line = s.line[:0]
	for len(s.line) < maxLine {
		part, err := s.r.ReadSlice('\n')
		s.line = append(s.line, part...)
		switch err {
		case nil:
			return s.line, nil
		case bufio.ErrBufferFull:
		case io.EOF:
			return nil, errLine
		default:
			return nil, err
		}
	}
	return nil, errLine
}

func (s *scanner) checkContent(f *found) error {
	n := f.end() - f.content()
	if n == 0 {
		return nil
	}
	h := crc32.New(castagnoli)
	if _, err := io.CopyN(h, s.r, n-1); err != nil {
		return unexpected(err)
	}
	c, err := s.r.ReadByte()
	if err != nil {
		return unexpected(err)
	}
	if c != '\n' || h.Sum32() != f.Sum {
		return errLine
	}
	return nil
}

// search returns where from from on the mark stands, or io.EOF and the end of the
// last octet on the way that is not zero.
func (s *scanner) search(from int64) (at, nonzero int64, err error) {
	want := []byte(s.mark + " ")
	buf := make([]byte, 64<<10)
	for from < s.size {
		b := buf[:min(int64(len(buf)), s.size-from)]
		if n, err := s.src.ReadAt(b, from); n < len(b) {
			return 0, 0, unexpected(err)
		}
		if i := bytes.Index(b, want); i >= 0 {
			return from + int64(i), 0, nil
		}
		if used := len(bytes.TrimRight(b, "\x00")); used > 0 {
			nonzero = from + int64(used)
		}
		if from+int64(len(b)) == s.size {
			break
		}
		from += int64(len(b) - len(want)) // the mark may lie across
	}
	return 0, nonzero, io.EOF
}

// unexpected is err of a read within the size of the file.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
