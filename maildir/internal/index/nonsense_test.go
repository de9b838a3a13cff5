package index_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// Files whose checksums are right and that no Write has made are damaged.
func TestNonsense(t *testing.T) {
	begin, commit := index.Record{Letter: 'B'}, index.Record{Letter: 'H'}
	record := func(letter byte, content ...byte) index.Record {
		return index.Record{Letter: letter, Content: append([]byte{}, content...)}
	}
	entry := func(uid uint32, change func(*index.Entry)) index.Entry {
		e := index.Entry{UID: uid, Name: "a:2,", Base: 1, ModSeq: 5}
		change(&e)
		return e
	}
	one := index.Puts(entry(1, func(*index.Entry) {}))
	head := func(messages uint32) index.Head {
		return index.Head{Validity: 1, Next: 10, HighestModSeq: 9, Boot: index.BootOf(disktest.New()), Counts: index.Counts{Messages: messages, Unseen: messages}}
	}
	load := func(content []byte) error {
		fsys := disktest.New()
		put(t, fsys, content)
		return index.New(fsys, name).Load()
	}
	if err := load(index.FileOf(head(1), begin, one, commit, record('E', 1, 1, 0, 0, 3, ':', '2', ',', 8), commit)); err != nil {
		t.Fatalf("a file that makes sense: %v", err)
	}
	higher := head(1)
	higher.Next++
	var long []byte
	for range 300_000 {
		long = append(long, 1, 1, 'g')
	}
	for what, records := range map[string][]index.Record{
		"nothing":                      {},
		"no begin":                     {one, commit},
		"a begin too late":             {one, begin, commit},
		"two begins":                   {begin, begin, one, commit},
		"a begin of no number":         {record('B'), one, commit},
		"no commit":                    {begin, one},
		"no commit at the end":         {begin, one, commit, one},
		"an unknown letter":            {begin, one, record('Z'), commit},
		"a head behind its commit":     {begin, one, index.Commit(higher)},
		"a very long record":           {begin, one, record('G', long...), commit},
		"an odd commit":                {begin, one, record('H', 1, 2, 3)},
		"counts of others":             {begin, commit},
		"messages twice":               {begin, index.Puts(entry(1, func(*index.Entry) {}), entry(1, func(*index.Entry) {})), commit},
		"UIDs that do not ascend":      {begin, index.Puts(entry(2, func(*index.Entry) {}), entry(1, func(*index.Entry) {})), commit},
		"no UID":                       {begin, index.Puts(entry(0, func(*index.Entry) {})), commit},
		"a UID above UIDNEXT":          {begin, index.Puts(entry(10, func(*index.Entry) {})), commit},
		"a mod-sequence above highest": {begin, index.Puts(entry(1, func(e *index.Entry) { e.ModSeq = 10 })), commit},
		"no base":                      {begin, index.Puts(entry(1, func(e *index.Entry) { e.Base = 0 })), commit},
		"a base too long":              {begin, index.Puts(entry(1, func(e *index.Entry) { e.Base = 5 })), commit},
		"a path":                       {begin, index.Puts(entry(1, func(e *index.Entry) { e.Name = "a/b" })), commit},
		"a name with NUL":              {begin, index.Puts(entry(1, func(e *index.Entry) { e.Name = "a\x00" })), commit},
		"a hidden file":                {begin, index.Puts(entry(1, func(e *index.Entry) { e.Name = ".a" })), commit},
		"a third shelf":                {begin, index.Puts(entry(1, func(e *index.Entry) { e.Shelf = 2 })), commit},
		"a size below -1":              {begin, index.Puts(entry(1, func(e *index.Entry) { e.Size = -2 })), commit},
		"too few messages":             {begin, record('P', 2, 0, 0, 0), commit},
		"no number of messages":        {begin, one, record('P', 0), commit},
		"more names than messages":     {begin, {Letter: 'P', Content: append(one.Content[:len(one.Content):len(one.Content)], 'x')}, commit},
		"fewer names than messages":    {begin, {Letter: 'P', Content: one.Content[:len(one.Content)-1]}, commit},
		"an edit of nothing":           {begin, one, record('E', 2, 0), commit},
		"an edit of UID 0":             {begin, one, record('E', 0, 0), commit},
		"an edit like none":            {begin, one, record('E', 1, 1<<5), commit},
		"an edit of unknown parts":     {begin, one, record('E', 1, 1<<6), commit},
		"an edit cut":                  {begin, one, record('E', 1), commit},
		"an edit's text cut":           {begin, one, record('E', 1, 1, 0, 0, 3, ':'), commit},
		"an edit to a path":            {begin, one, record('E', 1, 1, 0, 0, 1, '/', 5), commit},
		"an edit to a third shelf":     {begin, one, record('E', 1, 1, 0, 2, 0, 5), commit},
		"an edit above highest":        {begin, one, record('E', 1, 1, 0, 0, 0, 10), commit},
		"a GUID of UID 0":              {begin, one, record('G', 0, 1, 'g'), commit},
		"an empty GUID":                {begin, one, record('G', 1, 0), commit},
		"a GUID cut":                   {begin, one, record('G', 1, 2, 'g'), commit},
		"a tombstone above highest":    {begin, one, record('X', 10, 1, 2, 0), commit},
		"a tombstone of UID 0":         {begin, one, record('X', 5, 1, 0, 0), commit},
		"a tombstone beyond all UIDs":  {begin, one, record('X', 5, 1, 2, 0xff, 0xff, 0xff, 0xff, 0x0f), commit},
		"a tombstone of very many":     {begin, one, record('X', 5, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1), commit},
		"a tombstone cut":              {begin, one, record('X', 5, 1, 2), commit},
	} {
		n := uint32(1)
		if what == "nothing" {
			n = 0
		}
		if what == "messages twice" || what == "UIDs that do not ascend" {
			n = 2
		}
		if err := load(index.FileOf(head(n), records...)); !errors.Is(err, index.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", what, err)
		}
	}
}

// A head with the right checksum that points nowhere is damaged.
func TestNonsenseHead(t *testing.T) {
	for at, value := range map[int]uint64{20: 100, 28: 100, 29: 1 << 63} { // start and end
		fsys, _ := written(t, 3)
		content := get(t, fsys)
		binary.LittleEndian.PutUint64(content[at:], value)
		binary.LittleEndian.PutUint32(content[8:], crc32.Checksum(content[12:512], crc32.MakeTable(crc32.Castagnoli)))
		put(t, fsys, content)
		s := index.New(fsys, name)
		for _, err := range []error{s.Load(), s.Peek()} {
			if !errors.Is(err, index.ErrDamaged) {
				t.Errorf("%d at %d: %v, want ErrDamaged", value, at, err)
			}
		}
	}
}

// twins are two files that differ in the last of two changes, of the same length, and
// where these begin. The follower knows what was before.
func twins(t *testing.T) (fsys *disktest.FS, follower *index.State, a, b []byte, first, second int) {
	fsys, s := written(t, 3)
	follower = load(t, fsys)
	first = len(get(t, fsys))
	base := get(t, fsys)
	must(t, write(s, index.Change{Put: []index.Entry{flagged(s, 2, ":2,F")}}, false))
	second = len(get(t, fsys))
	a = get(t, fsys)
	put(t, fsys, base)
	s = load(t, fsys)
	must(t, write(s, index.Change{Put: []index.Entry{flagged(s, 2, ":2,R")}}, false))
	b = get(t, fsys)
	if len(a) != len(b) {
		t.Fatal("the twins have different lengths")
	}
	return fsys, follower, a, b, first, second
}

// A change that was written once at the place of another one is not taken for it.
func TestNoMixture(t *testing.T) {
	fsys, _, a, b, first, second := twins(t)
	put(t, fsys, b)
	s := load(t, fsys)
	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, false))
	mixed := get(t, fsys)
	copy(mixed[first:second], a[first:second])
	put(t, fsys, mixed)
	if err := index.New(fsys, name).Load(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("a change of before: %v, want ErrDamaged", err)
	}
	put(t, fsys, append(a[:512:512], b[512:]...))
	if err := index.New(fsys, name).Load(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("a head of before: %v, want ErrDamaged", err)
	}
}

// A follower does not go on in a file that is not the one that it knows.
func TestTailOfMixture(t *testing.T) {
	fsys, old, a, b, _, second := twins(t)
	put(t, fsys, append(a[:512:512], b[512:]...))
	if _, _, _, err := old.Tail(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("the head of another change: %v, want ErrDamaged", err)
	}
	put(t, fsys, a)
	follower := load(t, fsys)
	put(t, fsys, b)
	if _, _, replaced, err := follower.Tail(); !replaced || err != nil {
		t.Errorf("another change at the same place: replaced %v, %v", replaced, err)
	}
	s := load(t, fsys)
	must(t, write(s, index.Change{Put: []index.Entry{message(4, "")}}, false))
	longer := get(t, fsys)
	if _, _, _, err := follower.Tail(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("another change, and one after it: %v, want ErrDamaged", err)
	}
	head := append([]byte(nil), longer[:512]...)
	put(t, fsys, append(head, a[512:second]...))
	if _, _, _, err := follower.Tail(); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("a file that ends before its head: %v, want ErrDamaged", err)
	}
}

// The messages' octets are bounded for who reads them as well.
func TestCacheOfTooMuch(t *testing.T) {
	for size, want := range map[int]bool{index.MaxCached: true, index.MaxCached + 1: false} {
		b := binary.LittleEndian.AppendUint32(nil, 5)
		b = binary.LittleEndian.AppendUint32(b, uint32(size))
		b = append(b, make([]byte, size)...)
		file := append([]byte("mpcache2\x01"), make([]byte, 15)...)
		file = binary.LittleEndian.AppendUint64(file, 9^1)
		file = binary.LittleEndian.AppendUint32(file, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
		fsys := disktest.New()
		must(t, disk.WriteFile(fsys, cacheName, append(file, b...), 0o600))
		r := index.NewCache(fsys, cacheName).Reader(1)
		if _, ok := r.Get(24, 5, 9); ok != want {
			t.Errorf("%d octets: %v", size, ok)
		}
		must(t, r.Close())
	}
}
