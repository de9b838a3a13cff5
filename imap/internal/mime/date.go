package mime

import (
	"strconv"
	"strings"
	"time"
)

// ParseDate reads a Date field (RFC 5322 section 3.3, and 4.3), and what senders have
// in its place as far as day, month and year are told: without a time it is midnight,
// without a zone UTC. The time is in the sender's zone.
func ParseDate(s string) (time.Time, bool) {
	var d dateParser
	t := tokenizer{s: s}
	for t.i < len(s) {
		t.space()
		start := t.i
		for t.i < len(s) && !strings.ContainsRune(" \t\r\n,(", rune(s[t.i])) {
			t.i++
		}
		if word := s[start:t.i]; word != "" {
			d.word(word)
		}
		if t.i < len(s) && s[t.i] == ',' {
			t.i++
		}
	}
	return d.time()
}

// dateParser knows words by what they look like, since their order is not the same
// for all senders.
type dateParser struct {
	day, year    int
	month        time.Month
	hour, min, s int
	hasTime      bool
	zone         int // seconds east of UTC
	hasZone      bool
}

func (d *dateParser) word(w string) {
	switch c := w[0]; {
	case strings.Contains(w, ":") && !d.hasTime:
		d.clock(w)
	case (c == '+' || c == '-') && !d.hasZone:
		d.offset(w)
	case '0' <= c && c <= '9':
		d.number(w)
	case d.month == 0 && monthOf(w) != 0:
		d.month = monthOf(w)
	case !d.hasZone && d.hasTime:
		d.named(w)
	}
}

// number takes a day or a year, or all of 21-Nov-97 and 1997-11-21.
func (d *dateParser) number(w string) {
	if parts := strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' }); len(parts) == 3 {
		if m, err := strconv.Atoi(parts[1]); err == nil && m >= 1 && m <= 12 && len(parts[0]) == 4 {
			d.month = time.Month(m)
		} else if d.month = monthOf(parts[1]); d.month == 0 {
			return
		}
		if len(parts[0]) == 4 {
			parts[0], parts[2] = parts[2], parts[0]
		}
		d.number(parts[0])
		d.number(parts[2])
		return
	}
	digits := 0
	for digits < len(w) && '0' <= w[digits] && w[digits] <= '9' {
		digits++
	}
	n, err := strconv.Atoi(w[:digits])
	switch {
	case err != nil:
	case d.day == 0 && digits <= 2:
		if n >= 1 && n <= 31 {
			d.day = n
		}
	case d.year == 0 && digits >= 2 && digits <= 4 && digits == len(w):
		// RFC 5322 section 4.3
		if d.year = n; digits == 2 && n < 50 {
			d.year += 2000
		} else if digits <= 3 {
			d.year += 1900
		}
	}
}

// clock takes 23:59 and 23:59:60, and a zone that follows it directly.
func (d *dateParser) clock(w string) {
	var n [3]int
	i := 0
	for f := range n {
		start := i
		for i < len(w) && i-start < 2 && '0' <= w[i] && w[i] <= '9' {
			n[f] = n[f]*10 + int(w[i]-'0')
			i++
		}
		if i == start || f == 2 || i >= len(w) || w[i] != ':' {
			break
		}
		i++
	}
	if n[0] > 24 || n[1] > 59 || n[2] > 60 {
		return
	}
	rest := w[i:]
	zone := rest != "" && (rest[0] == '+' || rest[0] == '-')
	half := equalFold(rest, "am") || equalFold(rest, "pm")
	if rest != "" && !zone && !half && rest[0] != '.' { // 12:34:56.789
		return
	}
	d.hour, d.min, d.s, d.hasTime = n[0], n[1], n[2], true
	switch {
	case zone:
		d.offset(rest)
	case half:
		d.named(rest)
	}
}

// offset takes +hhmm, and +hh:mm.
func (d *dateParser) offset(w string) {
	digits := strings.ReplaceAll(w[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || len(digits) > 4 {
		return
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if d.zone = n/100*3600 + n%100*60; w[0] == '-' {
		d.zone = -d.zone
	}
	d.hasZone = d.zone > -24*3600 && d.zone < 24*3600
}

// named takes the zones of RFC 5322 section 4.3. Others are UTC, but for AM and PM,
// which are none.
func (d *dateParser) named(w string) {
	w = strings.ToUpper(w)
	switch w {
	case "PM":
		if d.hour < 12 {
			d.hour += 12
		}
		return
	case "AM":
		if d.hour == 12 {
			d.hour = 0
		}
		return
	}
	hours := map[string]int{"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8}
	d.zone, d.hasZone = hours[w[:min(len(w), 3)]]*3600, true // EST5EDT too
	for _, utc := range []string{"GMT", "UTC", "UT"} {       // GMT+0200
		if rest, ok := strings.CutPrefix(w, utc); ok && len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') {
			d.offset(rest)
			return
		}
	}
}

func monthOf(w string) time.Month {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(w) < 3 {
		return 0
	}
	if i := strings.Index(names, strings.ToLower(w[:3])); i >= 0 && i%3 == 0 {
		return time.Month(i/3 + 1)
	}
	return 0
}

func (d *dateParser) time() (time.Time, bool) {
	if d.day == 0 || d.month == 0 || d.year < 1900 {
		return time.Time{}, false
	}
	zone := time.UTC
	if d.hasZone && d.zone != 0 {
		zone = time.FixedZone("", d.zone)
	}
	t := time.Date(d.year, d.month, d.day, d.hour, d.min, d.s, 0, zone)
	return t, t.Day() == d.day || d.hour == 24 || d.s == 60
}
