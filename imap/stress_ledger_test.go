package imap_test

import "sync"

// place is where a message is.
type place struct {
	box string
	uid uint32
}

// ledger is what all clients together know: a simple model of the mailboxes.
type ledger struct {
	mu      sync.Mutex
	bodies  map[place]string
	parents map[place]place // of those that were born; of what was appended: nowhere
	doomed  map[place]bool  // that somebody moved away or marked as deleted
	dead    map[place]bool  // that somebody was told are gone
	changes map[change]string
}

// change is a mod-sequence of a message.
type change struct {
	place
	at uint64
}

func newLedger() *ledger {
	return &ledger{bodies: map[place]string{}, parents: map[place]place{}, doomed: map[place]bool{}, dead: map[place]bool{}, changes: map[change]string{}}
}

// bear records a message that was appended with a body, or copied from elsewhere.
func (g *ledger) bear(w *witness, box string, uid uint32, from place, body string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := place{box, uid}
	if _, ok := g.parents[p]; ok {
		w.fail("UID %d in %s was given out twice", uid, box)
	}
	g.parents[p] = from
	if from.box != "" {
		body = g.bodies[from]
	}
	g.same(w, p, body)
}

// body records what a message is.
func (g *ledger) body(w *witness, uid uint32, body string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.same(w, place{w.box, uid}, body)
}

func (g *ledger) same(w *witness, p place, body string) {
	switch was := g.bodies[p]; {
	case body == "":
	case was == "":
		g.bodies[p] = body
	case was != body:
		w.fail("UID %d in %s was %q and is %q", p.uid, p.box, was, body)
	}
}

// doom records that a message may be gone from now on.
func (g *ledger) doom(box string, uid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.doomed[place{box, uid}] = true
}

// die records that a client was told that a message is gone.
func (g *ledger) die(box string, uid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if uid != 0 {
		g.dead[place{box, uid}] = true
	}
}

// change records the flags at a mod-sequence.
func (g *ledger) change(w *witness, uid uint32, at uint64, flags string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := change{place{w.box, uid}, at}
	if was, ok := g.changes[c]; ok && was != flags {
		w.fail("UID %d at MODSEQ %d has %q, and had %q", uid, at, flags, was)
	}
	g.changes[c] = flags
}

// mayBeGone reports whether somebody could have removed a message: copies keep \Deleted.
func (g *ledger) mayBeGone(p place) bool {
	for ; p.box != ""; p = g.parents[p] {
		if g.doomed[p] {
			return true
		}
	}
	return false
}

// agree compares with what is in a mailbox in the end.
func (g *ledger) agree(j *judge, box string, there map[uint32]string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range g.parents {
		if _, ok := there[p.uid]; p.box == box && !ok && !g.mayBeGone(p) {
			j.Fatalf("UID %d in %s is lost", p.uid, box)
		}
	}
	for uid := range there {
		p := place{box, uid}
		if _, ok := g.parents[p]; !ok {
			j.Fatalf("UID %d in %s came from nowhere", uid, box)
		}
		if g.dead[p] {
			j.Fatalf("UID %d in %s is there, and somebody was told that it is gone", uid, box)
		}
	}
}
