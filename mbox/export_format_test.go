package mbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/mailparts/mailparts/internal/disk"
)

// Span is where the scanner found a message.
type Span struct {
	Start, Header, Body, End, Next int64
	Sender                         string
	Date                           time.Time
	Fields                         map[string]Field
	Again                          bool
}

// Field is a field that the scanner found.
type Field struct {
	Start, End int64
	Value      string
}

// Scan scans from off, with so much room to read at once.
func Scan(r io.ReaderAt, off int64, lengths bool, room int) (spans []Span, err error) {
	var s scanner
	s.scan(r, off)
	s.lengths, s.room = lengths, room
	for {
		var m span
		if err := s.next(&m); err == io.EOF {
			return spans, nil
		} else if err != nil {
			return spans, err
		}
		spans = append(spans, exported(&m))
	}
}

// Scanner is a scanner that scans one file after the other.
type Scanner = scanner

// ScanAll scans all of a file and returns how many messages there are.
func (s *scanner) ScanAll(r io.ReaderAt, lengths bool) (n int, err error) {
	s.scan(r, 0)
	s.lengths = lengths
	var m span
	for {
		if err := s.next(&m); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		n++
	}
}

func exported(m *span) Span {
	e := Span{m.start, m.header, m.body, m.end, m.next, string(m.sender), m.date.in(time.UTC), nil, m.again}
	for i, f := range m.fields {
		if f.has() {
			if e.Fields == nil {
				e.Fields = map[string]Field{}
			}
			e.Fields[fieldNames[i]] = Field{f.start, f.end, string(f.value)}
		}
	}
	return e
}

// ParseFrom parses a From_ line.
func ParseFrom(line string) (sender string, date time.Time, ok bool) {
	who, when, ok := cutFrom([]byte(line))
	return string(who), when.in(time.UTC), ok
}

// StoreText returns a message as the store has it on disk: with a From_ line, the
// fields of the mbox's own, and the blank line after it. It counts what it adds.
func StoreText(msg io.Reader, own string) (text, added string, wire int64, err error) {
	var b strings.Builder
	var t textWriter
	if err := t.copy(context.Background(), &b, msg); err != nil {
		return "", "", 0, err
	}
	if t.size != int64(b.Len()) {
		panic("textWriter counts wrong")
	}
	added = string(t.added.append(nil))
	head := fmt.Sprintf("From a@example.com Mon Jan  1 00:00:00 2024\n%sContent-Length: %d\n", own, t.body)
	if added != "" {
		head += "X-Mbox-Added: " + added + "\n"
	}
	return head + b.String() + "\n", added, t.wire, nil
}

// StoreBody reads a message as the store does.
func StoreBody(r io.ReaderAt, at Span) io.Reader {
	m := &span{header: at.Header, end: at.End}
	m.fields[fieldXMboxAdded].value = []byte(at.Fields["X-Mbox-Added"].Value)
	t := new(textReader)
	t.reset(r, m)
	return t
}

// A FileLock is a locked file.
type FileLock = lock

// Check, Unlock and File are of a FileLock.
func (k *lock) Check() error  { return k.check() }
func (k *lock) Unlock() error { return k.unlock() }

// OpenLocked opens and locks a file.
func OpenLocked(ctx context.Context, fsys disk.FS, l Locks, name string, flag int) (*FileLock, error) {
	lk, err := newLocker(l, fsys, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return lk.open(ctx, name, flag, os.FileMode(0o600))
}
