package smtp

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// attemptDelay is the Connection Attempt Delay of RFC 8305 section 5.
const attemptDelay = 250 * time.Millisecond

// eyeballs are addrs in the order to try them: IPv6 first and then the families in
// turn, each in its own order (RFC 8305 section 4).
func eyeballs(addrs []netip.Addr) []netip.Addr {
	var six, four []netip.Addr
	for _, a := range addrs {
		if a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	ordered := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			ordered = append(ordered, six[i])
		}
		if i < len(four) {
			ordered = append(ordered, four[i])
		}
	}
	return ordered
}

// raceEnd is how a race ended.
type raceEnd struct {
	won     net.Conn      // nil: nobody did
	addr    netip.Addr    // of won
	lost    []raceAttempt // those that failed
	rest    []netip.Addr  // those that did neither, in their order
	started int
}

// raceAttempt is the end of one attempt.
type raceAttempt struct {
	addr netip.Addr
	nc   net.Conn
	err  error
}

// race connects to the first of addrs that lets it (RFC 8305 section 5). One is
// tried after the other, without waiting longer than attemptDelay for any of them;
// when one has answered the others are given up. It returns early if ctx ends.
func race(ctx context.Context, addrs []netip.Addr, dial func(context.Context, netip.Addr) (net.Conn, error)) (end raceEnd) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan raceAttempt)
	try := func(a netip.Addr) {
		nc, err := dial(ctx, a)
		select {
		case ended <- raceAttempt{a, nc, err}:
		case <-ctx.Done():
			if err == nil {
				nc.Close()
			}
		}
	}
	end.rest = slices.Clone(addrs)
	next := time.NewTimer(0)
	defer next.Stop()
	for len(end.lost) < len(addrs) {
		select {
		case <-ctx.Done():
			return end
		case <-next.C:
			if end.started < len(addrs) {
				go try(addrs[end.started])
				end.started++
				next.Reset(attemptDelay)
			}
		case a := <-ended:
			end.rest = slices.DeleteFunc(end.rest, func(r netip.Addr) bool { return r == a.addr })
			if a.err == nil {
				end.won, end.addr = a.nc, a.addr
				return end
			}
			end.lost = append(end.lost, a)
			next.Reset(0)
		}
	}
	return end
}
