package crlf

import (
	"bytes"
	"errors"
	"io"
	"sort"
	"sync"
)

// Map finds the octets of a message's wire form in its file, so that a part can be
// read without what is before it. It is made as the file is read: how many octets on
// the wire the first step octets on disk are, the first two steps, and so on. It is
// for one content, for concurrent use, and has 32 KB at the most.
type Map struct {
	step int64

	mu   sync.Mutex
	wire []int64 // wire[i] is how many octets on the wire the first i*step on disk are
}

const (
	minStep = 16 << 10
	maxMap  = 4 << 10 // steps
)

// NewMap returns the Map of a file of a size on disk, of which nothing is known yet.
func NewMap(size int64) *Map { return newMap(max(minStep, size/maxMap+1)) }

func newMap(step int64) *Map { return &Map{step: step, wire: []int64{0}} }

var mapBuffers = sync.Pool{New: func() any { return new([minStep]byte) }}

var errNegative = errors.New("negative offset")

// ReadAt is that of an io.ReaderAt that has the wire form of file, which a Reader
// would make of it. It reads what it has not seen yet of the file up to off.
func (m *Map) ReadAt(file io.ReaderAt, p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errNegative
	}
	pooled := mapBuffers.Get().(*[minStep]byte)
	defer mapBuffers.Put(pooled)
	buf := pooled[:min(m.step, minStep)]
	disk, wire, err := m.find(file, off, buf)
	if err != nil {
		return 0, err
	}
	w := window{skip: off - wire, p: p}
	if w.cr, err = isCR(file, disk-1); err != nil {
		return 0, err
	}
	for w.n < len(p) {
		n, err := file.ReadAt(buf, disk)
		w.take(buf[:n])
		disk += int64(n)
		if w.n < len(p) && err != nil {
			return w.n, err
		}
	}
	return w.n, nil
}

// find returns the last step that begins at or before an offset on the wire, where it
// does so on disk and on the wire.
func (m *Map) find(file io.ReaderAt, off int64, buf []byte) (disk, wire int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// A step on disk is no less on the wire, so one that off may be in need not be read.
	for m.wire[len(m.wire)-1]+m.step <= off {
		if more, err := m.extend(file, buf); err != nil {
			return 0, 0, err
		} else if !more {
			break
		}
	}
	i := sort.Search(len(m.wire), func(i int) bool { return m.wire[i] > off }) - 1
	return int64(i) * m.step, m.wire[i], nil
}

// extend reads another step, or reports false if the file ends in it.
func (m *Map) extend(file io.ReaderAt, buf []byte) (more bool, err error) {
	last := len(m.wire) - 1
	at, end, size := int64(last)*m.step, int64(last+1)*m.step, m.wire[last]
	cr, err := isCR(file, at-1)
	for at < end && err == nil {
		var n int
		n, err = file.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		at += int64(n)
		size += lenOf(buf[:n], &cr)
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
	}
	if at < end {
		if err == io.EOF {
			err = nil
		}
		return false, err
	}
	m.wire = append(m.wire, size)
	return true, nil
}

func isCR(file io.ReaderAt, at int64) (bool, error) {
	if at < 0 {
		return false, nil
	}
	var c [1]byte
	n, err := file.ReadAt(c[:], at)
	if n == 1 {
		err = nil
	}
	return c[0] == '\r', err
}

// window is a part of the wire form on its way into p.
type window struct {
	skip int64 // octets before it
	p    []byte
	n    int  // of p
	cr   bool // the octet before was CR
}

// take goes on with what comes next on disk.
func (w *window) take(b []byte) {
	for len(b) > 0 && w.n < len(w.p) {
		line := b
		if i := bytes.IndexByte(b, '\n'); i == 0 {
			if !w.cr {
				w.put([]byte{'\r'})
			}
			line = b[:1]
		} else if i > 0 {
			line = b[:i]
		}
		w.put(line)
		w.cr = line[len(line)-1] == '\r'
		b = b[len(line):]
	}
}

func (w *window) put(b []byte) {
	if skip := min(w.skip, int64(len(b))); skip > 0 {
		w.skip -= skip
		b = b[skip:]
	}
	w.n += copy(w.p[w.n:], b)
}

// HasBareLF reports whether there is an LF in p that is not after a CR. Before is the
// octet before p.
func HasBareLF(p []byte, before byte) bool {
	cr := before == '\r'
	return lenOf(p, &cr) > int64(len(p))
}

// lenOf returns how many octets p is on the wire. The octet before it was CR if cr,
// which is that of the last one then.
func lenOf(p []byte, cr *bool) int64 {
	size := int64(len(p))
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			*cr = p[len(p)-1] == '\r'
			break
		}
		if i > 0 {
			*cr = p[i-1] == '\r'
		}
		if !*cr {
			size++
		}
		*cr = false
		p = p[i+1:]
	}
	return size
}
