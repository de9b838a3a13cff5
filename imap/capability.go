package imap

import (
	"errors"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
	"github.com/mailparts/mailparts/sasl"
)

// capability is CAPABILITY (RFC 9051 section 6.1.1).
func (s *session) capability(p *wire.Parser) error {
	if err := p.End(); err != nil {
		return err
	}
	s.out.Print("* CAPABILITY ")
	s.capabilities()
	s.out.Print("\r\n")
	return nil
}

// always is what needs no log-in, and no store.
const always = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE"

// capabilities writes what the session offers now: before log-in what needs no store,
// after it what the user's store can do.
func (s *session) capabilities() {
	s.out.Print(always)
	for _, c := range extensions {
		if c.in&s.state != 0 && (c.offers == nil || c.offers(s)) {
			s.out.Print(" ", c.name)
			if c.value != nil {
				s.out.Print(c.value(s))
			}
		}
	}
	if s.state != notAuthenticated {
		return
	}
	if s.offersTLS() {
		s.out.Print(" STARTTLS")
	}
	if !s.mayLogIn() {
		s.out.Print(" LOGINDISABLED")
	}
	for _, m := range s.mechanisms() {
		if !m.Plaintext || s.mayShowPassword() {
			s.out.Print(" AUTH=", m.Name)
		}
	}
}

// extension is a row of the table of capabilities.
type extension struct {
	name   string
	in     state
	offers func(s *session) bool   // nil: always
	value  func(s *session) string // what follows the name; nil: nothing
}

// extensions are in the order in which CAPABILITY names them.
var extensions = []extension{
	{name: "UNSELECT", in: loggedIn},
	{name: "UIDPLUS", in: loggedIn},
	{name: "MOVE", in: loggedIn},
	{name: "CONDSTORE", in: loggedIn},
	{name: "QRESYNC", in: loggedIn},
	{name: "MULTIAPPEND", in: loggedIn},
	{name: "REPLACE", in: loggedIn},
	{name: "BINARY", in: loggedIn},
	{name: "PREVIEW", in: loggedIn},
	{name: "SAVEDATE", in: loggedIn},
	{name: "CHILDREN", in: loggedIn},
	{name: "LIST-EXTENDED", in: loggedIn},
	{name: "LIST-STATUS", in: loggedIn},
	{name: "SPECIAL-USE", in: loggedIn},
	{name: "CREATE-SPECIAL-USE", in: loggedIn, offers: (*session).createsUses},
	{name: "STATUS=SIZE", in: loggedIn},
	{name: "OBJECTID", in: loggedIn, offers: (*session).hasObjectIDs},
	{name: "APPENDLIMIT", in: loggedIn, value: (*session).appendLimit},
	{name: "NAMESPACE", in: loggedIn},
	{name: "QUOTA", in: loggedIn, offers: (*session).hasQuota},
	{name: "QUOTA=RES-STORAGE", in: loggedIn, offers: (*session).hasQuota},
	{name: "QUOTA=RES-MESSAGE", in: loggedIn, offers: (*session).hasQuota},
	{name: "UTF8=ACCEPT", in: loggedIn},
	{name: "IDLE", in: loggedIn},
	{name: "COMPRESS=DEFLATE", in: loggedIn, offers: (*session).mayCompress},
	{name: "UNAUTHENTICATE", in: loggedIn, offers: (*session).mayUnauthenticate},
	{name: "ESEARCH", in: loggedIn},
	{name: "SEARCHRES", in: loggedIn},
	{name: "WITHIN", in: loggedIn},
	{name: "PARTIAL", in: loggedIn},
	{name: "SORT", in: loggedIn},
	{name: "SORT=DISPLAY", in: loggedIn},
	{name: "ESORT", in: loggedIn},
	{name: "THREAD=ORDEREDSUBJECT", in: loggedIn},
	{name: "THREAD=REFERENCES", in: loggedIn},
}

// able is what the user's store can do.
type able struct {
	uses      bool // a Manager that is an Annotator: special uses can be set
	quota     bool // Quotaer
	objectIDs bool // a store that gives INBOX an ID gives one to all (RFC 8474 section 3)
}

// probe finds out what the user's store can do: once, because clients take CAPABILITY for
// what stays.
func (s *session) probe() {
	s.able = able{objectIDs: s.mailboxID("INBOX") != ""}
	if _, manages := s.store.(mailparts.Manager); manages {
		_, err := mailparts.Annotations(s.ctx, s.store, "INBOX")
		s.able.uses = !errors.Is(err, errors.ErrUnsupported)
	}
	if q, ok := s.store.(mailparts.Quotaer); ok {
		_, err := q.Quota(s.ctx, "INBOX")
		s.able.quota = !errors.Is(err, errors.ErrUnsupported)
	}
}

func (s *session) createsUses() bool  { return s.able.uses }
func (s *session) hasObjectIDs() bool { return s.able.objectIDs }

// mechanisms is what AUTHENTICATE knows. Not all of it is offered without TLS.
func (s *session) mechanisms() []sasl.Mechanism {
	if s.srv.Mechanisms != nil {
		return s.srv.Mechanisms
	}
	return sasl.Mechanisms(s.srv.Auth)
}

// mayShowPassword reports whether the connection is fit for it (RFC 8314 section 4.1).
func (s *session) mayShowPassword() bool {
	return s.srv.AllowInsecureAuth || s.conn.TLS() != nil
}

// mayLogIn reports whether LOGIN is permitted.
func (s *session) mayLogIn() bool { return s.srv.Auth != nil && s.mayShowPassword() }

// offersTLS reports whether STARTTLS is permitted now.
func (s *session) offersTLS() bool {
	return s.srv.TLSConfig != nil && s.conn.TLS() == nil && s.state == notAuthenticated
}
