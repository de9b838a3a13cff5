package throttle

import (
	"net/netip"

	"github.com/mailparts/mailparts"
)

// Key is whose events a Limiter counts: a network, a name, or both. The zero Key
// is nobody, who is not limited.
type Key struct {
	Net  netip.Prefix
	Name string
}

// User is the authenticated user. Nobody else is limited.
func User(p *mailparts.Peer) Key { return Key{Name: p.User} }

// Addr is the IPv4 address, or the IPv6 network of 64 bits, since that is what one
// machine may choose from. Authenticated and trusted peers are not limited, nor
// are those of a unix socket.
func Addr(p *mailparts.Peer) Key { return stranger(p, 32, 64) }

// Network is the network of 24 bits of IPv4, or of 48 bits of IPv6: what one site
// often has. Otherwise it is Addr.
func Network(p *mailparts.Peer) Key { return stranger(p, 24, 48) }

func stranger(p *mailparts.Peer, bits4, bits6 int) Key {
	a := p.Client()
	if p.User != "" || p.Trusted || !a.IsValid() {
		return Key{}
	}
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	net, _ := a.Prefix(bits)
	return Key{Net: net}
}

// key is whose events those of p are.
func (l *Limiter) key(p *mailparts.Peer) Key {
	switch {
	case p == nil: // mail made here
		return Key{}
	case l.By == nil:
		return Addr(p)
	}
	return l.By(p)
}
