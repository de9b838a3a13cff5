package queue

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// An index says in one line each what memory holds of a segment's records, so
// that a start reads no message:
//
//	queue 1 END                     the octets of the log that it covers
//	p OFF LINE SIZE SUM N BIG       a put, and its N entries:
//	e DUE HELD DEST ID
//	s OFF LINE DUE HELD DEST ID     a set
//	x ID                            an end
//	sum CRC                         of all before, CRC-32C in hexadecimal
//
// Numbers are decimal, DUE is in microseconds of Unix time, strings are quoted
// as in Go.

var errIndex = errors.New("queue: broken index")

type indexWriter struct{ b []byte }

func (w *indexWriter) add(f *found) {
	switch {
	case f.Put != nil:
		w.line("p", f.at, int64(f.line), f.Size, int64(f.Sum), int64(len(f.Put)))
		w.text(f.Big)
		for i := range f.Put {
			w.line("\ne")
			w.entry(&f.Put[i])
		}
	case f.Set != nil:
		w.line("s", f.at, int64(f.line))
		w.entry(f.Set)
	default:
		w.line("x")
		w.text(f.End)
	}
	w.b = append(w.b, '\n')
}

func (w *indexWriter) line(kind string, numbers ...int64) {
	w.b = append(w.b, kind...)
	w.numbers(numbers...)
}

func (w *indexWriter) numbers(numbers ...int64) {
	for _, n := range numbers {
		w.b = strconv.AppendInt(append(w.b, ' '), n, 10)
	}
}

func (w *indexWriter) text(s string) { w.b = strconv.AppendQuote(append(w.b, ' '), s) }

func (w *indexWriter) entry(e *entry) {
	held := int64(0)
	if e.Held {
		held = 1
	}
	w.numbers(e.Due.UnixMicro(), held)
	w.text(e.Dest)
	w.text(e.ID)
}

// bytes is the index of end octets of log.
func (w *indexWriter) bytes(end int64) []byte {
	b := append(fmt.Appendf(nil, "queue 1 %d\n", end), w.b...)
	return fmt.Appendf(b, "sum %08x\n", crc32.Checksum(b, castagnoli))
}

// readIndex yields a segment's records as its index tells them, each valid until
// the next, and returns the octets that they cover. If the index is broken or
// covers more than size it yields nothing.
func readIndex(fsys disk.FS, name string, size int64, yield func(*found)) (end int64, err error) {
	b, err := disk.ReadFile(fsys, name)
	if err != nil {
		return 0, err
	}
	const tail = len("sum 00000000\n")
	if len(b) < tail {
		return 0, errIndex
	}
	text, sum := b[:len(b)-tail], b[len(b)-tail:]
	if !bytes.Equal(sum, fmt.Appendf(nil, "sum %08x\n", crc32.Checksum(text, castagnoli))) {
		return 0, errIndex
	}
	r := indexReader{rest: string(text)}
	if !r.next() || r.word() != "queue" || r.number() != 1 {
		return 0, errIndex
	}
	if end = r.number(); r.bad || end > size {
		return 0, errIndex
	}
	for r.next() {
		f := r.found()
		if r.bad {
			return 0, errIndex
		}
		yield(f)
	}
	return end, nil
}

// indexReader takes an index apart.
type indexReader struct {
	rest string // lines to come
	line string // what is left of this one
	bad  bool   // it is no index
	put  []entry
}

func (r *indexReader) next() (ok bool) {
	r.line, r.rest, ok = strings.Cut(r.rest, "\n")
	return ok
}

// found reads what stands for one record.
func (r *indexReader) found() *found {
	f := &found{record: new(record)}
	switch kind := r.word(); kind {
	case "p":
		f.at, f.line, f.Size, f.Sum = r.number(), int32(r.number()), r.number(), uint32(r.number())
		n := r.number()
		f.Big = r.text()
		r.put = r.put[:0]
		for ; n > 0 && !r.bad && r.next(); n-- {
			r.bad = r.bad || r.word() != "e"
			r.put = append(r.put, r.entry())
		}
		r.bad = r.bad || n != 0
		f.Put = r.put
	case "s":
		f.at, f.line = r.number(), int32(r.number())
		e := r.entry()
		f.Set = &e
	case "x":
		f.End = r.text()
	default:
		r.bad = true
	}
	r.bad = r.bad || f.at < 0 || f.line < 0 || f.line > maxLine || !f.valid()
	return f
}

func (r *indexReader) word() (w string) {
	w, r.line, _ = strings.Cut(r.line, " ")
	return w
}

func (r *indexReader) number() int64 {
	n, err := strconv.ParseInt(r.word(), 10, 64)
	r.bad = r.bad || err != nil
	return n
}

func (r *indexReader) text() string {
	q, err := strconv.QuotedPrefix(r.line)
	s, err2 := strconv.Unquote(q)
	r.bad = r.bad || err != nil || err2 != nil
	r.line = strings.TrimPrefix(r.line[len(q):], " ")
	return s
}

func (r *indexReader) entry() (e entry) {
	e.Due = time.UnixMicro(r.number())
	e.Held = r.number() != 0
	e.Dest = r.text()
	e.ID = r.text()
	return e
}
