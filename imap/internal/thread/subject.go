package thread

import (
	"strings"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// BaseSubject is what RFC 5256 section 2.1 leaves of a Subject, as it is in the header. It
// reports whether the message is a reply or was forwarded: whether a "re:", "fw:", "(fwd)"
// or "[fwd: ]" was among what went.
func BaseSubject(subject string) (base string, reply bool) {
	s := collapse(mime.DecodeHeader(subject)) // step 1
	for {
		var trailer, leader bool
		s, trailer = cutTrailers(s) // step 2
		s, leader = cutLeaders(s)   // steps 3 to 5
		reply = reply || trailer || leader
		if !hasPrefixFold(s, "[fwd:") || !strings.HasSuffix(s, "]") { // step 6
			return s, reply
		}
		s, reply = s[len("[fwd:"):len(s)-1], true
	}
}

// collapse makes one space of any white space.
func collapse(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if c == '\t' || c == '\r' || c == '\n' {
			c = ' '
		}
		if c != ' ' || len(b) == 0 || b[len(b)-1] != ' ' {
			b = append(b, c)
		}
	}
	return string(b)
}

// cutTrailers takes every subj-trailer from the end.
func cutTrailers(s string) (_ string, forwarded bool) {
	const fwd = "(fwd)"
	for {
		s = strings.TrimRight(s, " ")
		if !hasPrefixFold(s[max(len(s)-len(fwd), 0):], fwd) {
			return s, forwarded
		}
		s, forwarded = s[:len(s)-len(fwd)], true
	}
}

// cutLeaders takes every subj-leader, and every subj-blob that is not all that is left,
// from the beginning. Blobs without a subj-refwd behind them are taken together, not one
// by one with a new look for a subj-leader after each: that would find none.
func cutLeaders(s string) (_ string, reply bool) {
	for {
		s = strings.TrimLeft(s, " ")
		rest, last := s, s
		for {
			after, ok := cutBlob(rest)
			if !ok {
				break
			}
			rest, last = after, rest
		}
		after, ok := cutRefwd(rest)
		switch {
		case ok:
			s, reply = after, true
		case rest == "":
			return last, reply
		default:
			return rest, reply
		}
	}
}

// cutBlob takes a subj-blob: "[", anything but brackets, "]" and white space.
func cutBlob(s string) (string, bool) {
	if !strings.HasPrefix(s, "[") {
		return s, false
	}
	end := 1 + strings.IndexAny(s[1:], "[]")
	if end == 0 || s[end] != ']' {
		return s, false
	}
	return strings.TrimLeft(s[end+1:], " "), true
}

// cutRefwd takes a subj-refwd: "re", "fw" or "fwd", perhaps a subj-blob, and ":".
func cutRefwd(s string) (string, bool) {
	rest := s
	switch {
	case hasPrefixFold(s, "fwd"):
		rest = s[3:]
	case hasPrefixFold(s, "re"), hasPrefixFold(s, "fw"):
		rest = s[2:]
	default:
		return s, false
	}
	rest, _ = cutBlob(strings.TrimLeft(rest, " "))
	if !strings.HasPrefix(rest, ":") {
		return s, false
	}
	return rest[1:], true
}

// hasPrefixFold is strings.HasPrefix without regard to case in US-ASCII, in which prefix
// is.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
