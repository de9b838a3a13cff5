package sasl

import (
	"errors"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
)

// errPrepare does not name the character: it may be one of a password.
var errPrepare = errors.New("sasl: not a name or password that SASLprep allows")

// Prepare is SASLprep (RFC 4013): the form in which user names and passwords are
// compared and hashed. Code points that Unicode 3.2 did not assign are allowed, as
// in RFC 3454's query strings (RFC 4616 section 2), so an emoji may be in a
// password. It fails for invalid UTF-8, control and other prohibited characters,
// mixed directions of text, and where nothing would be left. The error never
// quotes s.
func Prepare(s string) (string, error) {
	if s != "" && printableASCII(s) {
		return s, nil
	}
	if !utf8.ValidString(s) {
		return "", errPrepare
	}
	profile := stringprep.Profile{
		Mappings:  stringprep.SASLprep.Mappings, // RFC 4013 section 2.1
		Normalize: true,                         // section 2.2
		Prohibits: []stringprep.Set{ // section 2.3
			stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3,
			stringprep.TableC4, stringprep.TableC5, stringprep.TableC6, stringprep.TableC7,
			stringprep.TableC8, stringprep.TableC9,
		},
		CheckBiDi: true, // section 2.4
	}
	p, err := profile.Prepare(s)
	if err != nil || p == "" {
		return "", errPrepare
	}
	return p, nil
}

// printableASCII is the common case, which SASLprep leaves as it is.
func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
