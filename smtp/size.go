package smtp

import (
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// size is RFC 1870.
var size = extension{
	keyword: "SIZE",
	offer: func(s *session, _ string) (string, bool) {
		if s.maxMessage == 0 {
			return "", true
		}
		return strconv.FormatInt(s.maxMessage, 10), true
	},
	mail: map[string]mailParam{"SIZE": paramSize},
}

// paramSize is RFC 1870 section 6: what is announced too big is refused now.
func paramSize(s *session, env *mailparts.Envelope, value string) error {
	if value == "" || len(value) > 20 || strings.Trim(value, "0123456789") != "" {
		return errParamSyntax
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || s.maxMessage > 0 && n > s.maxMessage {
		return errTooBig
	}
	env.Size = n
	return nil
}
