package throttle

import (
	"cmp"
	"hash/maphash"
	"sync"
	"time"

	"github.com/mailparts/mailparts"
)

// The values that zero fields of a Limiter stand for.
const (
	defaultPer     = time.Hour
	defaultMaxKeys = 1 << 16
)

// Limiter lets each key have Events at once, and then one more every Per/Events:
// so Events in Per in the long run, and never more than twice as many. The zero value limits
// nothing. Its methods may be called at once from many goroutines; fields must not
// change and it must not be copied after first use.
//
// What is refused does not count: who asks too often still has its rate.
type Limiter struct {
	// Events is how many a key may have in Per. 0 or less: no limit.
	Events int
	// Per is the time that Events are for. 0: one hour.
	Per time.Duration
	// By tells whose events they are. Nil: Addr.
	By func(p *mailparts.Peer) Key
	// MaxKeys is how many keys there is room for, of 16 octets each. A key that has
	// nothing to wait for needs none; of those that have, one that is nearly done
	// with it is forgotten if there are too many, or chance wants them in one place.
	// 0: 65536.
	MaxKeys int

	mu       sync.Mutex
	seed     maphash.Seed
	start    time.Time
	table    []bucket // sets of ways buckets, made at first use
	admitted admitted
}

// bucket is the state of one key, by the generic cell rate algorithm: the moment
// at which all that it had is paid for, at one event every Per/Events. One that
// lies in the past is as good as none, which is why nothing needs to be swept.
type bucket struct {
	key  uint64 // hash of the Key
	paid time.Duration
}

// ways is how many buckets a key may be found in.
const ways = 8

// Take counts n events of k and reports whether k may have them; if not, none of
// them counts. A zero Key may always.
func (l *Limiter) Take(k Key, n int) bool { return l.take(k, n, true) }

// full reports whether k may have no more.
func (l *Limiter) full(k Key) bool { return !l.take(k, 1, false) }

func (l *Limiter) take(k Key, n int, count bool) bool {
	if l.Events <= 0 || k == (Key{}) {
		return true
	}
	if n > l.Events {
		return false
	}
	per := cmp.Or(l.Per, defaultPer)
	cost := per / time.Duration(l.Events) * time.Duration(n)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.prepare()
	now := time.Since(l.start)
	id := maphash.Comparable(l.seed, k)
	b, known := l.find(id)
	paid := now
	if known {
		paid = max(paid, b.paid)
	}
	if paid += cost; paid-now > per {
		return false
	}
	if count {
		*b = bucket{id, paid}
	}
	return true
}

// prepare makes the table. The caller holds l.mu.
func (l *Limiter) prepare() {
	if l.table != nil {
		return
	}
	sets := 1
	for n := cmp.Or(max(l.MaxKeys, 0), defaultMaxKeys); sets*ways < n; {
		sets *= 2
	}
	l.table = make([]bucket, sets*ways)
	l.seed = maphash.MakeSeed()
	l.start = time.Now()
}

// find returns the bucket of key, or else the one that it may have: that with the
// least to remember. The seed is random, so nobody can choose keys for one set.
func (l *Limiter) find(key uint64) (b *bucket, known bool) {
	at := key % uint64(len(l.table)/ways) * ways
	set := l.table[at : at+ways]
	b = &set[0]
	for i := range set {
		if set[i].key == key {
			return &set[i], true
		}
		if set[i].paid < b.paid {
			b = &set[i]
		}
	}
	return b, false
}
