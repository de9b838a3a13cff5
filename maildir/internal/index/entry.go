package index

import (
	"fmt"
	"strings"

	"github.com/mailparts/mailparts"
)

// Entry is one message. A mailbox has very many of them: 64 octets and the name.
type Entry struct {
	Name     string // of the file, with its info; many share one string's storage
	ModSeq   uint64
	Size     int64  // octets on the wire; -1: not known
	Received int64  // modification time in nanoseconds since 1970; 0: not known
	Cached   uint64 // where the cache file has its derived octets; 0: nowhere
	UID      uint32
	Flags    uint32 // maildir's flagSet
	Saved    uint32 // seconds since 1970; 0: not known
	Base     uint16 // octets of Name before the info
	Shelf    uint8  // 0 new/, 1 cur/
}

// maxName is how long a file's name can be.
const maxName = 255

// badInName are the octets that no name of a message's file has.
const badInName = "/\x00\n\r"

// check says what is wrong with an entry, but for octets in its name: who reads very
// many of them looks at all names at once.
func (e *Entry) check() error {
	if e.UID == 0 || e.Shelf > 1 || e.Size < -1 || e.Base == 0 || int(e.Base) > len(e.Name) || len(e.Name) > maxName || e.Name[0] == '.' {
		return fmt.Errorf("UID %d is no message", e.UID)
	}
	return nil
}

// checkNames says whether many names, one after the other, have octets that none has.
func checkNames(names string) error {
	for i := range len(badInName) {
		if at := strings.IndexByte(names, badInName[i]); at >= 0 {
			return fmt.Errorf("a name has the octet %q", badInName[i])
		}
	}
	return nil
}

// Tombstone is what one change expunged.
type Tombstone struct {
	ModSeq uint64
	UIDs   mailparts.UIDSet
}

func (t *Tombstone) check() error {
	for i, r := range t.UIDs {
		if r.First == 0 || r.Last < r.First || i > 0 && t.UIDs[i-1].Last >= r.First {
			return fmt.Errorf("expunged UIDs %v do not ascend", t.UIDs)
		}
	}
	return nil
}

// maxGUID is how long a GUID can be.
const maxGUID = 255

func checkGUID(uid uint32, guid string) error {
	if uid == 0 || guid == "" || len(guid) > maxGUID {
		return fmt.Errorf("UID %d has a GUID of %d octets", uid, len(guid))
	}
	return nil
}

// Counts are totals over the messages.
type Counts struct {
	Messages, Unseen, Deleted uint32
	Unsized                   uint32 // messages whose size is not known
	Cached                    uint32 // messages that have octets in the cache, or had
	Size, DeletedSize         int64  // of those whose size is known
}

// The two flags that are counted.
const (
	Seen    = 1 << 3
	Deleted = 1 << 4
)

// Add counts a message.
func (c *Counts) Add(e Entry) { c.count(&e, 1) }

// Remove takes a message out of the counts.
func (c *Counts) Remove(e Entry) { c.count(&e, -1) }

func (c *Counts) count(e *Entry, n int32) {
	c.Messages += uint32(n)
	if e.Flags&Seen == 0 {
		c.Unseen += uint32(n)
	}
	if e.Flags&Deleted != 0 {
		c.Deleted += uint32(n)
	}
	if e.Cached != 0 {
		c.Cached += uint32(n)
	}
	if e.Size < 0 {
		c.Unsized += uint32(n)
		return
	}
	c.Size += int64(n) * e.Size
	if e.Flags&Deleted != 0 {
		c.DeletedSize += int64(n) * e.Size
	}
}

// countsOf counts all.
func countsOf(entries []Entry) (c Counts) {
	for i := range entries {
		c.count(&entries[i], 1)
	}
	return c
}
