package smtp

import (
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
)

// mtPriority is RFC 6710. The parameter of the promise is the name of the Priority
// Assignment Policy that is kept behind it; without one none is told.
var mtPriority = extension{
	keyword: "MT-PRIORITY",
	promise: true,
	params:  func(p string) bool { return p == "" || isPriorityPolicy(p) },
	mail:    map[string]mailParam{"MT-PRIORITY": paramPriority},
}

// paramPriority is RFC 6710 section 7.
func paramPriority(_ *session, env *mailparts.Envelope, value string) error {
	digit, negative := strings.CutPrefix(value, "-")
	if len(digit) != 1 || digit[0] < '0' || digit[0] > '9' || negative && digit == "0" {
		return errParamSyntax
	}
	env.Priority = int(digit[0] - '0')
	if negative {
		env.Priority = -env.Priority
	}
	return nil
}

// limitPriority is the rule of RFC 6710 section 4.1 that who is not trusted must
// not go before others: to such a peer 0 is the most there is. Who speaks LMTP is
// ours.
func (s *session) limitPriority(env *mailparts.Envelope) {
	if !s.LMTP && s.peer.User == "" && !s.peer.Trusted {
		env.Priority = min(env.Priority, 0)
	}
}

// replyMail answers a MAIL that was accepted, and tells of a priority other than
// the one asked for (RFC 6710 section 4.1).
func (s *session) replyMail(asked, given int) {
	if asked != given && s.takes(&mtPriority) {
		s.out.reply(250, "2.3.6", fmt.Sprintf("%d is the new priority of the message", given))
		return
	}
	s.out.reply(250, "2.1.0", "OK")
}

// isPriorityPolicy accepts the priority-profile of RFC 6710 section 7.
func isPriorityPolicy(s string) bool {
	for i := range len(s) {
		if !isAlnum(s[i]) && strings.IndexByte("-_.", s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= 20
}
