package smtp

import (
	"context"
	"crypto/tls"
	"maps"
	"slices"

	"github.com/mailparts/mailparts"
)

// Verbs are the commands of the table.
func Verbs() []string { return slices.Sorted(maps.Keys(commands)) }

// SetMinDiscard sets how much of a message that nobody wants is read at least.
func (s *Server) SetMinDiscard(n int64) { s.minDiscard = n }

// Parsers are those of MAIL and RCPT in a session under TLS of s, which may be
// offered all that s has.
func Parsers(s *Server) (mail func(arg string) (*mailparts.Envelope, error), rcpt func(env *mailparts.Envelope, arg string) (*mailparts.Rcpt, error)) {
	c, err := s.settings()
	if err != nil {
		panic(err)
	}
	session := &session{settings: c, ctx: context.Background(), esmtp: true}
	session.peer = &mailparts.Peer{Hello: "client.example.org", Trusted: true, TLS: new(tls.ConnectionState)}
	return session.parseMail, func(env *mailparts.Envelope, arg string) (*mailparts.Rcpt, error) {
		session.tx = &transaction{env: env}
		return session.parseRcpt(arg)
	}
}

// For the fuzz targets.
var (
	ParseCommand = func(l []byte) (verb, arg string, err error) {
		verb, _, arg, err = parseCommand(l)
		return verb, arg, err
	}
	CutPath     = cutPath
	ParsePath   = parsePath
	EachParam   = eachParam
	DecodeXtext = decodeXtext
	EncodeXtext = encodeXtext
	ORcptValue  = orcptValue
)
