package mbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/mailparts/mailparts/internal/disk"
)

// An index has what a scan of a mailbox's file has found, and how the file was then:
// as long as it is so, nobody need scan it again. It holds nothing that cannot be
// found again, and so is never synced. In place of that the head has the sum of all
// pages' sums: whatever a crash or a write that was cut short has left, it is whole
// and of one time, or the sums differ.
//
//	0      head
//	512    keywords, a line each
//	32768  pages: a sum, and entries
const (
	indexMagic   = "mpmboxi1"
	indexHead    = 512
	indexPages   = 32 << 10
	indexPage    = 4096
	indexEntry   = 36
	perPage      = (indexPage - 4) / indexEntry
	maxIndexRead = 64 * indexPage
)

// stored is what this process knows of the index on disk.
type stored struct {
	serial uint64   // of its head; 0: nothing is known
	sums   []uint32 // of its pages
}

// indexInfo is the head.
type indexInfo struct {
	serial                uint64
	size, mtime           int64
	inode                 uint64
	edits, strange        uint64
	validity, last        uint32
	baseStart, baseEnd    int64
	pseudo, partial       uint8
	next, count, pageSums uint64
	keywords, keywordSum  uint32
}

func (x *indexInfo) encode() []byte {
	var b bytes.Buffer
	b.WriteString(indexMagic)
	binary.Write(&b, binary.LittleEndian, x.fields())
	return binary.LittleEndian.AppendUint32(b.Bytes(), checksum(b.Bytes()))
}

// fields are the head's numbers with an order.
func (x *indexInfo) fields() []uint64 {
	return []uint64{
		x.serial, uint64(x.size), uint64(x.mtime), x.inode, x.edits, x.strange, uint64(x.validity), uint64(x.last),
		uint64(x.baseStart), uint64(x.baseEnd), uint64(x.pseudo), uint64(x.partial), x.next, x.count, x.pageSums,
		uint64(x.keywords), uint64(x.keywordSum),
	}
}

var errIndex = errors.New("index is damaged")

func decodeIndex(b []byte) (x indexInfo, err error) {
	n := len(indexMagic) + 8*len(x.fields())
	if len(b) < n+4 || string(b[:len(indexMagic)]) != indexMagic || checksum(b[:n]) != binary.LittleEndian.Uint32(b[n:]) {
		return x, errIndex
	}
	f := make([]uint64, len(x.fields()))
	for i := range f {
		f[i] = binary.LittleEndian.Uint64(b[len(indexMagic)+8*i:])
	}
	x = indexInfo{
		serial: f[0], size: int64(f[1]), mtime: int64(f[2]), inode: f[3], edits: f[4], strange: f[5], validity: uint32(f[6]), last: uint32(f[7]),
		baseStart: int64(f[8]), baseEnd: int64(f[9]), pseudo: uint8(f[10]), partial: uint8(f[11]), next: f[12], count: f[13], pageSums: f[14],
		keywords: uint32(f[15]), keywordSum: uint32(f[16]),
	}
	return x, nil
}

// loadIndex takes in what the index says, if that is later than what the box knows.
// True is that the box is up to date with it.
func (h *held) loadIndex() (done bool, err error) {
	if h.f == nil {
		return false, nil
	}
	name := h.store.sideOf(h.name) + indexSuffix
	f, err := h.fsys.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return false, nil // there may be none; if there is, all can be found without it
	}
	defer f.Close()
	head := make([]byte, indexHead)
	n, _ := f.ReadAt(head, 0)
	x, err := decodeIndex(head[:n])
	if err == nil {
		exact := x.size == h.size && x.mtime == h.fi.ModTime().UnixNano() && x.edits == h.j.edits
		if x.inode != disk.Inode(h.fi) || h.loaded && (!exact || x.partial != 0) || h.loaded && x.validity != h.base.validity {
			return false, nil
		}
		fresh := !h.loaded
		if fresh && !exact {
			if other, err := h.hasOther(x.validity); other || err != nil {
				return false, err
			}
		}
		if err = h.takeIndex(f, &x, exact); err == nil {
			if fresh && (!exact || x.partial != 0) {
				h.box.whole, exact = true, false
			}
			return exact, nil
		}
	}
	if errors.Is(err, errIndex) {
		bad := name + ".bad"
		h.log.Warn("an index is damaged and is made anew", "mailbox", h.path, "index", bad, "error", err)
		h.fsys.Rename(name, bad)
		err = nil
	}
	return false, err
}

// hasOther reports whether the file has another UIDVALIDITY by now: it was restored,
// or another mailbox was copied over it.
func (h *held) hasOther(validity uint32) (bool, error) {
	var m span
	if err := h.spanAt(0, h.size, &m); err != nil {
		return false, noFormat(err)
	}
	b, ok, err := baseOf(h.f, &m)
	return ok && b.validity != validity, err
}

// takeIndex reads all of it. Unless it is exact the file is still to be looked at.
func (h *held) takeIndex(f io.ReaderAt, x *indexInfo, exact bool) error {
	words := make([]byte, min(x.keywords, indexPages-indexHead))
	if _, err := f.ReadAt(words, indexHead); err != nil && err != io.EOF {
		return err
	}
	if checksum(words) != x.keywordSum {
		return fmt.Errorf("%w: keywords", errIndex)
	}
	b := base{validity: x.validity, last: x.last, start: x.baseStart, end: x.baseEnd, pseudo: x.pseudo != 0}
	if len(words) > 0 {
		b.keywords = strings.Split(string(words), "\n")
	}
	st := stored{serial: x.serial}
	if x.count > uint64(x.size)/7+1 {
		return fmt.Errorf("%w: %d messages in %d octets", errIndex, x.count, x.size)
	}
	entries := make([]entry, 0, x.count)
	buf := make([]byte, maxIndexRead)
	var sum uint64
	for at := int64(indexPages); len(entries) < int(x.count); at += int64(len(buf)) {
		n, err := f.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return err
		}
		for page := range slices.Chunk(buf[:n-n%indexPage], indexPage) {
			if len(entries) == int(x.count) {
				break
			}
			crc := binary.LittleEndian.Uint32(page)
			st.sums = append(st.sums, crc)
			sum += uint64(crc)
			if crc != checksum(page[4:]) {
				return fmt.Errorf("%w: page %d", errIndex, len(st.sums)-1)
			}
			entries = decodeEntries(entries, page[4:], int(x.count))
		}
		if n < indexPage {
			return fmt.Errorf("%w: too short", errIndex)
		}
	}
	if sum != x.pageSums || !isSound(entries, x) {
		return fmt.Errorf("%w: not of one time", errIndex)
	}
	k := shape{info: h.fi, size: x.size, settled: exact, edits: x.edits, strange: x.strange, partial: x.partial != 0}
	h.stored = st
	h.publish(entries, b, x.next, k, false)
	return nil
}

// isSound is for what has the right sums, but may be anyone's all the same.
func isSound(entries []entry, x *indexInfo) bool {
	if x.size < 0 || x.baseStart < 0 || x.baseEnd < x.baseStart || x.baseEnd > x.size || x.next > math.MaxUint32 || x.validity == 0 {
		return false
	}
	last := entry{off: -1}
	for _, e := range entries {
		if e.off <= last.off || e.off >= x.size || e.uid <= last.uid || uint64(e.uid) >= x.next || e.size < -1 {
			return false
		}
		last = e
	}
	return true
}

func decodeEntries(entries []entry, b []byte, count int) []entry {
	le := binary.LittleEndian
	for ; len(b) >= indexEntry && len(entries) < count; b = b[indexEntry:] {
		entries = append(entries, entry{
			off: int64(le.Uint64(b)), size: int64(le.Uint64(b[8:])), received: int64(le.Uint64(b[16:])),
			flags: flagSet(le.Uint64(b[24:])), uid: le.Uint32(b[32:]),
		})
	}
	return entries
}

func encodePage(b []byte, entries []entry) []byte {
	le := binary.LittleEndian
	b = append(b[:0], 0, 0, 0, 0)
	for i := range entries[:min(len(entries), perPage)] {
		e := &entries[i]
		b = le.AppendUint64(b, uint64(e.off))
		b = le.AppendUint64(b, uint64(e.size))
		b = le.AppendUint64(b, uint64(e.received))
		b = le.AppendUint64(b, uint64(e.flags))
		b = le.AppendUint32(b, e.uid)
	}
	n := len(b)
	b = b[:indexPage]
	clear(b[n:])
	le.PutUint32(b, checksum(b[4:]))
	return b
}

// saveIndex writes what has changed: the messages from a place on, and some before.
// That it cannot does no harm.
func (h *held) saveIndex(from int, some []int) {
	if h.f == nil || !h.known.settled || h.waiting {
		return
	}
	if err := h.writeIndex(from, some); err != nil {
		h.stored = stored{}
		h.log.Warn("cannot write an index", "mailbox", h.path, "error", err)
	}
}

func (h *held) writeIndex(from int, some []int) (err error) {
	f, err := h.fsys.OpenFile(h.store.sideOf(h.name)+indexSuffix, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head := make([]byte, indexHead)
	n, _ := f.ReadAt(head, 0)
	if x, err := decodeIndex(head[:n]); err != nil || x.serial != h.stored.serial || h.stored.serial == 0 {
		from, some, h.stored = 0, nil, stored{serial: x.serial} // others have written it
	}
	pages := (len(h.entries) + perPage - 1) / perPage
	h.stored.sums = slices.Grow(h.stored.sums[:min(len(h.stored.sums), pages)], pages)[:pages]
	w := indexWriter{f: f, held: h}
	last := -1
	for _, i := range some {
		if page := i / perPage; page != last && i < from {
			w.page(page)
			last = page
		}
	}
	for page := from / perPage; page < pages; page++ {
		if page != last {
			w.page(page)
		}
	}
	return w.finish()
}

// indexWriter writes an index, pages that follow each other at once.
type indexWriter struct {
	*held
	f   disk.File
	buf []byte
	at  int64
	one [indexPage]byte
	err error
}

func (w *indexWriter) page(i int) {
	at := indexPages + int64(i)*indexPage
	if at != w.at+int64(len(w.buf)) || len(w.buf) >= maxIndexRead {
		w.flush()
		w.at = at
	}
	p := encodePage(w.one[:], w.entries[i*perPage:])
	w.stored.sums[i] = binary.LittleEndian.Uint32(p)
	w.buf = append(w.buf, p...)
}

func (w *indexWriter) flush() {
	if len(w.buf) > 0 && w.err == nil {
		_, w.err = w.f.WriteAt(w.buf, w.at)
	}
	w.buf = w.buf[:0]
}

func (w *indexWriter) finish() error {
	w.flush()
	words := []byte(strings.Join(w.base.keywords, "\n"))
	if len(words) > 0 && w.err == nil {
		_, w.err = w.f.WriteAt(words, indexHead)
	}
	if w.err != nil {
		return w.err
	}
	b, k := &w.base, &w.known
	x := indexInfo{
		serial: w.stored.serial + 1, size: k.size, mtime: k.info.ModTime().UnixNano(), inode: disk.Inode(k.info), edits: k.edits, strange: k.strange,
		validity: b.validity, last: b.last, baseStart: b.start, baseEnd: b.end, next: w.next, count: uint64(len(w.entries)),
		keywords: uint32(len(words)), keywordSum: checksum(words),
	}
	if b.pseudo {
		x.pseudo = 1
	}
	if k.partial {
		x.partial = 1
	}
	for _, s := range w.stored.sums {
		x.pageSums += uint64(s)
	}
	w.stored.serial = x.serial
	_, err := w.f.WriteAt(x.encode(), 0)
	return err
}
