package smtp

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// cutPath cuts `KEYWORD:<path> parameters`, which follows MAIL and RCPT. A space
// after the colon is wrong and common: it is let pass.
func cutPath(arg, keyword string) (path, params string, ok bool) {
	if len(arg) < len(keyword) || !strings.EqualFold(arg[:len(keyword)], keyword) {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(strings.TrimLeft(arg[len(keyword):], " "), "<")
	if !ok {
		return "", "", false
	}
	end := pathEnd(rest)
	if end < 0 {
		return "", "", false
	}
	path, params = rest[:end], rest[end+1:]
	if params != "" && params[0] != ' ' {
		return "", "", false
	}
	return path, params, true
}

// pathEnd is the index of the ">" that is not in a Quoted-string.
func pathEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			i++
		case '>':
			if !quoted {
				return i
			}
		}
	}
	return -1
}

// parsePath parses what is between the brackets: a mailbox, after a source route
// that is checked and ignored (RFC 5321 sections 3.6.1 and 4.1.2).
func parsePath(path string) (mailparts.Address, error) {
	for strings.HasPrefix(path, "@") {
		hop, rest, ok := strings.Cut(path, ":")
		if more, after, comma := strings.Cut(hop, ","); comma {
			if !strings.HasPrefix(after, "@") {
				return "", mailparts.ErrBadAddress
			}
			hop, rest = more, path[len(more)+1:]
		}
		if _, err := mailparts.ParseAddress("route" + hop); !ok || err != nil {
			return "", mailparts.ErrBadAddress
		}
		path = rest
	}
	return mailparts.ParseAddress(path)
}

// parsePath completes an address without a domain, where Server.Domain says how
// (RFC 6409 section 6.1).
func (s *session) parsePath(path string) (mailparts.Address, error) {
	a, err := parsePath(path)
	if err != nil && s.Domain != "" {
		// One that has a domain, if a malformed one, is no Mailbox with another behind it.
		return parsePath(path + "@" + s.Domain)
	}
	return a, err
}

// checkDomain accepts a Server.Domain: one that needs no SMTPUTF8, for it is put
// into commands that have none.
func checkDomain(domain string) error {
	a, err := mailparts.ParseAddress("local@" + domain)
	if domain != "" && (err != nil || !a.IsASCII()) {
		return fmt.Errorf("smtp: Server.Domain is %q, which is no domain in US-ASCII", domain)
	}
	return nil
}

// eachParam calls f with the parameters of MAIL or RCPT, their keywords in upper
// case (RFC 5321 section 4.1.2: esmtp-param).
func eachParam(params string, f func(keyword, value string) error) error {
	var seen []string
	for p := range strings.FieldsFuncSeq(params, func(r rune) bool { return r == ' ' }) {
		keyword, value, valued := strings.Cut(p, "=")
		keyword = strings.ToUpper(keyword)
		if !validKeyword(keyword) || valued && !validValue(value) {
			return errParamSyntax
		}
		for _, k := range seen {
			if k == keyword {
				return errParamTwice
			}
		}
		seen = append(seen, keyword)
		if err := f(keyword, value); err != nil {
			return err
		}
	}
	return nil
}

func validKeyword(k string) bool {
	for i := range len(k) {
		if !isAlnum(k[i]) && (i == 0 || k[i] != '-') {
			return false
		}
	}
	return k != ""
}

// validValue accepts an esmtp-value: no "=", nothing that is not printable. The
// caller has seen to control characters and spaces.
func validValue(v string) bool { return v != "" && !strings.Contains(v, "=") }

// parseDateTime is the date-time of RFC 3339, whose letters may be in lower case.
// The zero Time is none: in an Envelope it says that nothing was given.
func parseDateTime(s string) (t time.Time, ok bool) {
	const hour = len("2006-01-02T15")
	if len(s) <= hour || s[hour] != ':' || strings.Contains(s, ",") { // time.Parse takes those
		return t, false
	}
	err := t.UnmarshalText([]byte(strings.ToUpper(s)))
	return t, err == nil && !t.IsZero()
}
