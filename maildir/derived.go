package maildir

import (
	"context"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/index"
)

// derived reads what Cache has kept, for one listing.
type derived struct {
	file       *index.Reader // nil: not looked for yet
	generation uint64        // of file
	renewed    bool          // the index was asked for more
	missed     int           // messages whose octets are not where the index says
}

// turn fills the page with those of uids that come after a UID. What other processes
// have cached changes nothing that refresh looks at, so that what is not known to be
// cached has the index read on, once.
func (p *page) turn(ctx context.Context, uids mailparts.UIDSet, after uint32) error {
	err := p.fill(ctx, p, uids, after)
	if err != nil || p.want&mailparts.WantDerived == 0 || p.seek() || p.derived.renewed {
		return err
	}
	p.derived.renewed = true
	p.readOn(ctx)
	err = p.fill(ctx, p, uids, after)
	p.seek()
	return err
}

// seek opens the cache that the page refers to, and reports whether all messages of
// the page are in it.
func (p *page) seek() (all bool) {
	if d := &p.derived; d.file == nil || d.generation != p.cached {
		p.closeDerived()
		d.file, d.generation = p.cache(p.path()).Reader(p.cached), p.cached
	}
	for i := range p.n {
		if p.entries[i].Cached == 0 {
			return false
		}
	}
	return p.n == 0 || p.derived.file.Open()
}

// of returns a message's octets, or nil.
func (d *derived) of(e *entry) []byte {
	if e.Cached == 0 {
		return nil
	}
	octets, ok := d.file.Get(e.Cached, e.UID, index.TagOf(keyOf(e)))
	if !ok {
		d.missed++
	}
	return octets
}

// closeDerived closes the cache's file, and tells of what was not in it.
func (p *page) closeDerived() {
	d := &p.derived
	if d.file == nil {
		return
	}
	d.file.Close()
	p.mu.Lock()
	current := p.ix.Cache == d.generation // or else another has the file's place, as it may
	p.mu.Unlock()
	if d.missed > 0 && current {
		p.log.Warn("what was derived from messages is damaged or gone, and will be derived anew", "mailbox", p.path(), "messages", d.missed)
	}
	d.missed = 0
}

// readOn brings the index up to what other processes have written.
func (b *box) readOn(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cachePatience)
	defer cancel()
	unlock, err := b.lock(ctx)
	if err != nil {
		return
	}
	defer unlock()
	b.catchUp(ctx, needEntries) // if it cannot, who lists finds out
}
