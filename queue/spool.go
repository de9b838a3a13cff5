package queue

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/mailparts/mailparts"
)

// What a Spool says besides "I could not"; it may wrap them. Any other error is
// temporary.
var (
	ErrExists  = errors.New("queue: ID is queued already") // from Put: a repeat of derived mail; count it as done
	ErrFull    = errors.New("queue: no room")              // from Put and Save: the peer gets 452
	ErrLeased  = errors.New("queue: leased to another")    // from Lease and from a Save whose lease has run out
	ErrNoEntry = errors.New("queue: no such entry")        // from Lease and Open: finished, or never there
)

// Entry is one message for one destination: the unit of schedule, lease and
// result. The entries of one Put share its content, which goes when the last of
// them does.
type Entry struct {
	ID       string             // Env.ID and what tells the entries of one message apart; unique; 1 to 255 octets of UTF-8
	Dest     string             // recipients' domain, lower case A-labels: what fairness, limits and ETRN go by
	Env      mailparts.Envelope // To: only those not finished
	Queued   time.Time          // when Put took it: its age counts from here
	Due      time.Time          // not to be tried before
	Held     bool               // not to be tried at all, until somebody releases it
	Attempts int                // how often it was tried in vain
	Last     []string           // per recipient, the last temporary answer, "" before the first
	Warned   bool               // the sender knows of the delay
}

// Query selects entries that are due at Now.
type Query struct {
	Now  time.Time
	Skip func(dest string) bool // destinations with no free slot; nil: none. It must not call the Spool
	Max  int                    // entries to lease at most
}

// Spool keeps messages and their schedule on stable storage. Every method may be
// called by many goroutines at once. A lease is for one process at a time and
// ends with it; nothing that a crash interrupts is lost, and what was attempted
// and not saved is attempted again.
type Spool interface {
	// Put stores msg once for all entries and returns when they are durable. A
	// read error other than io.EOF, which it returns, or a crash leaves all or
	// nothing. Entries whose ID is queued already are left out, and ErrExists
	// says that this left none.
	Put(ctx context.Context, msg io.Reader, entries ...*Entry) error

	// Next leases up to q.Max due entries, earliest first, none of them held or
	// leased. With none due, next is when one will be, zero for never.
	Next(ctx context.Context, q Query) (entries []*Entry, next time.Time, err error)

	// Lease leases one entry whatever its Due and Held: the administrator's way in.
	Lease(ctx context.Context, id string) (*Entry, error)

	// Open reads a leased entry's message. Several may read it at once. Content
	// that is not what was Put ends in an error, never in io.EOF.
	Open(ctx context.Context, e *Entry) (io.ReadSeekCloser, error)

	// Save makes a leased entry's new state durable and ends the lease. Without
	// recipients it is finished and goes. After an error other than ErrLeased
	// the lease goes on.
	Save(ctx context.Context, e *Entry) error

	// All yields every entry, in no order, without leasing it: search, listing,
	// statistics. A leased one is yielded as it was before the lease.
	All(ctx context.Context) iter.Seq2[*Entry, error]
}
