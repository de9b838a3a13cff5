package smtp

// startTLSExtension is RFC 3207: offered until TLS is there.
var startTLSExtension = extension{
	keyword: "STARTTLS",
	offer: func(s *session, _ string) (string, bool) {
		return "", s.TLSConfig != nil && s.peer.TLS == nil
	},
}

// startTLS is RFC 3207. All that the peer said before is forgotten: it could have
// been said by someone else.
func startTLS(s *session, _ string) error {
	switch {
	case s.TLSConfig == nil:
		return errTLSNotOffered
	case s.peer.TLS != nil:
		return errAlreadyTLS
	case !s.esmtp:
		return errEHLOFirst
	case s.in.Buffered() > 0:
		return errTLSPipelined // RFC 3207 section 4.2, RFC 2920 section 3.1
	}
	s.reset()
	s.out.reply(220, "2.0.0", "Ready to start TLS")
	if err := s.out.flush(); err != nil {
		return lostError{err}
	}
	if err := s.conn.StartTLS(s.ctx, s.TLSConfig); err != nil {
		s.logger().Info("TLS handshake failed", "err", err)
		s.over = true // the connection is closed
		return nil
	}
	s.in.Reset(s)
	s.esmtp = false
	s.peer = s.newPeer()
	if err := s.admit(s.peer); err != nil {
		s.barSilently(err)
	}
	return nil
}

// secure reports whether RequireTLS is satisfied. A unix socket needs no TLS
// less than a network does: whoever sets RequireTLS on one means it.
func (s *session) secure() bool { return !s.RequireTLS || s.peer.TLS != nil }
