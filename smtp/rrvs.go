package smtp

import (
	"strings"

	"github.com/mailparts/mailparts"
)

// rrvs is RFC 7293.
var rrvs = extension{
	keyword: "RRVS",
	promise: true,
	rcpt:    map[string]rcptParam{"RRVS": paramRRVS},
}

// paramRRVS is RFC 7293 section 3.1.
func paramRRVS(_ *session, to *mailparts.Rcpt, value string) error {
	date, action, given := strings.Cut(value, ";")
	since, ok := parseDateTime(date)
	if !ok || strings.Contains(date, ".") { // no time-secfrac
		return errParamSyntax
	}
	action = strings.ToUpper(action)
	if given && action != "C" && action != "R" {
		return errParamSyntax
	}
	to.Since, to.SinceOptional = since, action == "C"
	return nil
}
