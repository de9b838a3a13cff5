package mbox

import (
	"errors"
	"io"
)

// detectOctets is how much of a file Detect reads.
const detectOctets = 16 << 20

// Detect tells the format of an mbox from its first 16 MB. All four are alike where no
// line of a message begins with "From ", so that it is a guess, by this table: whether
// most fields Content-Length lead to the next message, and what bodies have at the
// start of a line.
//
//	Content-Length  lines                  format
//	leads on        "From "                CL2
//	leads on        no "From ", ">>From "  CL
//	leads on        neither                CL2
//	none            "From "                O
//	none            no "From ", ">>From "  RD
//	none            ">From " only          O
//	none            none of them           RD
//
// ">From " alone does not tell whether it was quoted: many programs write mboxo, and
// a reply has it where it quotes a line. So it is left as it is. An empty file is RD.
// What is no mbox is an ErrFormat.
func Detect(r io.Reader) (Format, error) {
	var all, measured evidence
	s := scanner{window: window{r: r}, lengths: true}
	for s.offset() < detectOctets {
		var m span
		if err := s.begin(&m); err == io.EOF {
			break
		} else if err != nil {
			return RD, err
		}
		seen, err := s.lines()
		if err != nil && !errors.Is(err, ErrFormat) {
			return RD, err
		}
		if s.part != between {
			break // only a part of it was seen
		}
		all.add(seen)
		switch fits := err == nil && s.known; {
		case fits:
			measured.add(seen)
		case m.fields[fieldContentLength].has():
			measured.messages--
		}
		if err != nil {
			break
		}
	}
	if measured.messages > 0 {
		if !measured.lines[0] && measured.lines[2] {
			return CL, nil
		}
		return CL2, nil
	}
	if all.lines[0] || all.lines[1] && !all.lines[2] {
		return O, nil
	}
	return RD, nil
}

// evidence is what was seen in messages.
type evidence struct {
	messages int
	lines    [3]bool // in bodies, "From " at the start of a line after no ">", one, more
}

func (e *evidence) add(lines [3]bool) {
	e.messages++
	for i, seen := range lines {
		e.lines[i] = e.lines[i] || seen
	}
}

// lines goes through the message that has begun.
func (s *scanner) lines() ([3]bool, error) {
	header, quotes := headerFilter{}, quoter{do: quoteAll}
	var head, out []byte
	for s.part != between && s.offset() < detectOctets {
		var body []byte
		head, body = header.append(head[:0], s.piece())
		out = quotes.append(out[:0], body)
	}
	return quotes.seen, s.err
}
