package mime

import "bytes"

// header takes the lines of a header, and the empty one after it. It ends before that
// at a delimiter, or with the message.
func (s *scan) header() (d delimiter, found bool) {
	s.fields = values{}
	s.value = s.value[:0]
	cur := fieldNone // the one whose lines are being read
	whole := true    // no piece of a line is to come
	top := s.win.off == 0
	for {
		before, linesBefore := s.win.off, s.lines
		line := s.win.line()
		if len(line) == 0 { // the end of the message
			s.keep(cur)
			return d, false
		}
		if top {
			s.keepCommon(line)
		}
		end := lineEnd(line)
		if whole && end == len(line) {
			s.lines++
			s.lastEnd = end
			s.keep(cur)
			return d, false
		}
		if whole && line[0] == '-' {
			if d, found = s.matchAt(line, before, linesBefore); found {
				s.keep(cur)
				s.endLine(end)
				return d, true
			}
		}
		text := line[:len(line)-end]
		if whole && line[0] != ' ' && line[0] != '\t' {
			s.keep(cur)
			if cur, text = fieldOf(text); cur < envelopeFields && s.frames[len(s.frames)-1].part.Envelope == nil {
				cur = fieldNone
			}
		}
		if cur != fieldNone {
			s.value = append(s.value, text[:min(len(text), s.MaxValue-len(s.value))]...)
		}
		whole = end > 0
		s.lines += int64(min(end, 1))
		s.lastEnd = end
	}
}

// matchAt is match for a line that was taken.
func (s *scan) matchAt(line []byte, off, lines int64) (d delimiter, found bool) {
	if d, found = s.match(line); found {
		d.offset += off - s.win.off
		d.lines += lines - s.lines
	}
	return d, found
}

// endLine takes what is left of a line of which a piece with this end was taken.
func (s *scan) endLine(end int) {
	if end == 0 {
		s.skipLine()
		return
	}
	s.lines++
	s.lastEnd = end
}

// keep ends a field.
func (s *scan) keep(f field) {
	if f != fieldNone && s.fields.wants(f) {
		// A list of addresses can be rendered as many times its octets, so there is
		// less room for envelopes.
		kept, most := &s.keptContent, 64*s.MaxValue
		if f < envelopeFields {
			kept, most = &s.keptEnvelope, 4*s.MaxValue
		}
		v := bytes.Trim(s.value, " \t\r")
		v = v[:min(len(v), most-*kept)]
		*kept += len(v)
		if !s.root.eightBit {
			s.root.eightBit = classify(v) >= eightBit
		}
		s.fields.add(f, string(v))
	}
	s.value = s.value[:0]
}

// keepCommon takes a line of the message's own header, or a piece of one.
func (s *scan) keepCommon(line []byte) {
	if s.root.allCommon && s.common.keeps(line) {
		if s.root.allCommon = len(s.kept)+len(line) <= maxCommon; s.root.allCommon {
			s.kept = append(s.kept, line...)
		}
	}
}
