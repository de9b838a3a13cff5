package index_test

import (
	"errors"
	"hash/crc32"
	"runtime"
	"testing"

	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// rich is a file with every kind of record.
func rich(t testing.TB) (*disktest.FS, *index.State) {
	t.Helper()
	fsys, s := written(t, 5)
	must(t, write(s, index.Change{Put: []index.Entry{message(6, ":2,"), message(9, "")}, GUIDs: map[uint32]string{6: "six", 9: "nine"}}, false))
	must(t, write(s, index.Change{Put: []index.Entry{flagged(s, 2, ":2,FS"), flagged(s, 3, ":2,FS"), flagged(s, 6, "")}}, false))
	must(t, write(s, index.Change{Gone: index.Tombstone{UIDs: uids(1, 2, 5, 5)}}, false))
	e := flagged(s, 3, ":2,FS")
	e.Size, e.Cached = -1, 512
	must(t, write(s, index.Change{Put: []index.Entry{e}}, false))
	return fsys, s
}

// A file that is changed in any octet, or cut anywhere, is damaged: of what is in it
// nothing else is shown.
func TestAnyDamage(t *testing.T) {
	fsys, _ := rich(t)
	content := get(t, fsys)
	for at := range content {
		broken := append([]byte(nil), content...)
		broken[at] ^= 0x40
		put(t, fsys, broken)
		s := index.New(fsys, name)
		if err := s.Load(); !errors.Is(err, index.ErrDamaged) {
			t.Fatalf("octet %d changed: %v, want ErrDamaged", at, err)
		}
		if s.Loaded() || s.Entries != nil || s.Head != (index.Head{}) {
			t.Fatalf("octet %d changed: Load failed and has %d messages", at, len(s.Entries))
		}
		if err := s.Peek(); at < 512 && !errors.Is(err, index.ErrDamaged) {
			t.Fatalf("octet %d changed: Peek says %v, want ErrDamaged", at, err)
		}
	}
	for size := range content {
		put(t, fsys, content[:size])
		s := index.New(fsys, name)
		for _, err := range []error{s.Load(), s.Peek()} {
			if !errors.Is(err, index.ErrDamaged) {
				t.Fatalf("%d octets: %v, want ErrDamaged", size, err)
			}
		}
	}
}

// A follower that meets damage says so and stays where it is.
func TestTailOfDamage(t *testing.T) {
	fsys, s := written(t, 3)
	follower := load(t, fsys)
	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, false))
	content := get(t, fsys)
	content[len(content)-1] ^= 1
	put(t, fsys, content)
	if changes, _, _, err := follower.Tail(); !errors.Is(err, index.ErrDamaged) || len(changes) != 0 {
		t.Errorf("Tail: %v, %v, want ErrDamaged", changes, err)
	}
	if len(follower.Entries) != 3 {
		t.Errorf("%d messages", len(follower.Entries))
	}
}

// Peek needs no lock: a head that is just being written is read again.
func TestPeekOfTornHead(t *testing.T) {
	fsys, s := written(t, 3)
	whole := get(t, fsys)
	torn := append([]byte(nil), whole...)
	torn[40] ^= 1
	put(t, fsys, torn)
	reads := 0
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "readat" {
			if reads++; reads == 2 {
				fsys.Before = nil
				f, err := fsys.OpenFile(name, 1, 0)
				must(t, err)
				_, err = f.WriteAt(whole, 0)
				must(t, err, f.Close())
			}
		}
		return nil
	}
	p := index.New(fsys, name)
	if must(t, p.Peek()); p.Head != s.Head || p.Loaded() {
		t.Errorf("Peek reads %+v, want %+v", p.Head, s.Head)
	}
}

// FuzzLoad reads any file: whole, and with all its checksums made right, so that
// what is behind them is met too.
func FuzzLoad(f *testing.F) {
	fsys, _ := rich(f)
	f.Add(get(f, fsys), false)
	f.Add(get(f, fsys), true)
	f.Add(get(f, fsys)[:600], true)
	f.Add([]byte("mpindex1"), false)
	fsys, s := written(f, 0)
	f.Add(get(f, fsys), true)
	must(f, write(s, index.Change{Put: []index.Entry{message(1, "")}}, false))
	f.Add(get(f, fsys), true)
	f.Fuzz(func(t *testing.T, content []byte, seal bool) {
		if seal {
			sealFile(content)
		}
		for _, boot := range []disktest.Mode{disktest.Kept, disktest.Strict} {
			fsys := disktest.New()
			put(t, fsys, content)
			fsys = fsys.Reboot(boot)
			s := index.New(fsys, name)
			_ = s.Peek()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := s.Load()
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20+2000*uint64(len(content)) {
				t.Errorf("%d octets allocated for a file of %d", got, len(content))
			}
			if err != nil {
				if !errors.Is(err, index.ErrDamaged) {
					t.Errorf("Load: %v", err)
				}
				continue
			}
			var counts index.Counts
			for i, e := range s.Entries {
				counts.Add(e)
				if i > 0 && s.Entries[i-1].UID >= e.UID || uint64(e.UID) >= s.Next || e.ModSeq > s.HighestModSeq || int(e.Base) > len(e.Name) || e.Shelf > 1 {
					t.Errorf("message %+v came from a file", e)
				}
			}
			if counts != s.Counts {
				t.Errorf("counts %+v, has %+v", s.Counts, counts)
			}
			// What was read can be written and read.
			must(t, s.Rewrite(false))
			same(t, load(t, fsys), s)
		}
	})
}

// sealFile makes the checksums of a file right, and its head end where records do.
func sealFile(b []byte) {
	const headSize = 512
	if len(b) < headSize {
		return
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	put := func(at int, v uint32) {
		for i := range 4 {
			b[at+i] = byte(v >> (8 * i))
		}
	}
	var sum uint32
	at := headSize
	for at+9 <= len(b) {
		size := int(b[at+4]) | int(b[at+5])<<8 | int(b[at+6])<<16
		if b[at+7] = 0; size > len(b)-at-9 {
			break
		}
		sum = crc32.Update(sum, table, b[at+4:at+9+size])
		put(at, sum)
		at += 9 + size
	}
	copy(b, "mpindex1")
	put(28, uint32(at))
	put(32, 0)
	put(36, sum)
	put(8, crc32.Checksum(b[12:headSize], table))
}
