package smtp

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// deliverBy is RFC 2852. The parameter of the promise is the least by-time that is
// taken where the sender wants late mail back; what more it may be is not for us.
var deliverBy = extension{
	keyword: "DELIVERBY",
	promise: true,
	params:  func(p string) bool { return p == "" || isSeconds(p) },
	mail:    map[string]mailParam{"BY": paramBy},
}

// paramBy is RFC 2852 section 4.
func paramBy(s *session, env *mailparts.Envelope, value string) error {
	delta, mode, ok := strings.Cut(strings.ToUpper(value), ";")
	digits, negative := strings.CutPrefix(delta, "-")
	if !negative {
		digits = strings.TrimPrefix(delta, "+")
	}
	if !ok || !isSeconds(digits) {
		return errParamSyntax
	}
	by := seconds(digits)
	if negative {
		by = -by
	}
	mode, trace := strings.CutSuffix(mode, "T")
	switch mode {
	case "N": // by may have passed: what is to be told of it, is
	case "R":
		if by <= 0 {
			return errParamSyntax
		}
		if least := s.promises["DELIVERBY"]; least != "" && by < seconds(least) {
			return refusal(555, "5.5.4", fmt.Sprintf("BY is less than the %s seconds that delivery may take here", least))
		}
	default:
		return errParamSyntax
	}
	env.By = mailparts.Deadline{Time: time.Now().Round(0).Add(by), Return: mode == "R", Trace: trace}
	return nil
}

// isSeconds accepts the 1*9DIGIT of RFC 2852.
func isSeconds(s string) bool {
	return s != "" && len(s) <= 9 && strings.Trim(s, "0123456789") == ""
}

// seconds is what isSeconds accepts.
func seconds(s string) time.Duration {
	n, _ := strconv.Atoi(s)
	return time.Duration(n) * time.Second
}
