package mailparts

import (
	"crypto/tls"
	"net/netip"
	"time"
)

// Envelope is what SMTP says about a message beside its content. It survives a
// queue (as JSON) but for Peer.TLS. Filters may change it until they call the
// next Data; a Deliverer only reads it.
type Envelope struct {
	ID   string  // unique, in logs and the Received field; derived mail gets a derived ID, so that a repeat is seen
	From Address // reverse-path; "" is the null sender
	To   []Rcpt  // accepted recipients, in the order of RCPT

	Size       int64     // octets as announced by SIZE=; 0: not announced
	Body       string    // "", "8BITMIME" or "BINARYMIME" (then bare CR and LF are legal): RFC 6152, RFC 3030
	UTF8       bool      // SMTPUTF8: RFC 6531
	RequireTLS bool      // REQUIRETLS: RFC 8689
	Ret        string    // DSN: "", "FULL" or "HDRS": RFC 3461 section 4.3
	EnvID      string    // DSN: the sender's own name for it, decoded from xtext: RFC 3461 section 4.4
	AuthSender *Address  // AUTH= of MAIL, nil: absent: RFC 4954 section 5
	Priority   int       // MT-PRIORITY, -9 to 9: RFC 6710
	Hold       time.Time // FUTURERELEASE: not to be sent before: RFC 4865
	By         Deadline  // DELIVERBY: RFC 2852

	Peer  *Peer             // who handed it to us; nil: made here (bounce, forward, auto-reply)
	Attrs map[string]string // verdicts and the application's own data ("quarantine", "tenant"): queued, never sent
}

// Rcpt is one recipient with its DSN and RRVS parameters (RFC 3461, RFC 7293).
type Rcpt struct {
	Addr   Address
	Notify Notify // 0: not given
	// ORcpt is who the sender wrote to, with the type of address: "rfc822;user@host".
	// It is as received, in the sender's own spelling, but for the xtext, which is
	// decoded. The type utf-8 has none: its "\x{FC}" stays, as every DSN can tell it
	// (RFC 6533 section 3). Whoever rewrites Addr fills it if empty.
	ORcpt string
	Since time.Time // RRVS: for who has had Addr since then, and for nobody else
	// SinceOptional is RRVS with ";C": a server without RRVS may have the message all
	// the same. Otherwise it is refused to one (RFC 7293 section 5.1.1).
	SinceOptional bool
}

// Notify is the set of the NOTIFY parameter (RFC 3461 section 4.1). NotifyNever
// stands alone.
type Notify uint8

// The members of a Notify.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

// Deadline is the BY parameter (RFC 2852). The zero value means none.
type Deadline struct {
	Time   time.Time
	Return bool // bounce when late; otherwise only notify
	Trace  bool
}

// Peer is the client of one connection as known at one moment: immutable,
// replaced after EHLO, STARTTLS, AUTH and XCLIENT. The zero Addr means a unix
// socket or a pipe.
type Peer struct {
	Protocol string               // transmission type: "SMTP", "ESMTPSA", "LMTP", …: RFC 3848
	Addr     netip.AddrPort       // after PROXY or XCLIENT
	Local    netip.AddrPort       // for policy by address
	Hello    string               // argument of EHLO, unverified
	User     string               // canonical name, "" unless authenticated
	Trusted  bool                 // may send anywhere without AUTH
	Origin   *Peer                // whom a trusted proxy had the message from, as it says by XFORWARD: for logs and filters, never for rights
	TLS      *tls.ConnectionState `json:"-"`
}

// Client is the address that p's mail comes from, for filters: that of Origin if
// there is one. An IPv4 address is one in IPv6 too, and no address has a zone; one
// that is not valid means that there is none.
func (p *Peer) Client() netip.Addr {
	if p.Origin != nil {
		return p.Origin.Client()
	}
	return p.Addr.Addr().Unmap().WithZone("")
}

// MayRelay reports whether mail in env may leave for a domain that is not ours:
// it was made here, or its Peer is authenticated or trusted.
func (env *Envelope) MayRelay() bool {
	return env.Peer == nil || env.Peer.User != "" || env.Peer.Trusted
}
