package mbox

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
)

// own adds to p what gives a message a UID and flags, which is as little as is
// possible: other values in the fields that are there, or else all of them anew, at
// the start of the header, or after the base if that stays. Others' fields of the same names go then, and what says
// the base too, unless keepBase.
func (p *plan) own(f io.ReaderAt, m *span, uid uint32, set flagSet, keywords []string, keepBase bool) error {
	if !m.again && uidOf(m) == uint64(uid) && keepBase == m.fields[fieldXIMAPbase].has() {
		var in plan
		if in.status(m, set, keywords) {
			*p = append(*p, in...)
			return nil
		}
	}
	block := ownBlock(nil, uid, set, keywords, m.fields[fieldXKeywords].value)
	if base := m.fields[fieldXIMAPbase]; keepBase && base.has() {
		p.add(base.end, 0, block) // Dovecot believes no X-UID that stands before the base
	} else if err := p.insert(f, m, block); err != nil {
		return err
	}
	if m.again {
		return p.dropOwn(f, m, keepBase)
	}
	for i, fl := range m.fields {
		if fl.has() && isRenewed(i) && !(keepBase && i == fieldXIMAPbase) {
			p.add(fl.start, fl.end-fl.start, nil)
		}
	}
	return nil
}

// insert adds fields at the start of a header. If that begins like a line that
// continues another, X-Mbox-Added keeps it from being one.
func (p *plan) insert(f io.ReaderAt, m *span, text []byte) error {
	var first [1]byte
	if _, err := f.ReadAt(first[:], m.header); err != nil && err != io.EOF {
		return err
	}
	if c := first[0]; c == ' ' || c == '\t' {
		a := parseAdded(m.fields[fieldXMboxAdded].value) | addedStart
		text = append(a.append(append(text, fieldNames[fieldXMboxAdded]+": "...)), '\n')
	}
	p.add(m.header, 0, text)
	return nil
}

// uidOf is what a message's X-UID says, or 0.
func uidOf(m *span) uint64 {
	n, err := strconv.ParseUint(string(m.fields[fieldXUID].value), 10, 32)
	if err != nil {
		return 0
	}
	return n
}

// isRenewed reports whether a field is one of those that own writes anew. What tells
// of the octets of the message stays where it is.
func isRenewed(id int) bool {
	return id >= 0 && id != fieldContentLength && id != fieldXMboxAdded && id != fieldMessageID
}

// status writes flags into the fields that are there, if they have room.
func (p *plan) status(m *span, set flagSet, keywords []string) bool {
	for i, value := range statusValues(set, keywords, m.fields[fieldXKeywords].value) {
		id := statusFields[i].id
		at := &m.fields[id]
		if !at.has() {
			if value != "" {
				return false
			}
			continue
		}
		name := fieldNames[id] + ": "
		room := int(at.end-at.start) - len(name) - 1
		if room < len(value) {
			return false
		}
		if string(at.value) != value {
			p.add(at.start, at.end-at.start, fmt.Appendf(nil, "%s%-*s\n", name, room, value))
		}
	}
	return true
}

// dropOwn takes all fields out that own writes anew, however often they are there.
func (p *plan) dropOwn(f io.ReaderAt, m *span, keepBase bool) error {
	keep := int64(-1)
	if keepBase {
		keep = m.fields[fieldXIMAPbase].start
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, m.header, m.body-m.header), 16<<10)
	at, start, drop, inner := m.header, m.header, false, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull && err != io.EOF {
			return err
		}
		if !inner && len(line) > 0 && line[0] != ' ' && line[0] != '\t' {
			if drop {
				p.add(start, at-start, nil)
			}
			start, drop = at, isRenewed(fieldOf(line)) && at != keep
		}
		at += int64(len(line))
		inner = err == bufio.ErrBufferFull
		if err == io.EOF {
			if drop {
				p.add(start, at-start, nil)
			}
			return nil
		}
	}
}

// writeBase adds to p what makes b the base that is in the file.
func (p *plan) writeBase(b *base) {
	p.add(b.start, b.end-b.start, b.append(nil))
}
