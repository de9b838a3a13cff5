package crlf_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/mailparts/mailparts/internal/crlf"
)

// wantAt compares a part with the same of the whole.
func wantAt(t *testing.T, m *crlf.Map, disk, wire string, off int64, length int) {
	t.Helper()
	p := make([]byte, length)
	n, err := m.ReadAt(strings.NewReader(disk), p, off)
	want := wire[min(off, int64(len(wire))):]
	want = want[:min(length, len(want))]
	if string(p[:n]) != want || (err == io.EOF) != (len(want) < length) || err != nil && err != io.EOF {
		t.Errorf("of %.40q, %d octets at %d are %.40q, %v, want %.40q", disk, length, off, p[:n], err, want)
	}
}

// Every part of messages with all kinds of line ends.
func TestMap(t *testing.T) {
	for _, disk := range []string{"", "a", "\n", "\r", "\r\n", "\n\n\n", "a\nb\r\nc\r\r\n\r", "\r\n\r\n\n\n\r\r\n", "abc\ndef\nghi\n", "\n\r\n\r"} {
		wire := slowCRLF(disk)
		for step := int64(1); step < 5; step++ {
			m := crlf.NewSmallMap(step)
			for off := int64(len(wire)) + 2; off >= 0; off-- {
				for length := 1; length <= len(wire)+1; length++ {
					wantAt(t, m, disk, wire, off, length)
					wantAt(t, crlf.NewSmallMap(step), disk, wire, off, length)
				}
			}
		}
	}
}

// What was read once is not read again, and a very large file has a small map.
func TestMapReadsOnce(t *testing.T) {
	disk := strings.Repeat(strings.Repeat("x", 70)+"\n", 100_000)
	wire := slowCRLF(disk)
	file := &countingReaderAt{r: strings.NewReader(disk)}
	m := crlf.NewMap(int64(len(disk)))
	for range 200 {
		off := rand.Int64N(int64(len(wire)))
		p := make([]byte, 100)
		n, err := m.ReadAt(file, p, off)
		if want := wire[off:min(off+100, int64(len(wire)))]; string(p[:n]) != want || err != nil && err != io.EOF {
			t.Fatalf("at %d: %q, %v, want %q", off, p[:n], err, want)
		}
	}
	if most := int64(len(disk)) + 200*64<<10; file.n > most {
		t.Errorf("%d octets were read of %d, want at most %d", file.n, len(disk), most)
	}
	if m = crlf.NewMap(1 << 40); m.Steps() != 1 {
		t.Errorf("a new map has %d steps", m.Steps())
	}
	zeros := zeroReaderAt(64 << 20)
	m = crlf.NewMap(int64(zeros))
	if _, err := m.ReadAt(zeros, make([]byte, 1), int64(zeros)-1); err != nil || m.Steps() > 4097 {
		t.Errorf("%v, and %d steps", err, m.Steps())
	}
}

// zeroReaderAt is a file of as many zeros.
type zeroReaderAt int64

func (z zeroReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if left := int64(z) - off; left < int64(len(p)) {
		return int(max(left, 0)), io.EOF
	}
	return len(p), nil
}

type countingReaderAt struct {
	r  io.ReaderAt
	mu sync.Mutex
	n  int64
}

func (c *countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(n)
	return n, err
}

func TestMapConcurrent(t *testing.T) {
	disk := strings.Repeat("a\nbc\r\n", 5000)
	wire := slowCRLF(disk)
	m := crlf.NewSmallMap(100)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				wantAt(t, m, disk, wire, rand.Int64N(int64(len(wire))), 1+rand.IntN(500))
			}
		})
	}
	wg.Wait()
}

// An error of the file is one of the part, and nothing wrong is remembered.
func TestMapErrors(t *testing.T) {
	disk := strings.Repeat("a\nb\n", 50)
	wire := slowCRLF(disk)
	broken := errors.New("broken")
	m := crlf.NewSmallMap(8)
	for fail := int64(0); fail < int64(len(disk)); fail++ {
		p := make([]byte, 10)
		n, err := m.ReadAt(&failingReaderAt{strings.NewReader(disk), fail, broken}, p, int64(len(wire))-20)
		if err == nil {
			break
		}
		if err != broken || !strings.HasPrefix(wire[len(wire)-20:], string(p[:n])) {
			t.Errorf("broken at %d: %q, %v", fail, p[:n], err)
		}
		wantAt(t, m, disk, wire, fail, 30)
	}
	if _, err := m.ReadAt(strings.NewReader(disk), make([]byte, 1), -1); err == nil {
		t.Error("no error at a negative offset")
	}
}

// failingReaderAt fails beyond an offset.
type failingReaderAt struct {
	r    io.ReaderAt
	from int64
	err  error
}

func (f *failingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if left := f.from - off; left < int64(len(p)) {
		n, _ := f.r.ReadAt(p[:max(left, 0)], off)
		return n, f.err
	}
	return f.r.ReadAt(p, off)
}

func TestBareLF(t *testing.T) {
	for p, want := range map[string][2]bool{ // after another octet, and after CR
		"": {}, "a\r\n": {}, "\n": {true, false}, "\na\n": {true, true}, "\r\n\n": {true, true}, "\r": {}, "a": {},
	} {
		if got := [2]bool{crlf.HasBareLF([]byte(p), 'x'), crlf.HasBareLF([]byte(p), '\r')}; got != want {
			t.Errorf("%q: %v, want %v", p, got, want)
		}
	}
}

// FuzzMap: any part, read in any order, is that of the whole.
func FuzzMap(f *testing.F) {
	f.Add("a\nb\r\nc\r\r\nd\r", uint16(3), uint16(5), uint16(4), uint8(2))
	f.Add(strings.Repeat("line\n", 300), uint16(1500), uint16(2), uint16(400), uint8(16))
	f.Fuzz(func(t *testing.T, disk string, a, b, length uint16, step uint8) {
		wire := slowCRLF(disk)
		m := crlf.NewSmallMap(max(1, int64(step)))
		for _, off := range []uint16{a, b, a} {
			wantAt(t, m, disk, wire, int64(off), int(length)+1)
		}
	})
}

// What is written as it is on the wire is read as it was written.
func FuzzKeepCRLF(f *testing.F) {
	f.Add("a\r\nb\nc\r\r\nd\r", 1)
	f.Add("\n\r\n\n", 2)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(1, min(n, 1<<16))
		var disk bytes.Buffer
		w := crlf.Writer{KeepCRLF: true}
		w.Reset(&disk)
		for p := []byte(in); len(p) > 0; p = p[min(n, len(p)):] {
			w.Write(p[:min(n, len(p))])
		}
		w.Finish()
		want := slowCRLF(in)
		if disk.String() != want || w.Disk() != int64(len(want)) || w.Wire() != w.Disk() || crlf.HasBareLF(disk.Bytes(), 0) {
			t.Errorf("%q in writes of %d is %q on disk, said to be %d and %d on the wire, want %q", in, n, disk.String(), w.Disk(), w.Wire(), want)
		}
		if wire, err := io.ReadAll(fromDisk(&disk)); string(wire) != want || err != nil {
			t.Errorf("%q on disk is read as %q, %v", want, wire, err)
		}
	})
}
