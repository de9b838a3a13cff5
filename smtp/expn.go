package smtp

// expnExtension is RFC 5321 section 3.5.2.
var expnExtension = extension{
	keyword: "EXPN",
	offer:   func(s *session, _ string) (string, bool) { return "", s.Expand != nil },
}

// expn is RFC 5321 sections 3.5 and 4.1.1.7.
func expn(s *session, arg string) error {
	if s.Expand == nil {
		return errNotImplemented
	}
	return s.debugAddress(arg, func(list string) ([]string, error) { return s.Expand(s.ctx, s.peer, list) })
}
