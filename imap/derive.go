package imap

import (
	"bufio"
	"iter"
	"math"
	"sync"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
)

// derived is what a scan of a message has found: from the store's cache, or else from a
// scan now.
type derived struct {
	view  mime.Derived
	ok    bool
	fresh []byte // what the scan made, which the store has not got yet
}

func (d *derived) reset() { *d = derived{} }

// have reports whether the store has told what is derived of a message.
func (d *derived) have(m *mailparts.Message) bool {
	d.view, d.ok = mime.View(m.Derived)
	return d.ok
}

var scanBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 32<<10) }}

// derive sees to it that f.derived is of f.m.
func (f *fetching) derive() error {
	err := f.derived.read(&f.body)
	f.cache.add(f.session, f.m.UID, &f.derived)
	return err
}

// read makes d what is derived of a message.
func (d *derived) read(b *body) (err error) {
	if d.have(b.m) {
		return nil
	}
	if d.fresh, err = b.s.scan(b); err == nil {
		d.view, d.ok = mime.View(d.fresh)
	}
	return err
}

// scan reads a message, and returns what is to be kept of it.
func (s *session) scan(b *body) ([]byte, error) {
	r, err := b.section(mime.Range{Size: math.MaxInt64}) // to its end, whatever its size
	if err != nil {
		return nil, err
	}
	buf := scanBuffers.Get().(*bufio.Reader)
	defer scanBuffers.Put(buf)
	buf.Reset(r)
	part, err := mime.Scan(buf)
	buf.Reset(nil)
	if err != nil {
		return nil, err
	}
	return mime.Encode(part), nil
}

// cacheBatch gathers what was derived, for the store to keep.
type cacheBatch struct {
	uids   []mailparts.UID
	octets [][]byte
	size   int
}

// Bounds of a batch.
const (
	maxBatch       = 2000
	maxBatchOctets = 2 << 20
)

// add takes what is fresh.
func (c *cacheBatch) add(s *session, uid mailparts.UID, d *derived) {
	if d.fresh == nil {
		return
	}
	c.uids, c.octets = append(c.uids, uid), append(c.octets, d.fresh)
	if c.size += len(d.fresh); len(c.uids) >= maxBatch || c.size >= maxBatchOctets {
		c.flush(s)
	}
}

// flush gives the store what there is. It is a cache: that it cannot be kept is no one's
// concern but the log's.
func (c *cacheBatch) flush(s *session) {
	if len(c.uids) == 0 {
		return
	}
	if err := mailparts.Cache(s.ctx, s.box.mb, c.all()); err != nil {
		s.log.Warn("cannot keep what was derived of messages", "user", s.user, "mailbox", s.box.name, "err", err)
	}
	*c = cacheBatch{uids: c.uids[:0], octets: c.octets[:0]}
}

func (c *cacheBatch) all() iter.Seq2[mailparts.UID, []byte] {
	return func(yield func(mailparts.UID, []byte) bool) {
		for i, uid := range c.uids {
			if !yield(uid, c.octets[i]) {
				return
			}
		}
	}
}
