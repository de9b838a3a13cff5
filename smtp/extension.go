package smtp

import (
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
)

// extension is a service extension (RFC 5321 section 2.2): what EHLO says of it,
// and what it adds to MAIL and RCPT. Parameters are taken from a peer that is
// offered their extension, and from no other.
type extension struct {
	keyword string
	// promise is for what only the Receiver can keep: offered where
	// Server.Extensions has it.
	promise bool
	// params reports whether a promise may have these parameters. nil: it has none.
	params func(string) bool
	// offer reports whether a session is offered it now, and with which parameters;
	// params are those of a promise. nil: always, with params.
	offer func(s *session, params string) (string, bool)
	// stays reports whether its parameters are taken though it is not offered now.
	// nil: they are not.
	stays func(s *session) bool
	mail  map[string]mailParam // by keyword, in upper case
	rcpt  map[string]rcptParam
}

// mailParam takes the value of a parameter of MAIL, "" for none.
type mailParam func(s *session, env *mailparts.Envelope, value string) error

// rcptParam takes the value of a parameter of RCPT, "" for none.
type rcptParam func(s *session, to *mailparts.Rcpt, value string) error

// extensions is all that there are, in the order in which EHLO shows them. Each
// is in the file of its name.
var extensions = []*extension{
	&pipelining,
	&size,
	&eightBitMIME,
	&chunking,
	&binaryMIME,
	&smtpUTF8,
	&enhancedStatusCodes,
	&startTLSExtension,
	&authExtension,
	&dsn,
	&requireTLS,
	&deliverBy,
	&mtPriority,
	&futureRelease,
	&rrvs,
	&limits,
	&vrfyExtension,
	&expnExtension,
	&etrnExtension,
	&helpExtension,
	&xclientExtension,
	&xforwardExtension,
}

// The extensions that have nothing to them but their keyword: RFC 2920, whose
// replies session.Read holds back, and RFC 2034, whose codes replies writes.
var (
	pipelining          = extension{keyword: "PIPELINING"}
	enhancedStatusCodes = extension{keyword: "ENHANCEDSTATUSCODES"}
)

// parsePromises checks Server.Extensions and makes a map of it, by keyword in
// upper case.
func parsePromises(lines []string) (map[string]string, error) {
	promises := map[string]string{}
	for _, l := range lines {
		keyword, params, _ := strings.Cut(l, " ")
		keyword = strings.ToUpper(keyword)
		x := promiseOf(keyword)
		_, twice := promises[keyword]
		switch {
		case x == nil:
			return nil, fmt.Errorf("smtp: Server.Extensions has %q, which is not known", l)
		case x.params == nil && params != "", x.params != nil && !x.params(params):
			return nil, fmt.Errorf("smtp: Server.Extensions has %q, with parameters that %s has not", l, keyword)
		case twice:
			return nil, fmt.Errorf("smtp: Server.Extensions has %s twice", keyword)
		}
		promises[keyword] = params
	}
	return promises, nil
}

// promiseOf is the promise that has this keyword, or nil.
func promiseOf(keyword string) *extension {
	for _, x := range extensions {
		if x.promise && x.keyword == keyword {
			return x
		}
	}
	return nil
}

// offered reports whether this session is offered x now.
func (s *session) offered(x *extension) (params string, ok bool) {
	if x.promise {
		if params, ok = s.promises[x.keyword]; !ok {
			return "", false
		}
	}
	if x.offer == nil {
		return params, true
	}
	return x.offer(s, params)
}

// offers are the lines of EHLO's reply after the first.
func (s *session) offers() []string {
	var lines []string
	for _, x := range extensions {
		params, ok := s.offered(x)
		switch {
		case !ok:
		case params == "":
			lines = append(lines, x.keyword)
		default:
			lines = append(lines, x.keyword+" "+params)
		}
	}
	return lines
}

// mailParam is who takes a parameter of MAIL, nil if nobody does.
func (s *session) mailParam(keyword string) mailParam {
	for _, x := range extensions {
		if set := x.mail[keyword]; set != nil && s.takes(x) {
			return set
		}
	}
	return nil
}

// rcptParam is who takes a parameter of RCPT, nil if nobody does.
func (s *session) rcptParam(keyword string) rcptParam {
	for _, x := range extensions {
		if set := x.rcpt[keyword]; set != nil && s.takes(x) {
			return set
		}
	}
	return nil
}

// takes reports whether the peer may use x: it was told of it by EHLO.
func (s *session) takes(x *extension) bool {
	_, ok := s.offered(x)
	return s.esmtp && (ok || x.stays != nil && x.stays(s))
}
