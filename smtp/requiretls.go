package smtp

import "github.com/mailparts/mailparts"

// requireTLS is RFC 8689: offered under TLS only (its section 2).
var requireTLS = extension{
	keyword: "REQUIRETLS",
	promise: true,
	offer:   func(s *session, _ string) (string, bool) { return "", s.peer.TLS != nil },
	mail:    map[string]mailParam{"REQUIRETLS": paramRequireTLS},
}

// paramRequireTLS is RFC 8689 section 2.
func paramRequireTLS(_ *session, env *mailparts.Envelope, value string) error {
	if value != "" {
		return errParamSyntax
	}
	env.RequireTLS = true
	return nil
}
