package mime

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Scanner has the limits of a scan; the zero Scanner has those of [Scan].
type Scanner struct {
	MaxDepth int // parts within parts; zero: 100
	MaxParts int // of a message in all; zero: 10,000
	MaxValue int // octets that are kept of a field; zero: 128 KB. Of all that envelopes have, four times that
}

// Scan reads a message to its end and returns its parts. Any octets are a message; an
// error is one of r, and comes with what was read up to it.
func Scan(r io.Reader) (*Part, error) { return Scanner{}.Scan(r) }

// Scan is as [Scan], with the limits of sc.
func (sc Scanner) Scan(r io.Reader) (*Part, error) {
	if sc.MaxDepth == 0 {
		sc.MaxDepth = 100
	}
	if sc.MaxParts == 0 {
		sc.MaxParts = 10_000
	}
	if sc.MaxValue == 0 {
		sc.MaxValue = 128 << 10
	}
	s := scans.Get().(*scan)
	defer s.release()
	s.Scanner = sc
	s.win.reset(r)
	s.run()
	return s.root, s.win.err
}

// scans keeps the windows.
var scans = sync.Pool{New: func() any { return new(scan) }}

// maxBoundary is how much of a boundary counts: RFC 2046 section 5.1.1 allows 70
// octets, and since nothing else begins like it, its beginning will do.
const maxBoundary = 1000

// scan is the state of a Scan.
type scan struct {
	Scanner
	win     window
	root    *Part
	frames  []frame // the parts that are open, innermost last
	parts   int
	lines   int64 // line ends up to win.off
	lastEnd int   // octets of the line end before win.off: 0, 1 or 2

	fields values // of the header that is being read
	value  []byte // of the field that is being read
	common filterState
	kept   []byte // the common fields of the message's header, as they stand
	lead   lead

	keptEnvelope, keptContent int // octets of values
}

// frame is a part that is open.
type frame struct {
	part   *Part
	delim  []byte // "--" and the boundary, of a multipart that has one
	closed bool   // the close delimiter was there
	digest bool   // multipart/digest

	header, headerLines int64 // where the header begins
	body, bodyLines     int64 // where the body does, once inBody
	inBody              bool
	child, childLines   int64 // where the last child begins, of a multipart
}

func (s *scan) release() {
	win := s.win
	win.src = nil
	clear(s.frames[:cap(s.frames)])
	frames, value, kept := s.frames[:0], s.value[:0], s.kept[:0]
	if cap(value) > 64<<10 {
		value = nil
	}
	*s = scan{win: win, frames: frames, value: value, kept: kept}
	scans.Put(s)
}

// delimiter is a line that was found: the frame it belongs to, by its index.
type delimiter struct {
	frame   int
	closing bool
	offset  int64 // of the line end before it, which belongs to it
	lines   int64 // line ends before that
}

func (s *scan) run() {
	s.root = s.open(true)
	s.root.allCommon, s.common = true, filterState{common: true, begins: true}
	for inHeader := true; ; {
		var d delimiter
		found := false
		if inHeader {
			if d, found = s.header(); !found {
				if inHeader = s.descend(); inHeader {
					continue
				}
			}
		}
		if !found {
			if d, found = s.body(); !found {
				break
			}
		}
		inHeader = s.divide(d)
	}
	s.closeTo(-1, s.win.off, s.lines)
	s.root.lead, s.root.leadPart, s.root.leadWhole = s.lead.result()
	s.root.common = bytes.Clone(s.kept)
}

// open begins a part where the window is.
func (s *scan) open(message bool) *Part {
	s.parts++
	p := new(Part)
	if message {
		p.Envelope = new(Envelope)
	}
	if n := len(s.frames); n > 0 {
		in := s.frames[n-1].part
		in.Children = append(in.Children, p)
	}
	s.frames = append(s.frames, frame{part: p, header: s.win.off, headerLines: s.lines})
	return p
}

// descend is called where a header ended with an empty line. It reports whether the
// body begins with another header.
func (s *scan) descend() bool {
	f := &s.frames[len(s.frames)-1]
	s.endHeader(f)
	p := f.part
	switch {
	case p.IsMessage() || p.IsMultipart():
		if len(s.frames) >= s.MaxDepth || s.full() {
			p.makeOpaque()
			return false
		}
		if p.IsMessage() {
			s.open(true)
			return true
		}
		b, _ := Lookup(p.Params, "boundary")
		if b = strings.TrimRight(b, " \t"); b != "" {
			f.delim = []byte("--" + b[:min(len(b), maxBoundary)])
		}
		f.digest = strings.EqualFold(p.Subtype, "digest")
	default:
		s.lead.begin(p)
	}
	return false
}

// endHeader takes what a header said.
func (s *scan) endHeader(f *frame) {
	n := len(s.frames)
	f.part.setContent(&s.fields, n > 1 && s.frames[n-2].digest && s.frames[n-2].part.IsMultipart())
	if e := f.part.Envelope; e != nil {
		copy(e.value[:], s.fields.value[:envelopeFields])
		e.has = s.fields.has & (1<<envelopeFields - 1)
	}
	f.inBody, f.body, f.bodyLines = true, s.win.off, s.lines
}

// divide ends the parts within the one that a delimiter belongs to. It reports
// whether another one begins.
func (s *scan) divide(d delimiter) bool {
	f := &s.frames[d.frame]
	if d.offset < f.child { // the line before it is a delimiter too
		d.offset, d.lines = f.child, f.childLines
	}
	s.closeTo(d.frame, d.offset, d.lines)
	f.child, f.childLines = s.win.off, s.lines
	if f.closed = d.closing; d.closing {
		return false
	}
	s.open(false)
	return true
}

// closeTo ends all frames after one, at an offset with a number of line ends.
func (s *scan) closeTo(last int, end, lines int64) {
	s.lead.end()
	for i := len(s.frames) - 1; i > last; i-- {
		f := &s.frames[i]
		if !f.inBody { // no empty line
			s.endHeader(f)
		}
		// A delimiter right after the header takes the header's empty line with it.
		p := f.part
		header, body := min(f.header, end), min(f.body, end)
		headerLines, bodyLines := min(f.headerLines, lines), min(f.bodyLines, lines)
		p.Header, p.HeaderLines = Range{header, body - header}, bodyLines-headerLines
		p.Body, p.Lines = Range{body, end - body}, lines-bodyLines
		if p.needsChild() {
			p.addEmptyChild()
		}
		s.frames[i] = frame{}
		s.frames = s.frames[:i]
	}
}

// full reports whether there are as many parts as there may be: then nothing is
// divided any more.
func (s *scan) full() bool { return s.parts >= s.MaxParts }

var dashes = []byte("--")

// match looks for a delimiter at the beginning of a line: the longest that fits, since
// a boundary may begin like another, and of equals the innermost.
func (s *scan) match(line []byte) (d delimiter, ok bool) {
	if !bytes.HasPrefix(line, dashes) || s.full() {
		return d, false
	}
	longest := 0
	for i := len(s.frames) - 1; i >= 0; i-- {
		if delim := s.frames[i].delim; len(delim) > longest && bytes.HasPrefix(line, delim) {
			longest = len(delim)
			d.frame = i
		}
	}
	if longest == 0 || s.frames[d.frame].closed { // what is after the close delimiter is epilogue
		return d, false
	}
	d.closing = bytes.HasPrefix(line[longest:], dashes)
	d.offset, d.lines = s.win.off, s.lines
	if s.lastEnd > 0 {
		d.offset -= int64(s.lastEnd)
		d.lines--
	}
	return d, true
}
