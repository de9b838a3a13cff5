package wire

import (
	"strings"
	"time"
)

// DateTime reads a date-time (RFC 9051 section 9), such as "17-Jul-1996 02:44:25 -0700"
// in quotes.
func (p *Parser) DateTime() time.Time {
	text := strings.TrimLeft(string(p.String()), " ") // date-day-fixed has a space for a zero
	t, err := time.Parse("2-Jan-2006 15:04:05 -0700", text)
	if err != nil {
		p.Fail(Error("Malformed date-time"))
	}
	return t
}

// Date reads a date, with or without quotes: midnight UTC of the day that it names.
func (p *Parser) Date() time.Time {
	t, err := time.Parse("2-Jan-2006", string(p.AString()))
	if err != nil {
		p.Fail(Error("Malformed date"))
	}
	return t
}

// AppendDateTime appends a date-time.
func AppendDateTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	day := t.Day()
	if day < 10 {
		b = append(b, ' ')
	}
	return append(t.AppendFormat(b, "2-Jan-2006 15:04:05 -0700"), '"')
}
