package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// eightBitMIME is RFC 6152.
var eightBitMIME = extension{
	keyword: "8BITMIME",
	mail:    map[string]mailParam{"BODY": paramBody},
}

// paramBody is RFC 6152 section 3, and RFC 3030 section 3.
func paramBody(s *session, env *mailparts.Envelope, value string) error {
	switch strings.ToUpper(value) {
	case "7BIT":
	case "8BITMIME":
		env.Body = "8BITMIME"
	case "BINARYMIME":
		if !s.takes(&binaryMIME) {
			return errParamSyntax
		}
		env.Body = "BINARYMIME"
	default:
		return errParamSyntax
	}
	return nil
}
