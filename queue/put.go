package queue

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"
)

// maxInline is how much content stands in the log. More has a file in big/.
const maxInline = 256 << 10

// Put implements Spool.
func (s *FileSpool) Put(ctx context.Context, msg io.Reader, entries ...*Entry) error {
	if err := checkIDs(entries); err != nil {
		return err
	}
	entries, err := s.arrive(ctx, entries)
	if err != nil {
		return err
	}
	defer s.arrived(entries)
	c, err := s.receive(entries[0].ID, msg)
	if err != nil {
		return err
	}
	defer c.free()
	if err := ctx.Err(); err != nil {
		s.discard(c)
		return err
	}
	rec := &record{Put: make([]entry, len(entries)), Size: c.size, Sum: c.sum, Big: c.big}
	for i, e := range entries {
		rec.Put[i] = newEntry(e)
	}
	err = s.put(rec, c)
	if err != nil {
		s.discard(c)
	}
	s.tidy(false)
	return err
}

func (s *FileSpool) put(rec *record, c *content) error {
	line, err := appendLine(nil, s.mark, rec)
	if err != nil {
		return err
	}
	return s.commit(&write{
		record: rec, line: line, content: c.inline(), put: true,
		apply: func(at place) { s.insert(rec, at) },
	})
}

// insert takes a put record into memory. The later of two records of one
// message wins.
func (s *FileSpool) insert(rec *record, at place) {
	m := &message{at: at, size: rec.Size, sum: rec.Sum, big: strings.Clone(rec.Big)}
	for i := range rec.Put {
		e := &rec.Put[i]
		it := s.items[e.ID]
		if it == nil {
			it = &item{id: strings.Clone(e.ID), slot: notDue}
			s.items[it.id] = it
		} else {
			s.release(it.msg)
		}
		it.msg = m
		m.items++
		s.update(it, e.Dest, e.Due.UnixMicro(), e.Held, at)
	}
	s.account(m, +1)
}

// update gives it the state that stands at at.
func (s *FileSpool) update(it *item, dest string, due int64, held bool, at place) {
	s.schedule.join(it, dest)
	it.due, it.held, it.aside, it.state = due, held, false, at
	s.schedule.add(it)
}

// release takes one item from m and reports whether that was the last.
func (s *FileSpool) release(m *message) bool {
	if m.items--; m.items > 0 {
		return false
	}
	s.account(m, -1)
	return true
}

func (s *FileSpool) account(m *message, sign int64) {
	n := sign * m.octets()
	m.at.seg.live += n
	s.live += n
}

func checkIDs(entries []*Entry) error {
	if len(entries) == 0 {
		return errors.New("queue: no entries to put")
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		if e.ID == "" || len(e.ID) > 255 || !utf8.ValidString(e.ID) || seen[e.ID] {
			return fmt.Errorf("queue: %q cannot be the ID of an entry", e.ID)
		}
		seen[e.ID] = true
	}
	return nil
}

// arrive reserves the IDs of those entries that are not queued, which it
// returns. It waits for the end of another Put of one of them: only then is it
// known whether this is a repeat.
func (s *FileSpool) arrive(ctx context.Context, entries []*Entry) ([]*Entry, error) {
	for {
		news, other, err := s.tryArrive(entries)
		if other == nil {
			return news, err
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *FileSpool) tryArrive(entries []*Entry) (news []*Entry, other chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, errClosed
	}
	for _, e := range entries {
		if other := s.arriving[e.ID]; other != nil {
			return nil, other, nil
		}
		if s.items[e.ID] == nil {
			news = append(news, e)
		}
	}
	if len(news) == 0 {
		return nil, nil, ErrExists
	}
	done := make(chan struct{})
	for _, e := range news {
		s.arriving[e.ID] = done
	}
	return news, nil, nil
}

func (s *FileSpool) arrived(entries []*Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.arriving[entries[0].ID])
	for _, e := range entries {
		delete(s.arriving, e.ID)
	}
}

// content is a message that arrives: in buf, or synced in the file big.
type content struct {
	buf  *bytes.Buffer
	size int64
	sum  uint32
	big  string
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// receive reads msg to io.EOF.
func (s *FileSpool) receive(id string, msg io.Reader) (*content, error) {
	c := &content{buf: buffers.Get().(*bytes.Buffer)}
	n, err := c.buf.ReadFrom(io.LimitReader(msg, s.inline+1))
	if err != nil {
		c.free()
		return nil, err
	}
	if n <= s.inline {
		c.size, c.sum = n, crc32.Checksum(c.buf.Bytes(), castagnoli)
		return c, nil
	}
	defer c.free()
	big := &content{big: token(id) + "." + rand.Text()[:8]} // never that of a finished namesake
	if err := s.receiveBig(big, io.MultiReader(c.buf, msg)); err != nil {
		return nil, err
	}
	return big, nil
}

// receiveBig writes msg to c.big and syncs it and its name.
func (s *FileSpool) receiveBig(c *content, msg io.Reader) error {
	name := s.bigFile(c.big)
	f, err := s.fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return full(err)
	}
	h := crc32.New(castagnoli)
	c.size, err = io.Copy(io.MultiWriter(f, h), msg)
	c.sum = h.Sum32()
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = s.fsys.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		s.discard(c)
	}
	return full(err)
}

// token is id, or a hash of it if it is more than letters, digits and "-_.": what
// may be a file name and stand in a Message-ID.
func token(id string) string {
	if len(id) <= 200 && id[0] != '.' && strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "=" + hex.EncodeToString(sum[:])
}

func (c *content) inline() []byte {
	if c.big != "" {
		return nil
	}
	if c.size == 0 {
		return []byte{}
	}
	return c.buf.Bytes()
}

func (c *content) free() {
	if c.buf != nil && c.buf.Cap() <= 2*maxInline {
		c.buf.Reset()
		buffers.Put(c.buf)
	}
	c.buf = nil
}

// discard unlinks what was not put. Should it fail, the next start does it.
func (s *FileSpool) discard(c *content) {
	if c.big != "" {
		s.fsys.Remove(s.bigFile(c.big))
	}
}
