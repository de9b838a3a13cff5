package greylist

import (
	"context"
	"time"
)

// Store keeps Records. It may be shared by processes and machines, and may forget
// what it likes: that costs a stranger another delay. Its methods are called at
// once from many goroutines. Keys are ASCII, without control characters, and have
// 64 octets at the most.
//
// Update replaces the Record of key by what change makes of it, in one step beside
// all other Updates of key. The zero Record stands for none, in and out. change
// may be called more than once, but only one result of it counts; one that is
// equal to what it got need not be written. From its Ends on a Record counts for
// nothing and may be dropped. If Update fails or takes longer than ctx, the mail
// passes.
//
// In SQL that is INSERT ON CONFLICT DO NOTHING, SELECT FOR UPDATE and UPDATE in
// one transaction; with Redis it is WATCH, GET, MULTI, SET with PXAT, and EXEC,
// again while EXEC finds that key has changed.
type Store interface {
	Update(ctx context.Context, key string, change func(Record) Record) error
}

// Record is what is known of a network, or of a network, sender and recipient.
type Record struct {
	First  time.Time // the first attempt
	Passes int       // how many messages have passed
	Ends   time.Time // when it is to be forgotten
}
