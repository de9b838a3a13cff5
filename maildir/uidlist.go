package maildir

import (
	"errors"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// A dovecot-uidlist of version 3 gives each base its UID:
//
//	3 V1795374077 N3 Ge0784d0bfb3b036bae6b000083ecc375
//	1 :1795374075.M211740P27571.host,S=18,W=21
//	2 W21 :1795374080.M1P1.host:2,S
//
// The header has the UIDVALIDITY, a UID that is above all in the file as it was
// when the header was written, and the mailbox's GUID. A line has a UID, in
// ascending order, fields that begin with a letter each, and a file's name. New
// lines are appended; of two lines with one base the later counts.

// errNoHeader means that a file is no uidlist.
var errNoHeader = errors.New("no header of a uidlist")

// listHeader is the first line.
type listHeader struct {
	validity uint32
	next     uint64   // at least 1; more than 32 bits would not be a UID
	others   []string // the other fields
}

func parseHeader(line string) (listHeader, error) {
	h := listHeader{next: 1}
	fields := strings.Split(line, " ")
	if fields[0] != "3" {
		return h, errNoHeader
	}
	for _, f := range fields[1:] {
		if f == "" {
			continue
		}
		switch n, err := strconv.ParseUint(f[1:], 10, 32); {
		case f[0] == 'V' && err == nil:
			h.validity = uint32(n)
		case f[0] == 'N' && err == nil:
			h.next = max(n, 1)
		case f[0] == 'V' || f[0] == 'N':
			return h, errNoHeader
		default:
			h.others = append(h.others, strings.Clone(f)) // or it would keep all of the file
		}
	}
	if h.validity == 0 {
		return h, errNoHeader
	}
	return h, nil
}

func (h listHeader) append(b []byte) []byte {
	b = strconv.AppendUint(append(b, "3 V"...), uint64(h.validity), 10)
	b = strconv.AppendUint(append(b, " N"...), h.next, 10)
	for _, f := range h.others {
		b = append(append(b, ' '), f...)
	}
	return append(b, '\n')
}

// guid is the mailbox's, or empty.
func (h listHeader) guid() string {
	for _, f := range h.others {
		if f[0] == 'G' {
			return f[1:]
		}
	}
	return ""
}

// listLine is one message.
type listLine struct {
	uid    mailparts.UID
	fields string // with a space before each
	base   string
}

func parseLine(line string) (l listLine, ok bool) {
	number, _, _ := strings.Cut(line, " ")
	fields, name, ok := strings.Cut(line[len(number):], " :")
	uid, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil || uid == 0 || !validName(name) {
		return l, false
	}
	return listLine{mailparts.UID(uid), fields, baseOf(name)}, true
}

func (l listLine) append(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(l.uid), 10)
	b = append(append(b, l.fields...), " :"...)
	return append(append(b, l.base...), '\n')
}

// field returns the field that begins with a letter, without it, or "".
func (l listLine) field(letter byte) string {
	for f := range strings.SplitSeq(l.fields, " ") {
		if f != "" && f[0] == letter {
			return f[1:]
		}
	}
	return ""
}

// wire is the size on the wire that the line's "W" field gives, or -1.
func (l listLine) wire() int64 {
	if n, err := strconv.ParseInt(l.field('W'), 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// uidl is the POP3 unique-id that the line's "P" field gives, or "".
func (l listLine) uidl() string { return l.field('P') }

// guid is the "G" field: what a copy's EMAILID is made of, in place of its base. One
// that is longer than the index takes is none.
func (l listLine) guid() string {
	if g := l.field('G'); len(g) <= maxName {
		return g
	}
	return ""
}

// parseLines reads the whole lines of text whose UIDs ascend from above last, and
// returns how many octets whole lines are. Lines that are none are counted: a
// crash leaves them, and their messages get new UIDs.
func parseLines(text string, last mailparts.UID) (lines []listLine, size, bad int) {
	lines = make([]listLine, 0, strings.Count(text, "\n"))
	for {
		n := strings.IndexByte(text[size:], '\n')
		if n < 0 {
			return lines, size, bad
		}
		l, ok := parseLine(text[size : size+n])
		size += n + 1
		if !ok || l.uid <= last {
			bad++
			continue
		}
		last = l.uid
		lines = append(lines, l)
	}
}

// parseList reads a whole uidlist.
func parseList(text string) (h listHeader, lines []listLine, size, bad int, err error) {
	first, rest, ok := strings.Cut(text, "\n")
	if !ok {
		return h, nil, 0, 0, errNoHeader
	}
	if h, err = parseHeader(first); err != nil {
		return h, nil, 0, 0, err
	}
	lines, size, bad = parseLines(rest, 0)
	return h, lines, len(first) + 1 + size, bad, nil
}
