package smtp

import (
	"time"

	"github.com/mailparts/mailparts"
)

// futureRelease is RFC 4865, for submission only (its section 4.2). The parameter
// of the promise is the longest time, in seconds, that a message is held; EHLO
// tells it as a date, too.
var futureRelease = extension{
	keyword: "FUTURERELEASE",
	promise: true,
	params:  func(p string) bool { return isSeconds(p) && p[0] != '0' },
	offer: func(s *session, longest string) (string, bool) {
		return longest + " " + time.Now().Add(seconds(longest)).UTC().Format(time.RFC3339), s.isSubmission()
	},
	mail: map[string]mailParam{"HOLDFOR": paramHoldFor, "HOLDUNTIL": paramHoldUntil},
}

// isSubmission reports whether who sends mail here may submit it, by AUTH or by
// address (RFC 6409 section 4.3).
func (s *session) isSubmission() bool {
	return !s.LMTP && (s.RequireAuth || s.peer.User != "" || s.peer.Trusted)
}

// paramHoldFor is the future-release-interval of RFC 4865 section 3.
func paramHoldFor(s *session, env *mailparts.Envelope, value string) error {
	if !isSeconds(value) || value[0] == '0' {
		return errParamSyntax
	}
	return s.hold(env, time.Now().Round(0).Add(seconds(value)))
}

// paramHoldUntil is the future-release-date-time of RFC 4865 section 3, which is in
// UTC.
func paramHoldUntil(s *session, env *mailparts.Envelope, value string) error {
	until, ok := parseDateTime(value)
	if _, offset := until.Zone(); !ok || offset != 0 {
		return errParamSyntax
	}
	return s.hold(env, until)
}

// hold is RFC 4865 section 4.2.
func (s *session) hold(env *mailparts.Envelope, until time.Time) error {
	now := time.Now()
	switch {
	case !env.Hold.IsZero():
		return errHeldTwice
	case until.Before(now), until.After(now.Add(seconds(s.promises["FUTURERELEASE"]))):
		return errHoldRange
	}
	env.Hold = until
	return nil
}
