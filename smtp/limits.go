package smtp

import "strconv"

// limits is RFC 9422. MaxRecipients, which counts only those that are accepted, is
// the one limit here that it has a name for.
var limits = extension{
	keyword: "LIMITS",
	offer: func(s *session, _ string) (string, bool) {
		const most = 999999 // section 4.2
		return "RCPTMAX=" + strconv.Itoa(s.maxRecipients), s.maxRecipients > 0 && s.maxRecipients <= most
	},
}
