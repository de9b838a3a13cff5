package mbox

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"io"
	"slices"

	"github.com/mailparts/mailparts/internal/disk"
)

// splice is a change of a file: cut octets at off give place to text.
type splice struct {
	off, cut int64
	text     []byte
}

// inPlace reports whether nothing moves.
func (s splice) inPlace() bool { return s.cut == int64(len(s.text)) }

// plan is splices in ascending order that do not overlap.
type plan []splice

func (p *plan) add(off, cut int64, text []byte) { *p = append(*p, splice{off, cut, text}) }

func (p plan) sort() {
	slices.SortStableFunc(p, func(a, b splice) int { return cmp.Compare(a.off, b.off) })
}

// grows returns by how much the file does.
func (p plan) grows() (n int64) {
	for _, s := range p {
		n += int64(len(s.text)) - s.cut
	}
	return n
}

// mover tells where octets go. It is asked in ascending order.
type mover struct {
	plan
	by int64
}

// to returns where the octet at off goes, which is in no cut. What is inserted
// there comes before it.
func (m *mover) to(off int64) int64 {
	for len(m.plan) > 0 && m.plan[0].off+m.plan[0].cut <= off {
		m.by += int64(len(m.plan[0].text)) - m.plan[0].cut
		m.plan = m.plan[1:]
	}
	return off + m.by
}

// isInPlace reports whether nothing moves.
func (p plan) isInPlace() bool {
	for _, s := range p {
		if !s.inPlace() {
			return false
		}
	}
	return true
}

// A payload of kind changing is parts: where one goes and its size, 8 octets each,
// and then the octets.
const partHead = 16

// encode writes what p makes of a file as parts: one for each splice as long as they
// are in place, and then one for all that comes after the first that is not. It is
// read from the file in pieces.
func (p plan) encode(w io.Writer, f io.ReaderAt, size int64) error {
	head := func(off, n int64) error {
		b := binary.LittleEndian.AppendUint64(nil, uint64(off))
		_, err := w.Write(binary.LittleEndian.AppendUint64(b, uint64(n)))
		return err
	}
	for len(p) > 0 && p[0].inPlace() {
		if err := head(p[0].off, p[0].cut); err != nil {
			return err
		}
		if _, err := w.Write(p[0].text); err != nil {
			return err
		}
		p = p[1:]
	}
	if len(p) == 0 {
		return nil
	}
	at := p[0].off
	if err := head(at, size-at+p.grows()); err != nil {
		return err
	}
	for _, s := range p {
		if err := copyRange(w, f, at, s.off); err != nil {
			return err
		}
		if _, err := w.Write(s.text); err != nil {
			return err
		}
		at = s.off + s.cut
	}
	return copyRange(w, f, at, size)
}

// firstPart is how many octets the first part has of what encode writes.
func (p plan) firstPart(size int64) int64 {
	if p[0].inPlace() {
		return p[0].cut
	}
	return size - p[0].off + p.grows()
}

// lastPart is where the last part of what encode writes begins.
func (p plan) lastPart() (at int64) {
	for i, s := range p {
		if !s.inPlace() || i == len(p)-1 {
			break
		}
		at += partHead + s.cut
	}
	return at
}

// lengthenPart writes the head of a part that gets n octets more.
func lengthenPart(w io.Writer, f io.ReaderAt, at, n int64) error {
	head := make([]byte, partHead)
	if _, err := f.ReadAt(head, at); err != nil {
		return err
	}
	le := binary.LittleEndian
	le.PutUint64(head[8:], le.Uint64(head[8:])+uint64(n))
	_, err := w.Write(head)
	return err
}

// copyRange copies the octets of a file from one place to another, all of them.
func copyRange(w io.Writer, f io.ReaderAt, from, to int64) error {
	n, err := io.Copy(w, io.NewSectionReader(f, from, to-from))
	if err == nil && n < to-from {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// replay writes the parts of a payload to a file.
func replay(f disk.File, payload io.Reader) error {
	r := bufio.NewReaderSize(payload, 64<<10)
	var head [partHead]byte
	buf := make([]byte, 256<<10)
	for {
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		off := int64(binary.LittleEndian.Uint64(head[:]))
		left := int64(binary.LittleEndian.Uint64(head[8:]))
		for left > 0 {
			n, err := io.ReadFull(r, buf[:min(left, int64(len(buf)))])
			if err != nil {
				return err
			}
			if _, err := f.WriteAt(buf[:n], off); err != nil {
				return err
			}
			off, left = off+int64(n), left-int64(n)
		}
	}
}
