package mbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mailparts/mailparts/internal/disk"
)

// A journal says what is being done to a mailbox, durably before it is begun, so
// that who comes after a crash can finish it or take it back. It has two slots for
// a record, which are written in turn: one of them is always whole. What belongs to
// the record follows them.
const (
	slotSize     = 512
	payloadStart = 2 * slotSize
	slotMagic    = "mpmbox1\n"
)

// What a record says.
const (
	atRest    uint8 = iota // nothing is being done
	appending              // octets from oldSize to newSize are written; the payload has a sum for each message
	changing               // the payload has what to write where; see change
	withdrawn              // as appending, but what was written is to go even if it is whole
)

// record is what is being done, and the numbers of the mailbox for when its file
// cannot tell them.
type record struct {
	kind     uint8
	seq      uint64
	validity uint32
	next     uint64 // no UID from here on was given out
	first    uint32 // UIDs of an append
	count    uint32
	oldSize  int64 // of the mailbox
	newSize  int64
	start    int64  // changing: the first octet that is written; appending: where the last UID stands, or 0
	sample   int64  // changing: octets that were at start, which the payload begins with
	last     int64  // changing: where the last part is in the payload
	tail     uint32 // changing: sum of what was from newSize to oldSize; appending: of what was written
	before   uint32 // sum of up to a page before start; appending: before oldSize, without the last UID
	payload  int64  // its size
	sum      uint32 // its sum
	boot     uint32 // the machine's run, if it has a name

	// What tells one of our kind what others did.
	edits     uint64 // changes of our kind but appends
	strange   uint64 // how often the file was not as our kind had left it
	cleanSize int64  // as our kind has left it
	cleanTime int64  // its modification time, in ns since 1970
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func (r *record) encode() []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, slotMagic...)
	le := binary.LittleEndian
	b = append(b, r.kind)
	b = le.AppendUint64(b, r.seq)
	b = le.AppendUint32(b, r.validity)
	b = le.AppendUint64(b, r.next)
	b = le.AppendUint32(b, r.first)
	b = le.AppendUint32(b, r.count)
	b = le.AppendUint64(b, uint64(r.oldSize))
	b = le.AppendUint64(b, uint64(r.newSize))
	b = le.AppendUint64(b, uint64(r.start))
	b = le.AppendUint64(b, uint64(r.sample))
	b = le.AppendUint64(b, uint64(r.last))
	b = le.AppendUint32(b, r.tail)
	b = le.AppendUint32(b, r.before)
	b = le.AppendUint64(b, uint64(r.payload))
	b = le.AppendUint32(b, r.sum)
	b = le.AppendUint32(b, r.boot)
	b = le.AppendUint64(b, r.edits)
	b = le.AppendUint64(b, r.strange)
	b = le.AppendUint64(b, uint64(r.cleanSize))
	b = le.AppendUint64(b, uint64(r.cleanTime))
	b = le.AppendUint32(b, checksum(b))
	return b[:slotSize]
}

// Where a record has the size of its payload, and its own sum.
const (
	recordPayload = len(slotMagic) + 1 + 8 + 4 + 8 + 4 + 4 + 8*5 + 4 + 4
	recordSize    = recordPayload + 8 + 4 + 4 + 8*4
)

// decodeRecord is false for octets that encode did not make.
func decodeRecord(b []byte) (r record, ok bool) {
	if len(b) < recordSize+4 || string(b[:len(slotMagic)]) != slotMagic || checksum(b[:recordSize]) != binary.LittleEndian.Uint32(b[recordSize:]) {
		return r, false
	}
	b = b[len(slotMagic):]
	u32 := func() (n uint32) {
		n, b = binary.LittleEndian.Uint32(b), b[4:]
		return n
	}
	u64 := func() (n uint64) {
		n, b = binary.LittleEndian.Uint64(b), b[8:]
		return n
	}
	r.kind, b = b[0], b[1:]
	r.seq, r.validity, r.next, r.first, r.count = u64(), u32(), u64(), u32(), u32()
	r.oldSize, r.newSize, r.start, r.sample, r.last = int64(u64()), int64(u64()), int64(u64()), int64(u64()), int64(u64())
	r.tail, r.before, r.payload, r.sum, r.boot = u32(), u32(), int64(u64()), u32(), u32()
	r.edits, r.strange, r.cleanSize, r.cleanTime = u64(), u64(), int64(u64()), int64(u64())
	return r, r.isSound()
}

// isSound is for what has the right sum, but may be anyone's all the same.
func (r *record) isSound() bool {
	if r.oldSize < 0 || r.newSize < 0 {
		return false
	}
	switch r.kind {
	case atRest:
		return r.payload == 0
	case appending, withdrawn:
		return r.newSize > r.oldSize && r.payload == 4*int64(r.count)
	case changing:
		return r.start >= 0 && r.start <= r.oldSize && r.newSize-r.oldSize <= r.payload && r.sample >= 0 && r.sample <= maxSample && r.last >= r.sample && r.payload >= r.last+partHead
	}
	return false
}

// journal is one that is open. Who has it holds the mailbox's lock.
type journal struct {
	disk.File
	name string
	record
}

// openJournal opens the journal, which is made durably if it is not there.
func openJournal(fsys disk.FS, name string) (*journal, error) {
	f, err := fsys.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = fsys.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
		if err == nil {
			if err = fsys.SyncDir(filepath.Dir(name)); err != nil {
				f.Close()
				fsys.Remove(name) // the next one must not take it for durable
			}
		}
	}
	if err != nil {
		return nil, err
	}
	j := &journal{File: f, name: name}
	if err := j.load(); err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// load reads the later of the two slots. A journal without any is at rest.
func (j *journal) load() error {
	b := make([]byte, payloadStart)
	n, err := j.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return err
	}
	clear(b[n:])
	j.record = record{}
	for i := range 2 {
		if r, ok := decodeRecord(b[i*slotSize : (i+1)*slotSize]); ok && r.seq >= j.seq {
			j.record = r
		}
	}
	return nil
}

// write makes r what the journal says. What was written to the payload before is
// durable with it, if r is.
func (j *journal) write(r record, durable bool) error {
	r.seq = j.seq + 1
	if _, err := j.WriteAt(r.encode(), int64(r.seq%2)*slotSize); err != nil {
		return err
	}
	if durable {
		if err := j.Datasync(); err != nil {
			return err
		}
	}
	j.record = r
	return nil
}

// rest says that what the journal says is done, and how the file is now.
func (j *journal) rest(fi fs.FileInfo, durable bool) error {
	r := j.record
	r.kind, r.sample, r.last, r.payload, r.sum = atRest, 0, 0, 0, 0
	if fi != nil {
		r.cleanSize, r.cleanTime = fi.Size(), fi.ModTime().UnixNano()
	}
	if err := j.write(r, durable); err != nil {
		return err
	}
	return j.shrink()
}

// abandon is for a record that could not be written: what it was to have may be what
// has filled the disk.
func (j *journal) abandon() error {
	if err := j.load(); err != nil || j.kind != atRest {
		return err
	}
	return j.shrink()
}

// shrink gives back what a large payload has taken.
func (j *journal) shrink() error {
	const keep = 1 << 20
	if fi, err := j.Stat(); err == nil && fi.Size() > keep {
		return j.Truncate(payloadStart)
	}
	return nil
}

// begin returns a record of what is to be done to a file that is as fi says.
func (j *journal) begin(kind uint8, fi fs.FileInfo) record {
	r := record{kind: kind, validity: j.validity, next: j.next, edits: j.edits, strange: j.strange, oldSize: fi.Size(), cleanSize: j.cleanSize, cleanTime: j.cleanTime}
	if !j.isClean(fi) {
		r.strange++
	}
	if kind == changing {
		r.edits++
	}
	return r
}

// isClean reports whether the file is as our kind has left it.
func (j *journal) isClean(fi fs.FileInfo) bool {
	return fi.Size() == j.cleanSize && fi.ModTime().UnixNano() == j.cleanTime
}

// hasPayload reports whether the payload is the one that the record was written for.
func (j *journal) hasPayload() (bool, error) {
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, io.NewSectionReader(j, payloadStart, j.payload))
	return n == j.payload && sum.Sum32() == j.sum, err
}

// payloadWriter writes a payload.
type payloadWriter struct {
	j    *journal
	buf  []byte
	size int64
	sum  uint32
}

func (w *payloadWriter) Write(p []byte) (int, error) {
	const room = 64 << 10
	w.buf = append(w.buf, p...)
	if len(w.buf) >= room {
		return len(p), w.flush()
	}
	return len(p), nil
}

func (w *payloadWriter) flush() error {
	w.sum = crc32.Update(w.sum, castagnoli, w.buf)
	_, err := w.j.WriteAt(w.buf, payloadStart+w.size)
	w.size += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}

// errJournal is of a journal that does not fit its mailbox.
var errJournal = errors.New("journal does not fit the mailbox")

func misfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errJournal, fmt.Sprintf(format, args...))
}
