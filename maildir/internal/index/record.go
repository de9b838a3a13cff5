package index

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// The letters of records.
const (
	putRecord  = 'P'
	infoRecord = 'I'
	guidRecord = 'G'
	goneRecord = 'X'
)

const (
	frame     = 9  // length, checksum and letter, before a record's content
	putFixed  = 48 // of a message, beside its name
	infoFixed = 18 // of a message, beside its name's info
)

// How many parts a record has at most, so that it is read in pieces of a bounded
// size.
const (
	putsEach  = 2048
	infosEach = 8192
	goneEach  = 8192
)

var le = binary.LittleEndian

// begin leaves room for a record's frame.
func begin(b []byte) ([]byte, int) { return append(b, make([]byte, frame)...), len(b) }

// end fills in the frame of the record that begins at.
func end(b []byte, at int, letter byte) []byte {
	content := b[at+frame:]
	le.PutUint32(b[at:], uint32(len(content)))
	b[at+8] = letter
	le.PutUint32(b[at+4:], crc32.Checksum(b[at+8:], castagnoli))
	return b
}

// appendChange writes a change as records. Old tells the messages as they are
// before it, to write only what is new of them.
func appendChange(b []byte, c Change, old func(uid uint32) (Entry, bool)) []byte {
	var whole, infos []Entry
	for _, e := range c.Put {
		if was, ok := old(e.UID); ok && isInfoOnly(was, e) {
			infos = append(infos, e)
		} else {
			whole = append(whole, e)
		}
	}
	b = appendPuts(b, whole)
	b = appendInfos(b, infos)
	b = appendGUIDs(b, c.GUIDs)
	return appendGone(b, c.Gone)
}

// isInfoOnly reports whether an info record can say what changed.
func isInfoOnly(was, is Entry) bool {
	if was.Name[:was.Base] != is.Name[:is.Base] {
		return false
	}
	was.Name, was.Flags, was.ModSeq, was.Shelf = is.Name, is.Flags, is.ModSeq, is.Shelf
	return was == is
}

func appendPuts(b []byte, put []Entry) []byte {
	for part := range slices.Chunk(put, putsEach) {
		var at int
		b, at = begin(b)
		b = le.AppendUint32(b, uint32(len(part)))
		for i := range part {
			e := &part[i]
			b = le.AppendUint32(b, e.UID)
			b = le.AppendUint32(b, e.Flags)
			b = le.AppendUint32(b, e.Saved)
			b = append(b, byte(e.Base), e.Shelf, byte(len(e.Name)), 0)
			b = le.AppendUint64(b, e.ModSeq)
			b = le.AppendUint64(b, uint64(e.Size))
			b = le.AppendUint64(b, uint64(e.Received))
			b = le.AppendUint64(b, e.Cached)
		}
		for i := range part {
			b = append(b, part[i].Name...)
		}
		b = end(b, at, putRecord)
	}
	return b
}

// putsIn appends the messages of a record's content.
func putsIn(b []byte, into []Entry) ([]Entry, error) {
	if len(b) < 4 {
		return into, errShort
	}
	n := int64(le.Uint32(b))
	b = b[4:]
	if int64(len(b)) < n*putFixed {
		return into, errShort
	}
	names := string(b[n*putFixed:])
	for i := range n {
		f := b[i*putFixed:]
		e := Entry{
			UID: le.Uint32(f), Flags: le.Uint32(f[4:]), Saved: le.Uint32(f[8:]), Base: uint16(f[12]), Shelf: f[13],
			ModSeq: le.Uint64(f[16:]), Size: int64(le.Uint64(f[24:])), Received: int64(le.Uint64(f[32:])), Cached: le.Uint64(f[40:]),
		}
		size := int(f[14])
		if len(names) < size {
			return into, errShort
		}
		e.Name, names = names[:size], names[size:]
		if err := e.check(); err != nil {
			return into, err
		}
		if len(into) > 0 && into[len(into)-1].UID >= e.UID {
			return into, fmt.Errorf("%w: UIDs do not ascend", ErrDamaged)
		}
		into = append(into, e)
	}
	return into, nil
}

var errShort = fmt.Errorf("%w: a record is too short", ErrDamaged)

// check is for what came from a file.
func (e *Entry) check() error {
	if e.UID == 0 || e.Shelf > 1 || e.Base == 0 || int(e.Base) > len(e.Name) || strings.ContainsAny(e.Name, "/\x00\n\r") || e.Name[0] == '.' {
		return fmt.Errorf("%w: UID %d is no message", ErrDamaged, e.UID)
	}
	return nil
}

// info is what an info record says of a message.
type info struct {
	uid, flags uint32
	shelf      uint8
	modSeq     uint64
	text       string // of the name, after its base
}

func appendInfos(b []byte, put []Entry) []byte {
	for part := range slices.Chunk(put, infosEach) {
		var at int
		b, at = begin(b)
		for i := range part {
			e := &part[i]
			text := e.Name[e.Base:]
			b = le.AppendUint32(b, e.UID)
			b = le.AppendUint32(b, e.Flags)
			b = le.AppendUint64(b, e.ModSeq)
			b = append(b, e.Shelf, byte(len(text)))
			b = append(b, text...)
		}
		b = end(b, at, infoRecord)
	}
	return b
}

func infosIn(b []byte) (infos []info, err error) {
	last := ""
	for len(b) > 0 {
		if len(b) < infoFixed || len(b) < infoFixed+int(b[17]) {
			return nil, errShort
		}
		i := info{uid: le.Uint32(b), flags: le.Uint32(b[4:]), modSeq: le.Uint64(b[8:]), shelf: b[16]}
		if text := b[infoFixed : infoFixed+int(b[17])]; string(text) != last { // most have the same
			last = string(text)
		}
		if i.text = last; i.shelf > 1 || strings.ContainsAny(last, "/\x00\n\r") {
			return nil, fmt.Errorf("%w: UID %d has an odd name", ErrDamaged, i.uid)
		}
		infos = append(infos, i)
		b = b[infoFixed+len(last):]
	}
	return infos, nil
}

func appendGUIDs(b []byte, guids map[uint32]string) []byte {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(guids)), putsEach) {
		var at int
		b, at = begin(b)
		for _, uid := range part {
			guid := guids[uid]
			guid = guid[:min(len(guid), 255)]
			b = append(le.AppendUint32(b, uid), byte(len(guid)))
			b = append(b, guid...)
		}
		b = end(b, at, guidRecord)
	}
	return b
}

func guidsIn(b []byte) (map[uint32]string, error) {
	guids := map[uint32]string{}
	for len(b) > 0 {
		if len(b) < 5 || len(b) < 5+int(b[4]) {
			return nil, errShort
		}
		n := 5 + int(b[4])
		guids[le.Uint32(b)] = string(b[5:n])
		b = b[n:]
	}
	return guids, nil
}

func appendGone(b []byte, gone Tombstone) []byte {
	for part := range slices.Chunk(gone.UIDs, goneEach) {
		var at int
		b, at = begin(b)
		b = le.AppendUint64(b, gone.ModSeq)
		for _, r := range part {
			b = le.AppendUint32(le.AppendUint32(b, uint32(r.First)), uint32(r.Last))
		}
		b = end(b, at, goneRecord)
	}
	return b
}

func goneIn(b []byte) (gone Tombstone, err error) {
	if len(b) < 16 || len(b)%8 != 0 {
		return gone, errShort
	}
	gone.ModSeq = le.Uint64(b)
	for b = b[8:]; len(b) > 0; b = b[8:] {
		r := mailparts.UIDRange{First: mailparts.UID(le.Uint32(b)), Last: mailparts.UID(le.Uint32(b[4:]))}
		if n := len(gone.UIDs); r.First == 0 || r.Last < r.First || n > 0 && gone.UIDs[n-1].Last >= r.First {
			return gone, fmt.Errorf("%w: expunged UIDs do not ascend", ErrDamaged)
		}
		gone.UIDs = append(gone.UIDs, r)
	}
	return gone, nil
}

// records reads records one after the other.
type records struct {
	r    io.Reader
	left int64
	buf  []byte
}

// maxRecord is above what any writer makes of the greatest parts.
const maxRecord = 4 << 20

// next returns io.EOF after the last record. The content is valid until the call
// after it.
func (r *records) next() (letter byte, content []byte, err error) {
	if r.left == 0 {
		return 0, nil, io.EOF
	}
	if r.left < frame {
		return 0, nil, errShort
	}
	if cap(r.buf) < frame {
		r.buf = make([]byte, 64<<10)
	}
	head := r.buf[:frame]
	if _, err := io.ReadFull(r.r, head); err != nil {
		return 0, nil, damaged(err)
	}
	size, sum, letter := int64(le.Uint32(head)), le.Uint32(head[4:]), head[8]
	if size > min(r.left-frame, maxRecord) {
		return 0, nil, errShort
	}
	r.left -= frame + size
	if int64(cap(r.buf)) < size+1 {
		r.buf = make([]byte, size+1)
	}
	b := r.buf[:size+1] // the letter is under the checksum too
	b[0] = letter
	if _, err := io.ReadFull(r.r, b[1:]); err != nil {
		return 0, nil, damaged(err)
	}
	if crc32.Checksum(b, castagnoli) != sum {
		return 0, nil, fmt.Errorf("%w: a checksum is wrong", ErrDamaged)
	}
	return letter, b[1:], nil
}

// damaged is for an error in what the head says is there.
func damaged(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: it ends too early", ErrDamaged)
	}
	return err
}
