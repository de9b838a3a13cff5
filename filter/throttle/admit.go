package throttle

import (
	"context"
	"hash/maphash"
	"net/netip"

	"github.com/mailparts/mailparts"
)

var errConnections = &mailparts.Error{Code: 421, Status: "4.7.0", Message: "Too many connections from your network, try again later"}

// Admit is for smtp.Server.Admit: it counts connections. The server calls it each
// time that it knows the peer better, which is one connection all the same; but
// behind a proxy, one for every client that XCLIENT tells of.
func (l *Limiter) Admit(_ context.Context, p *mailparts.Peer) error {
	k := l.key(p)
	if l.Events <= 0 || k == (Key{}) || l.knows(p) || l.Take(k, 1) {
		return nil
	}
	return errConnections
}

// knows reports whether p is of a connection that was counted, and takes it that
// the connection is counted now if not.
func (l *Limiter) knows(p *mailparts.Peer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prepare()
	const tls = 1
	id := maphash.Comparable(l.seed, [2]netip.AddrPort{p.Addr, p.Local}) &^ tls
	switch {
	case p.Hello != "" || p.User != "":
		if l.admitted.has(id) || l.admitted.has(id|tls) {
			return true
		}
	case p.TLS == nil: // the greeting: a new connection, though its port may not be
	case l.admitted.replace(id, id|tls): // STARTTLS, which is possible once
		return true
	}
	if p.TLS != nil {
		id |= tls
	}
	l.admitted.add(id)
	return false
}

// admitted holds the connections that were counted last, as hashes of their two
// ends, whose lowest bit is TLS. It is how Admit tells a connection that it has
// seen before from a new one; being forgotten means being counted again.
type admitted struct {
	sets [][ways]uint64 // the latest first
}

const admittedSets = 512

func (a *admitted) set(id uint64) *[ways]uint64 {
	if a.sets == nil {
		a.sets = make([][ways]uint64, admittedSets)
	}
	return &a.sets[id>>1%admittedSets]
}

func (a *admitted) has(id uint64) bool { return a.replace(id, id) }

func (a *admitted) replace(old, id uint64) bool {
	set := a.set(old)
	for i := range set {
		if set[i] == old {
			set[i] = id
			return true
		}
	}
	return false
}

func (a *admitted) add(id uint64) {
	set := a.set(id)
	copy(set[1:], set[:])
	set[0] = id
}
