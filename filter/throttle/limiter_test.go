package throttle_test

import (
	"context"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/throttle"
)

func name(s string) throttle.Key { return throttle.Key{Name: s} }

// taken is how many of 100 single events k may have now.
func taken(l *throttle.Limiter, k throttle.Key) (n int) {
	for range 100 {
		if l.Take(k, 1) {
			n++
		}
	}
	return n
}

func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 6, Per: time.Minute}
		for _, step := range []struct {
			wait time.Duration
			want int
		}{
			{0, 6},
			{0, 0},
			{9 * time.Second, 0},
			{time.Second, 1}, // one every 10 seconds
			{30 * time.Second, 3},
			{59 * time.Second, 5},
			{time.Second, 1},
			{time.Minute, 6},
			{24 * time.Hour, 6}, // no more than that are saved up
		} {
			time.Sleep(step.wait)
			if got := taken(l, name("a")); got != step.want {
				t.Errorf("after %v: %d, want %d", step.wait, got, step.want)
			}
		}
		if got := taken(l, name("b")); got != 6 {
			t.Errorf("another key has %d, want 6", got)
		}
	})
}

func TestTakeMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &throttle.Limiter{Events: 10} // per hour
		for _, step := range []struct {
			n    int
			want bool
		}{
			{11, false}, {8, true}, {3, false}, {2, true}, {1, false}, {0, true},
		} {
			if got := l.Take(name("a"), step.n); got != step.want {
				t.Errorf("Take %d: %v, want %v", step.n, got, step.want)
			}
		}
		time.Sleep(6 * time.Minute)
		if got := taken(l, name("a")); got != 1 {
			t.Errorf("%d, want 1", got)
		}
	})
}

func TestNoLimit(t *testing.T) {
	for _, l := range []*throttle.Limiter{{}, {Events: -1}} {
		if got := taken(l, name("a")); got != 100 {
			t.Errorf("Events %d: %d of 100", l.Events, got)
		}
	}
	l := &throttle.Limiter{Events: 1}
	if got := taken(l, throttle.Key{}); got != 100 {
		t.Errorf("nobody: %d of 100", got)
	}
}

func TestKeys(t *testing.T) {
	at := func(a string) mailparts.Peer {
		return mailparts.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(a), 4711)}
	}
	net := func(p string) throttle.Key { return throttle.Key{Net: netip.MustParsePrefix(p)} }
	user, trusted := at("192.0.2.7"), at("192.0.2.7")
	user.User, trusted.Trusted = "alice", true
	for _, test := range []struct {
		name                string
		peer                mailparts.Peer
		user, addr, network throttle.Key
	}{
		{"IPv4", at("192.0.2.7"), throttle.Key{}, net("192.0.2.7/32"), net("192.0.2.0/24")},
		{"IPv4 in IPv6", at("::ffff:192.0.2.7"), throttle.Key{}, net("192.0.2.7/32"), net("192.0.2.0/24")},
		{"IPv6", at("2001:db8:1:2:3:4:5:6"), throttle.Key{}, net("2001:db8:1:2::/64"), net("2001:db8:1::/48")},
		{"IPv6 with a zone", at("fe80::1%eth0"), throttle.Key{}, net("fe80::/64"), net("fe80::/48")},
		{"authenticated", user, name("alice"), throttle.Key{}, throttle.Key{}},
		{"trusted", trusted, throttle.Key{}, throttle.Key{}, throttle.Key{}},
		{"unix socket", mailparts.Peer{}, throttle.Key{}, throttle.Key{}, throttle.Key{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for by, got := range map[string][2]throttle.Key{
				"User":    {throttle.User(&test.peer), test.user},
				"Addr":    {throttle.Addr(&test.peer), test.addr},
				"Network": {throttle.Network(&test.peer), test.network},
			} {
				if got[0] != got[1] {
					t.Errorf("%s: %v, want %v", by, got[0], got[1])
				}
			}
		})
	}
}

// A million addresses need no more memory than MaxKeys of them, and who is far
// over its rate is not forgotten for them.
func TestBoundedMemory(t *testing.T) {
	l := &throttle.Limiter{Events: 10, Per: time.Hour, MaxKeys: 1 << 12}
	offender := name("offender")
	taken(l, offender)
	before := heap()
	for i := range uint32(1e6) {
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		l.Take(throttle.Key{Net: netip.PrefixFrom(a, 32)}, 1)
	}
	if grown := heap() - before; grown > 64<<10 {
		t.Errorf("the heap has grown by %d octets", grown)
	}
	if l.Take(offender, 1) {
		t.Error("the offender is forgotten")
	}
	runtime.KeepAlive(l)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Half of MaxKeys keys that come in one burst are remembered, give or take those
// whom chance puts together.
func TestMaxKeys(t *testing.T) {
	l := &throttle.Limiter{Events: 1, MaxKeys: 1000}
	const keys = 500
	for i := range keys {
		l.Take(name(strconv.Itoa(i)), 1)
	}
	forgotten := 0
	for i := range keys {
		if l.Take(name(strconv.Itoa(i)), 1) {
			forgotten++
		}
	}
	if forgotten > keys/4 {
		t.Errorf("%d of %d keys are forgotten", forgotten, keys)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	addrs := &throttle.Limiter{Events: 1000, Per: time.Second}
	users := &throttle.Limiter{Events: 5, By: throttle.User}
	ctx := t.Context()
	peer := &mailparts.Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711"), Hello: "x"}
	user := &mailparts.Peer{User: "alice"}
	stranger, alice := &mailparts.Envelope{Peer: peer}, &mailparts.Envelope{Peer: user}
	addrs.Admit(ctx, peer)
	users.Mail(ctx, alice)
	allocs := testing.AllocsPerRun(1000, func() {
		addrs.Admit(ctx, peer)
		addrs.Mail(ctx, stranger)
		users.Mail(ctx, alice)
		users.Rcpt(ctx, alice, nil)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestAtOnce(t *testing.T) {
	l := &throttle.Limiter{Events: 50}
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 8 {
		wg.Go(func() {
			n := taken(l, name("a"))
			mu.Lock()
			defer mu.Unlock()
			total += n
		})
	}
	wg.Wait()
	if total != 50 {
		t.Errorf("%d events, want 50", total)
	}
}

func BenchmarkMail(b *testing.B) {
	l := &throttle.Limiter{Events: 1 << 30, By: throttle.User}
	env := &mailparts.Envelope{Peer: &mailparts.Peer{User: "alice"}}
	b.ReportAllocs()
	for b.Loop() {
		l.Mail(context.Background(), env)
	}
}
