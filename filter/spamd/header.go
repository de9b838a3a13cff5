package spamd

import (
	"bufio"
	"bytes"
	"io"
)

// prefix is what all of SpamAssassin's fields begin with, in any case.
const prefix = "X-Spam-"

// pieceSize is how much of a line is looked at at once: a longer one comes in
// pieces.
const pieceSize = 4096

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, pieceSize) }

// fields goes through the header of a message line by line.
type fields struct {
	r    *bufio.Reader
	mid  bool // the last piece was not the end of its line
	spam bool // the field of the last line is one of SpamAssassin's
	done bool // the header has ended: r is at the body
}

// next returns a line, or a piece of a long one, valid until the next call, and
// whether it belongs to an X-Spam field. The empty line ends the header. An error
// comes after the last piece.
func (f *fields) next() (piece []byte, spam bool, err error) {
	piece, err = f.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull || len(piece) > 0 && err == io.EOF {
		err = nil
	}
	if len(piece) == 0 {
		return nil, false, err
	}
	if !f.mid {
		switch {
		case piece[0] == '\n' || string(piece) == "\r\n":
			f.done, f.spam = true, false
		case piece[0] != ' ' && piece[0] != '\t': // no folded line: RFC 5322 section 2.2.3
			f.spam = len(piece) >= len(prefix) && bytes.EqualFold(piece[:len(prefix)], []byte(prefix))
		}
	}
	f.mid = piece[len(piece)-1] != '\n'
	return piece, f.spam, err
}

// stripper is a message without its X-Spam fields.
type stripper struct {
	fields
	rest []byte // of the last piece
	err  error  // what comes after it
}

func (s *stripper) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.done {
			return s.r.Read(p)
		}
		piece, spam, err := s.next()
		if s.err = err; !spam {
			s.rest = piece
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
