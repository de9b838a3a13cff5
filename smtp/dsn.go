package smtp

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
)

// dsn is RFC 3461, with the addresses of RFC 6533.
var dsn = extension{
	keyword: "DSN",
	promise: true,
	mail:    map[string]mailParam{"RET": paramRet, "ENVID": paramEnvID},
	rcpt:    map[string]rcptParam{"NOTIFY": paramNotify, "ORCPT": paramORcpt},
}

// The longest values taken: RFC 3461 sections 4.2 and 4.4.
const (
	maxORcpt = 500
	maxEnvID = 100
)

// paramRet is RFC 3461 section 4.3.
func paramRet(_ *session, env *mailparts.Envelope, value string) error {
	switch ret := strings.ToUpper(value); ret {
	case "FULL", "HDRS":
		env.Ret = ret
		return nil
	}
	return errParamSyntax
}

// paramEnvID is RFC 3461 section 4.4.
func paramEnvID(_ *session, env *mailparts.Envelope, value string) error {
	text, ok := decodeXtext(value)
	if !ok || value == "" || len(value) > maxEnvID || !isPrintable(text) {
		return errParamSyntax
	}
	env.EnvID = text
	return nil
}

// paramNotify is RFC 3461 section 4.1.
func paramNotify(_ *session, to *mailparts.Rcpt, value string) error {
	if strings.EqualFold(value, "NEVER") {
		to.Notify = mailparts.NotifyNever
		return nil
	}
	var set mailparts.Notify
	for when := range strings.SplitSeq(value, ",") {
		switch strings.ToUpper(when) {
		case "SUCCESS":
			set |= mailparts.NotifySuccess
		case "FAILURE":
			set |= mailparts.NotifyFailure
		case "DELAY":
			set |= mailparts.NotifyDelay
		default: // NEVER, too
			return errParamSyntax
		}
	}
	to.Notify = set
	return nil
}

// paramORcpt is RFC 3461 section 4.2.
func paramORcpt(s *session, to *mailparts.Rcpt, value string) error {
	kind, address, typed := strings.Cut(value, ";")
	if !typed || !isAtom(kind) || len(value) > maxORcpt {
		return errParamSyntax
	}
	if strings.EqualFold(kind, "utf-8") {
		switch {
		case !isUnitext(address):
			return errParamSyntax
		case !s.tx.env.UTF8 && !isASCII(address): // RFC 6531 section 3.4
			return errNeedsUTF8
		}
		to.ORcpt = value
		return nil
	}
	text, ok := decodeXtext(address)
	if !ok || !isPrintable(text) {
		return errParamSyntax
	}
	if text != "" { // which xtext may be, and says nothing
		to.ORcpt = kind + ";" + text
	}
	return nil
}

// isAtom is the addr-type of RFC 3461 section 4.2: an atom of RFC 822.
func isAtom(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || strings.IndexByte(`()<>@,;:\".[]`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

// isPrintable accepts graphic characters and white space of US-ASCII: what ENVID
// and ORCPT may stand for (RFC 3461 sections 4.2 and 4.4).
func isPrintable(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' || s[i] > '~') && s[i] != '\t' {
			return false
		}
	}
	return true
}

// isUnitext accepts the utf-8-enc-addr of RFC 6533 section 3, in which "\x{FC}"
// stands for a character that cannot, or need not, stand for itself. The caller
// has seen to UTF-8. A control character is refused in every form: an address that
// has one will end in somebody's log or header field.
func isUnitext(s string) bool {
	if s == "" || strings.ContainsFunc(s, unicode.IsControl) {
		return false
	}
	for rest := s; rest != ""; {
		switch c := rest[0]; c {
		case ' ', '+', '=':
			return false
		case '\\':
			point, after, ok := strings.Cut(rest, "}")
			hex, escaped := strings.CutPrefix(point, `\x{`)
			if !ok || !escaped || !isHexpoint(hex) {
				return false
			}
			rest = after
		default:
			rest = rest[1:]
		}
	}
	return true
}

// isHexpoint accepts the HEXPOINT of RFC 6533 section 3: a Unicode character, of
// the ASCII ones only those that cannot stand for themselves.
func isHexpoint(s string) bool {
	if len(s) < 2 || len(s) > 6 || len(s) > 2 && s[0] == '0' {
		return false
	}
	n, err := strconv.ParseUint(s, 16, 32)
	r := rune(n)
	return err == nil && (r >= utf8.RuneSelf && utf8.ValidRune(r) && !unicode.IsControl(r) || strings.ContainsRune(` +=\`, r))
}
