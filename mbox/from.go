package mbox

import (
	"bytes"
	"strconv"
	"time"
)

// maxFrom is how long a From_ line can be, its line end included. What is longer
// is text.
const maxFrom = 1024

var fromWord = []byte("From ")

// nobody stands for the empty reverse-path in a From_ line.
const nobody = "MAILER-DAEMON"

// A From_ line is "From ", a sender and a date in one of the forms that mail
// programs write:
//
//	From user Wed Dec  2 05:53 1992
//	From user Wed Dec  2 05:53:22 1992
//	From user Wed Dec  2 05:53:22 PST 1992
//	From user Wed Dec  2 05:53:22 MET DST 1992
//	From user Wed Dec  2 05:53:22 -0700 1992
//	From user Wed Dec  2 05:53:22 1992 PST
//	From user Wed Dec  2 05:53:22 1992 -0700
//	From user Wed Dec  2 05:53:22 1992 -0700 remote from host
//	From user Wed, 2 Dec 1992 05:53:22 -0700
//
// Senders may have spaces ("user at example.com"), as for UW-IMAP and mutt, or there
// may be none. Whatever follows the date is passed over, as for Dovecot and mutt.

// isFrom reports whether a line is a From_ line.
func isFrom(line []byte) bool {
	_, _, ok := cutFrom(line)
	return ok
}

// cutFrom takes a From_ line apart, at the first place where a date can begin.
func cutFrom(line []byte) (sender []byte, date stamp, ok bool) {
	rest, ok := bytes.CutPrefix(line, fromWord)
	if !ok || len(line) > maxFrom {
		return nil, date, false
	}
	for at := 0; ; {
		if date, ok := parseStamp(rest[at:]); ok {
			return bytes.TrimSpace(rest[:at]), date, true
		}
		i := bytes.IndexByte(rest[at:], ' ')
		if i < 0 {
			return nil, date, false
		}
		for at += i; at < len(rest) && rest[at] == ' '; at++ {
		}
	}
}

// appendFrom appends a From_ line with LF. RFC 4155 wants the date in UTC without a
// zone, where every program takes a date without one for local time. So the date is
// local, for those that pass over the zone, and has one.
func appendFrom(b []byte, sender string, date time.Time, loc *time.Location) []byte {
	b = append(b, fromWord...)
	if sender == "" {
		sender = nobody
	}
	for _, c := range []byte(sender[:min(len(sender), maxFrom/2)]) {
		if c <= ' ' || c == 0x7f {
			c = '_' // a space would end the sender
		}
		b = append(b, c)
	}
	return date.In(loc).AppendFormat(b, " Mon Jan _2 15:04:05 2006 -0700\n")
}

// stamp is the date of a From_ line.
type stamp struct {
	year, month, day, hour, minute, second int
	zone                                   int // seconds east of UTC
	zoned                                  bool
}

func (s stamp) in(loc *time.Location) time.Time {
	if s.zoned {
		loc = time.UTC
		if s.zone != 0 {
			loc = time.FixedZone("", s.zone)
		}
	}
	return time.Date(s.year, time.Month(s.month), s.day, s.hour, s.minute, s.second, 0, loc)
}

const (
	weekdays = "SunMonTueWedThuFriSat"
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// parseStamp parses a date at the start of b.
func parseStamp(b []byte) (s stamp, ok bool) {
	if len(b) < len("Mon Jan 1 00:00 2000") || nameIn(weekdays, b[:3]) == 0 {
		return s, false
	}
	if b[3] == ',' {
		return parseMailStamp(b[4:])
	}
	if b[3] != ' ' {
		return s, false
	}
	word, b := nextWord(b[4:])
	if s.month = nameIn(months, word); s.month == 0 {
		return s, false
	}
	word, b = nextWord(b)
	if s.day, ok = number(word, 1, 2); !ok || s.day < 1 || s.day > 31 {
		return s, false
	}
	word, b = nextWord(b)
	if !s.clock(word) {
		return s, false
	}
	// Up to two zones, and the year.
	for range 3 {
		word, b = nextWord(b)
		if s.year, ok = number(word, 4, 4); ok {
			break
		}
		if !s.setZone(word) {
			return s, false
		}
	}
	if !ok {
		return s, false
	}
	if !s.zoned {
		word, _ = nextWord(b)
		s.setZone(word)
	}
	return s, true
}

// parseMailStamp parses the rest of a date as header fields have it (RFC 5322 section
// 3.3).
func parseMailStamp(b []byte) (s stamp, ok bool) {
	day, b := nextWord(b)
	month, b := nextWord(b)
	year, b := nextWord(b)
	clock, b := nextWord(b)
	s.month = nameIn(months, month)
	if s.day, ok = number(day, 1, 2); !ok || s.day < 1 || s.day > 31 || s.month == 0 {
		return s, false
	}
	if s.year, ok = number(year, 4, 4); !ok || !s.clock(clock) {
		return s, false
	}
	zone, _ := nextWord(b)
	s.setZone(zone)
	return s, true
}

// clock is 15:04 or 15:04:05.
func (s *stamp) clock(word []byte) (ok bool) {
	if len(word) != 5 && len(word) != 8 || word[2] != ':' {
		return false
	}
	if s.hour, ok = number(word[:2], 2, 2); !ok || s.hour > 23 {
		return false
	}
	if s.minute, ok = number(word[3:5], 2, 2); !ok || s.minute > 59 || len(word) == 5 {
		return ok && s.minute <= 59
	}
	s.second, ok = number(word[6:], 2, 2)
	return ok && word[5] == ':' && s.second <= 60
}

// setZone takes a zone, or says that word is none. Names that mean different zones
// in different places say nothing (RFC 5322 section 4.3).
func (s *stamp) setZone(word []byte) bool {
	if len(word) == 5 && (word[0] == '+' || word[0] == '-') {
		n, ok := number(word[1:], 4, 4)
		if !ok || n%100 > 59 || n/100 > 23 {
			return false
		}
		s.zone, s.zoned = (n/100*60+n%100)*60, true
		if word[0] == '-' {
			s.zone = -s.zone
		}
		return true
	}
	if len(word) == 0 || len(word) > 8 {
		return false
	}
	for _, c := range word {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	hours, ok := zones[string(word)]
	if ok {
		s.zone, s.zoned = hours*3600, true
	}
	return true
}

// zones are the names of zones of RFC 5322 section 4.3.
var zones = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}

// nextWord cuts off what is up to the next space, after spaces.
func nextWord(b []byte) (word, rest []byte) {
	b = bytes.TrimLeft(b, " ")
	word, rest, _ = bytes.Cut(b, []byte{' '})
	return bytes.TrimRight(word, "\r\n"), rest
}

// nameIn returns the place of a name of three letters in names, from 1, or 0.
func nameIn(names string, name []byte) int {
	if len(name) != 3 {
		return 0
	}
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == string(name) {
			return i/3 + 1
		}
	}
	return 0
}

// number parses one of least to most digits.
func number(b []byte, least, most int) (n int, ok bool) {
	if len(b) < least || len(b) > most || b[0] < '0' || b[0] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(string(b))
	return n, err == nil
}
