package index_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

const name = "mailparts-index"

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// message is an entry with a name as maildir makes them, of 61 octets and the info.
func message(uid uint32, info string) index.Entry {
	base := fmt.Sprintf("%d.M%06dP27571R0c5f3a77Q%07d.host,S=%05d,W=%05d", 1795374075+uid, uid%1e6, uid, 4096, 4196)
	e := index.Entry{
		Name: base + info, Base: uint16(len(base)), UID: uid, ModSeq: 1795374075_000000 + uint64(uid), Size: 4196,
		Received: int64(1795374075+uid) * 1e9, Saved: 1795374075 + uid, Shelf: 1,
	}
	for i, letter := range "DFRST" {
		if strings.ContainsRune(info, letter) {
			e.Flags |= 1 << i
		}
	}
	return e
}

// mailbox is a State with messages 1 to n that is not written yet.
func mailbox(fsys disk.FS, name string, n int) *index.State {
	entries := make([]index.Entry, n)
	var h index.Head
	for i := range entries {
		info := ":2,"
		if i%2 == 0 {
			info = ":2,S"
		}
		entries[i] = message(uint32(i+1), info)
		h.Counts.Add(entries[i])
		h.HighestModSeq = entries[i].ModSeq
	}
	h.Validity, h.Next, h.Boot = 1795374075, uint64(n)+1, index.BootOf(fsys)
	return index.Of(fsys, name, h, entries, nil)
}

// written is a mailbox of n messages on a disk in memory.
func written(t testing.TB, n int) (*disktest.FS, *index.State) {
	t.Helper()
	fsys := disktest.New()
	s := mailbox(fsys, name, n)
	must(t, s.Rewrite(true))
	return fsys, s
}

func load(t testing.TB, fsys disk.FS) *index.State {
	t.Helper()
	s := index.New(fsys, name)
	must(t, s.Load())
	return s
}

// change makes the head that goes with a change.
func change(s *index.State, c *index.Change) index.Head {
	h := s.Head
	h.HighestModSeq++
	for i := range c.Put {
		e := &c.Put[i]
		e.ModSeq = h.HighestModSeq
		if at, ok := find(s, e.UID); ok {
			h.Counts.Remove(s.Entries[at])
		}
		h.Counts.Add(*e)
		h.Next = max(h.Next, uint64(e.UID)+1)
	}
	for i := range s.Entries {
		if c.Gone.UIDs.Contains(mailparts.UID(s.Entries[i].UID)) {
			h.Counts.Remove(s.Entries[i])
		}
	}
	if len(c.Gone.UIDs) > 0 {
		c.Gone.ModSeq = h.HighestModSeq
	}
	return h
}

// write writes a change and applies it.
func write(s *index.State, c index.Change, durable bool) error {
	h := change(s, &c)
	err := s.Write(h, c, durable)
	if err == nil {
		s.Apply(h, c)
	}
	return err
}

func find(s *index.State, uid uint32) (int, bool) {
	return slices.BinarySearchFunc(s.Entries, uid, func(e index.Entry, uid uint32) int { return int(e.UID) - int(uid) })
}

// flagged is a message of s with another info.
func flagged(s *index.State, uid uint32, info string) index.Entry {
	at, _ := find(s, uid)
	was := s.Entries[at]
	e := message(uid, info)
	e.Name, e.Size, e.Received, e.Saved, e.Cached = was.Name[:was.Base]+info, was.Size, was.Received, was.Saved, was.Cached
	return e
}

func uids(ranges ...mailparts.UID) (set mailparts.UIDSet) {
	for i := 0; i < len(ranges); i += 2 {
		set.Add(ranges[i], ranges[i+1])
	}
	return set
}

// same says how two States differ.
func same(t testing.TB, got, want *index.State) {
	t.Helper()
	if got.Head != want.Head {
		t.Errorf("head is %+v\nwant    %+v", got.Head, want.Head)
	}
	if !slices.Equal(got.Entries, want.Entries) {
		t.Errorf("messages are %v\nwant         %v", brief(got), brief(want))
	}
	if !maps.Equal(got.GUIDs, want.GUIDs) {
		t.Errorf("GUIDs are %v, want %v", got.GUIDs, want.GUIDs)
	}
	if len(got.Gone)+len(want.Gone) > 0 && !reflect.DeepEqual(got.Gone, want.Gone) {
		t.Errorf("tombstones are %v, want %v", got.Gone, want.Gone)
	}
}

func brief(s *index.State) []index.Entry { return s.Entries[:min(len(s.Entries), 10)] }

func get(t testing.TB, fsys disk.FS) []byte {
	t.Helper()
	b, err := disk.ReadFile(fsys, name)
	must(t, err)
	return b
}

func put(t testing.TB, fsys disk.FS, content []byte) {
	t.Helper()
	must(t, disk.WriteFile(fsys, name, content, 0o600))
}
