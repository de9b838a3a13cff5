package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

const cacheName = "mailparts-cache"

// cacheUser has a State and the cache that it refers to.
type cacheUser struct {
	*index.State
	cache *index.Cache
}

func newCacheUser(fsys disk.FS, n int) *cacheUser {
	return &cacheUser{mailbox(fsys, name, n), index.NewCache(fsys, cacheName)}
}

func tag(e index.Entry) uint64 { return index.TagOf(e.Name[:e.Base]) }

// derived are octets that tell whose they are.
func derived(uid uint32) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "derived from %d;", uid), int(1+uid%9))
}

// keep derives octets from messages first to last and has them kept.
func (u *cacheUser) keep(first, last uint32) (wasteful bool, err error) {
	var b index.Batch
	for uid := first; uid <= last; uid++ {
		at, _ := find(u.State, uid)
		b.Add(uid, tag(u.Entries[at]), derived(uid))
	}
	now, places, wasteful, err := u.cache.Append(u.Head.Cache, &b, u.Counts.Cached)
	if err == nil {
		u.place(now, places)
	}
	return wasteful, err
}

func (u *cacheUser) compact() error {
	now, places, err := u.cache.Compact(u.Head.Cache, u.Cached())
	if err == nil {
		u.place(now, places)
	}
	return err
}

func (u *cacheUser) place(now uint64, places []index.Place) {
	c := index.Change{Put: u.Placed(places)}
	h := change(u.State, &c)
	h.Cache = now
	u.Apply(h, c)
}

// has says which messages have octets, and whether any has another's.
func (u *cacheUser) has(t testing.TB) (all []uint32) {
	t.Helper()
	r := u.cache.Reader(u.Head.Cache)
	defer r.Close()
	for _, e := range u.Entries {
		got, ok := r.Get(e.Cached, e.UID, tag(e))
		if !ok {
			continue
		}
		if all = append(all, e.UID); !bytes.Equal(got, derived(e.UID)) {
			t.Errorf("UID %d has %q", e.UID, got)
		}
	}
	return all
}

func (u *cacheUser) want(t testing.TB, want ...uint32) {
	t.Helper()
	if got := u.has(t); !slices.Equal(got, want) {
		t.Errorf("cached are %d, want %d", got, want)
	}
}

func TestCache(t *testing.T) {
	u := newCacheUser(disktest.New(), 9)
	u.want(t)
	for _, part := range [][2]uint32{{2, 4}, {7, 7}, {1, 2}} {
		_, err := u.keep(part[0], part[1])
		must(t, err)
	}
	u.want(t, 1, 2, 3, 4, 7)
	if u.Counts.Cached != 5 {
		t.Errorf("%d are counted", u.Counts.Cached)
	}
	must(t, u.compact())
	u.want(t, 1, 2, 3, 4, 7)
	_, err := u.keep(9, 9)
	must(t, err)
	u.want(t, 1, 2, 3, 4, 7, 9)
}

// A place is of no use to another message, nor to another that has got the UID.
func TestCacheOfOthers(t *testing.T) {
	u := newCacheUser(disktest.New(), 3)
	_, err := u.keep(1, 3)
	must(t, err)
	r := u.cache.Reader(u.Head.Cache)
	defer r.Close()
	e := u.Entries[0]
	for what, get := range map[string]func() ([]byte, bool){
		"another UID":    func() ([]byte, bool) { return r.Get(e.Cached, 2, tag(e)) },
		"another base":   func() ([]byte, bool) { return r.Get(e.Cached, 1, index.TagOf("other")) },
		"another place":  func() ([]byte, bool) { return r.Get(e.Cached+1, 1, tag(e)) },
		"no place":       func() ([]byte, bool) { return r.Get(0, 1, tag(e)) },
		"the head":       func() ([]byte, bool) { return r.Get(8, 1, tag(e)) },
		"beyond the end": func() ([]byte, bool) { return r.Get(1<<40, 1, tag(e)) },
		"far beyond":     func() ([]byte, bool) { return r.Get(1<<64-1, 1, tag(e)) },
	} {
		if got, ok := get(); ok {
			t.Errorf("%s: %q", what, got)
		}
	}
	if put := u.Placed([]index.Place{{UID: 1, Tag: index.TagOf("other"), Offset: 24}, {UID: 9, Offset: 24}}); len(put) != 0 {
		t.Errorf("other messages are placed: %v", put)
	}
	if got, ok := r.Get(e.Cached, 1, tag(e)); !ok || !bytes.Equal(got, derived(1)) {
		t.Errorf("%q, %v", got, ok)
	}
}

// Octets that look like those of another message, at the place where that one's would
// be, are not taken for them.
func TestCacheIsNotForged(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 2)
	_, err := u.keep(1, 2)
	must(t, err)
	victim := u.Entries[1]
	file := fsys.Files()["/"+cacheName]
	frame := file[victim.Cached:]

	var b index.Batch
	b.Add(1, tag(u.Entries[0]), []byte(frame))
	now, places, _, err := u.cache.Append(0, &b, 0) // all is as it was but the generation
	must(t, err)
	r := u.cache.Reader(now)
	defer r.Close()
	if got, ok := r.Get(places[0].Offset+20, victim.UID, tag(victim)); ok {
		t.Errorf("UID %d has %q", victim.UID, got)
	}
}

// Another file in the place of the cache, or a damaged one, is of no use, and the next
// batch begins anew.
func TestCacheReplaced(t *testing.T) {
	for what, damage := range map[string]func(fsys *disktest.FS, content []byte) error{
		"removed": func(fsys *disktest.FS, _ []byte) error { return fsys.Remove(cacheName) },
		"empty":   func(fsys *disktest.FS, _ []byte) error { return disk.WriteFile(fsys, cacheName, nil, 0o600) },
		"no cache": func(fsys *disktest.FS, content []byte) error {
			content[0] = 'x'
			return disk.WriteFile(fsys, cacheName, content, 0o600)
		},
		"of another mailbox": func(fsys *disktest.FS, content []byte) error {
			if err := fsys.Remove(cacheName); err != nil {
				return err
			}
			_, err := newCacheUser(fsys, 3).keep(1, 3)
			return err
		},
	} {
		fsys := disktest.New()
		u := newCacheUser(fsys, 3)
		_, err := u.keep(1, 3)
		must(t, err, damage(fsys, []byte(fsys.Files()["/"+cacheName])))
		if got := u.has(t); len(got) != 0 {
			t.Errorf("%s: cached are %d", what, got)
		}
		_, err = u.keep(2, 2)
		must(t, err)
		u.want(t, 2)
	}
}

func TestCacheDamaged(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 6)
	_, err := u.keep(1, 6)
	must(t, err)
	content := []byte(fsys.Files()["/"+cacheName])
	for at := range content {
		broken := slices.Clone(content)
		broken[at] ^= 0x10
		must(t, disk.WriteFile(fsys, cacheName, broken, 0o600))
		if n := len(u.has(t)); at < 16 && n != 0 || at >= 24 && n != 5 {
			t.Fatalf("octet %d changed: %d messages have octets", at, n)
		}
		must(t, disk.WriteFile(fsys, cacheName, content[:at], 0o600))
		u.has(t)
	}
}

func TestCacheIsBounded(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 100)
	u.cache.MaxSize = 8 << 10
	var err error
	for uid := uint32(1); err == nil; uid++ {
		_, err = u.keep(uid, uid)
	}
	if size := len(fsys.Files()["/"+cacheName]); !errors.Is(err, index.ErrFull) || size > 8<<10 || size < 7<<10 {
		t.Errorf("%d octets, %v", size, err)
	}
	var b index.Batch
	b.Add(1, 1, make([]byte, index.MaxCached+1))
	if b.Len() != 0 {
		t.Error("a message has too many octets")
	}
	for n := uint32(1); !b.Add(n, 1, make([]byte, index.MaxCached)); n++ {
		if n > 8 {
			t.Fatal("a batch takes any number of octets")
		}
	}
}

// Octets that nobody refers to any more are left out in time.
func TestCacheWaste(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 100)
	for range 100 {
		wasteful, err := u.keep(1, 50)
		must(t, err)
		if !wasteful {
			continue
		}
		before := len(fsys.Files()["/"+cacheName])
		must(t, u.compact())
		if after := len(fsys.Files()["/"+cacheName]); after > before/10 {
			t.Errorf("%d octets of %d are left", after, before)
		}
		if len(u.has(t)) != 50 {
			t.Errorf("cached are %d", u.has(t))
		}
		return
	}
	t.Error("never wasteful")
}

// Who reads while the cache is compacted goes on.
func TestCacheReadWhileCompacted(t *testing.T) {
	u := newCacheUser(disktest.New(), 50)
	_, err := u.keep(1, 50)
	must(t, err)
	old := slices.Clone(u.Entries)
	r := u.cache.Reader(u.Head.Cache)
	defer r.Close()
	for i, e := range old {
		if i == 1 {
			must(t, u.compact())
		}
		if got, ok := r.Get(e.Cached, e.UID, tag(e)); ok && !bytes.Equal(got, derived(e.UID)) {
			t.Errorf("UID %d has %q", e.UID, got)
		} else if !ok {
			t.Errorf("UID %d has nothing", e.UID)
		}
	}
}

// Messages in order are read in large pieces.
func TestCacheReadsAhead(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 20_000)
	_, err := u.keep(1, 20_000)
	must(t, err)
	reads := 0
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "readat" {
			reads++
		}
		return nil
	}
	if n := len(u.has(t)); n != 20_000 || reads > 20 {
		t.Errorf("%d reads for %d messages", reads, n)
	}
}

func useCache(fsys *disktest.FS) *cacheUser {
	u := newCacheUser(fsys, 9)
	u.keep(1, 4)
	u.keep(3, 7)
	u.compact()
	u.keep(2, 9)
	return u
}

// After a crash or an error a message has its own octets or none, and the cache can be
// used.
func TestCacheCrash(t *testing.T) {
	check := func(t *testing.T, after *disktest.FS, u *cacheUser) {
		u = &cacheUser{u.State, index.NewCache(after, cacheName)}
		u.has(t)
		_, err := u.keep(1, 9)
		must(t, err)
		u.want(t, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		must(t, u.compact())
		u.want(t, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	}
	disktest.Crash(t, nil, useCache, check)
	disktest.Fail(t, syscall.ENOSPC, nil, useCache, check)
}

// FuzzCache reads at any place of any file.
func FuzzCache(f *testing.F) {
	u := newCacheUser(disktest.New(), 3)
	_, err := u.keep(1, 3)
	must(f, err)
	f.Add([]byte("derived"), uint16(0), uint32(1))
	f.Add(make([]byte, 40), uint16(24), uint32(0))
	f.Fuzz(func(t *testing.T, junk []byte, offset uint16, uid uint32) {
		fsys := disktest.New()
		head := append([]byte("mpcache2\x01\x00\x00\x00\x00\x00\x00\x00"), make([]byte, 8)...)
		must(t, disk.WriteFile(fsys, cacheName, append(head, junk...), 0o600))
		r := index.NewCache(fsys, cacheName).Reader(1)
		defer r.Close()
		if got, ok := r.Get(uint64(offset), uid, 1); ok && !bytes.Contains(junk, got) {
			t.Errorf("%q", got)
		}
	})
}

// BenchmarkCacheGet reads the octets of 100,000 messages, 600 octets each, in order.
func BenchmarkCacheGet(b *testing.B) {
	const n = 100_000
	u := &cacheUser{mailbox(disk.OS{}, "", n), index.NewCache(disk.OS{}, filepath.Join(b.TempDir(), cacheName))}
	octets := make([]byte, 600)
	var batch index.Batch
	flush := func() {
		now, places, _, err := u.cache.Append(u.Head.Cache, &batch, u.Counts.Cached)
		must(b, err)
		u.place(now, places)
		batch.Reset()
	}
	tags := make([]uint64, n)
	for i, e := range u.Entries {
		tags[i] = tag(e)
		if batch.Add(e.UID, tags[i], octets) {
			flush()
		}
	}
	flush()
	b.ReportAllocs()
	b.SetBytes(n * int64(len(octets)))
	for b.Loop() {
		r := u.cache.Reader(u.Head.Cache)
		for i := range u.Entries {
			e := &u.Entries[i]
			if _, ok := r.Get(e.Cached, e.UID, tags[i]); !ok {
				b.Fatalf("UID %d has nothing", e.UID)
			}
		}
		must(b, r.Close())
	}
}

// A batch for which there is no room leaves nothing of it behind.
func TestCacheFull(t *testing.T) {
	fsys := disktest.New()
	u := newCacheUser(fsys, 3)
	_, err := u.keep(1, 2)
	must(t, err)
	size := len(fsys.Files()["/"+cacheName])
	for failed := 1; ; failed++ {
		fsys.FailAt(failed, syscall.ENOSPC)
		_, err := u.keep(3, 3)
		fsys.FailAt(0, nil)
		if err == nil {
			u.want(t, 1, 2, 3)
			return
		}
		if got := len(fsys.Files()["/"+cacheName]); got != size && failed < 6 {
			t.Errorf("operation %d failed: %d octets, want %d", failed, got, size)
		}
		u.want(t, 1, 2)
	}
}

func TestTagOf(t *testing.T) {
	const base = "1700000001.M1P4711Q1.mail.example.org,S=3517,W=3575"
	for text, want := range map[string]uint64{"": 12638153115695167455, "1700000001.M1": 16432559635455512223, base: 3587479273104295552} { // as it is on disks
		if got := index.TagOf(text); got != want {
			t.Errorf("%q has the tag %d, not %d", text, got, want)
		}
	}
	seen := map[uint64]string{}
	add := func(text string) {
		tag := index.TagOf(text)
		if was, ok := seen[tag]; ok && was != text {
			t.Errorf("%q and %q have one tag", was, text)
		}
		seen[tag] = text
	}
	for i := range len(base) {
		add(base[:i])
		for bit := range 8 {
			b := []byte(base)
			b[i] ^= 1 << bit
			add(string(b))
		}
		add(base[:i] + "\x00" + base[i:])
		add(base[i:] + base[:i])
	}
}
