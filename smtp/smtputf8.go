package smtp

import "github.com/mailparts/mailparts"

// smtpUTF8 is RFC 6531.
var smtpUTF8 = extension{
	keyword: "SMTPUTF8",
	mail:    map[string]mailParam{"SMTPUTF8": paramUTF8},
}

// paramUTF8 is RFC 6531 section 3.4.
func paramUTF8(_ *session, env *mailparts.Envelope, value string) error {
	if value != "" {
		return errParamSyntax
	}
	env.UTF8 = true
	return nil
}
