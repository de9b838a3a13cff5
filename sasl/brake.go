package sasl

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
)

// Brake slows down who guesses passwords over many connections. It is an
// Authenticator around another: it counts what that one denies, by the network that
// it came from, an IPv4 address or 64 bits of an IPv6 one. When a network has had
// too many, the answer to all that comes from it, right or wrong, is that no one
// can tell now (454 4.7.0, -ERR [SYS/TEMP]), until its Window is over. Whoever is
// elsewhere is let in as ever: nobody can lock out a user.
//
// Mechanisms of a *Brake are those of Auth, each with the brake: also SCRAM, whose
// failures no Authenticator sees. One Brake may, and should, serve all servers. The
// zero value of every field but Auth works; fields must not change once it is in
// use, and a Brake must not be copied.
type Brake struct {
	Auth     Authenticator // nil: everything is denied
	Failures int           // [10] denials within Window; negative: no limit
	Window   time.Duration // begins with the first of them [15 min]
	// Exempt is what is not counted: a webmail that logs in for everyone, a proxy. Nor
	// is a peer without an address, as that of a unix socket.
	Exempt []netip.Prefix
	// MaxNetworks bounds the memory, some 100 octets for each: over it, that whose
	// Window began first is forgotten. [10000]
	MaxNetworks int

	mu      sync.Mutex
	windows map[netip.Prefix]*brakeWindow
	order   []netip.Prefix // keys of windows, in the order of their beginnings
}

type brakeWindow struct {
	since  time.Time
	denied int
}

var errBraked = &mailparts.Error{Code: 454, Status: "4.7.0", Message: "Too many failed logins from your network, try again later"}

// Authenticate implements Authenticator.
func (b *Brake) Authenticate(ctx context.Context, c *Credentials) (user string, err error) {
	if b.Auth == nil {
		return "", ErrDenied
	}
	network := b.networkOf(c.Conn)
	if b.holds(network) {
		return "", errBraked
	}
	user, err = b.Auth.Authenticate(ctx, c)
	b.count(network, err)
	return user, err
}

// mechanisms is what Mechanisms returns for b.
func (b *Brake) mechanisms() []Mechanism {
	ms := Mechanisms(b.Auth)
	for i := range ms {
		ms[i] = b.Mechanism(ms[i])
	}
	return ms
}

// Mechanism puts the brake on a mechanism that Mechanisms does not know, for a
// server's own list of them.
func (b *Brake) Mechanism(m Mechanism) Mechanism {
	begin := m.New
	m.New = func(ctx context.Context, c *Conn) Exchange {
		return &brakedExchange{Exchange: begin(ctx, c), brake: b, network: b.networkOf(c)}
	}
	return m
}

type brakedExchange struct {
	Exchange
	brake   *Brake
	network netip.Prefix
	over    bool
}

// Next implements Exchange.
func (x *brakedExchange) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case x.over:
		return nil, false, malformed("the exchange is over")
	case x.brake.holds(x.network):
		x.over = true
		return nil, false, errBraked
	}
	challenge, done, err = x.Exchange.Next(response)
	x.over = err != nil
	x.brake.count(x.network, err)
	return challenge, done, err
}

// networkOf is what c counts as, the zero value for what is not counted.
func (b *Brake) networkOf(c *Conn) (network netip.Prefix) {
	addr := orEmpty(c).Remote.Addr().Unmap().WithZone("")
	for _, p := range b.Exempt {
		if p.Contains(addr) {
			return network
		}
	}
	switch {
	case b.Failures < 0:
	case addr.Is4():
		network, _ = addr.Prefix(32)
	case addr.Is6():
		network, _ = addr.Prefix(64)
	}
	return network
}

// holds reports whether network has had too many denials.
func (b *Brake) holds(network netip.Prefix) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.windows[network]
	return w != nil && w.denied >= cmp.Or(b.Failures, 10) && !b.passed(w)
}

func (b *Brake) passed(w *brakeWindow) bool {
	return time.Since(w.since) >= cmp.Or(b.Window, 15*time.Minute)
}

// count counts err if it is a denial. All Windows are as long, so the first to
// begin is the first to end.
func (b *Brake) count(network netip.Prefix, err error) {
	if !network.IsValid() || !errors.Is(err, ErrDenied) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.order) > 0 && b.passed(b.windows[b.order[0]]) {
		b.forget()
	}
	w := b.windows[network]
	if w == nil {
		for len(b.order) > 0 && len(b.order) >= cmp.Or(b.MaxNetworks, 10000) {
			b.forget()
		}
		if b.windows == nil {
			b.windows = map[netip.Prefix]*brakeWindow{}
		}
		w = &brakeWindow{since: time.Now()}
		b.windows[network] = w
		b.order = append(b.order, network)
	}
	w.denied++
}

// forget forgets the network whose Window began first.
func (b *Brake) forget() {
	delete(b.windows, b.order[0])
	b.order = b.order[1:]
}
