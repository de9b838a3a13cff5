package sasl

import (
	"log/slog"
	"strconv"
)

// Credentials is what a client showed. Exactly one of Password, Token and
// Conn.TLS's certificate (EXTERNAL) is the proof. An Authenticator that does not
// know the kind denies. Printed and logged, Credentials do not show the proof.
type Credentials struct {
	Mechanism string // "PLAIN", …, or the command: POP3's "USER", IMAP's "LOGIN"
	User      string // authentication identity, after Prepare
	Authzid   string // identity to act as, as the client sent it; "" means User
	Password  string // PLAIN, LOGIN: after Prepare
	Token     string // OAUTHBEARER, XOAUTH2
	Conn      *Conn  // never nil in an exchange
}

// String tells who, and by which mechanism, without the proof.
func (c Credentials) String() string {
	s := strconv.Quote(c.User)
	if c.Authzid != "" {
		s += " as " + strconv.Quote(c.Authzid)
	}
	return s + " by " + strconv.Quote(c.Mechanism)
}

// GoString is String: %#v hides the proof too.
func (c Credentials) GoString() string { return c.String() }

// LogValue implements slog.LogValuer: who, how and from where, without the proof.
func (c Credentials) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("mechanism", c.Mechanism), slog.String("user", c.User)}
	if c.Authzid != "" {
		attrs = append(attrs, slog.String("authzid", c.Authzid))
	}
	if c.Conn != nil {
		attrs = append(attrs, slog.String("protocol", c.Conn.Protocol), slog.String("remote", c.Conn.Remote.String()))
	}
	return slog.GroupValue(attrs...)
}
