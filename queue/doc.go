// Package queue keeps messages on stable storage until each recipient has one or
// its sender a bounce.
//
// A [Queue] is a Deliverer: it takes a message, splits its recipients into one
// [Entry] per destination, and puts them into a [Spool]. [Queue.Run] leases the
// entries that are due and hands each to the Deliverer that its [Router] names.
// What comes of it is saved: a recipient is done, or bounces (RFC 3464), or is
// tried again after a pause, until the entry expires.
//
//	Deliver ─► Spool.Put ─ ─ ─ ─► Spool.Next ─► Routes ─► lmtp.Local, smtp.Relay, …
//	               ▲                                           │
//	               └── bounce ◄── Spool.Save ◄── results ──────┘
//
// Nothing is lost: a crash between a delivery and its Save repeats the delivery,
// and a bounce is queued before what it tells of is finished.
//
// # The file spool
//
// [FileSpool] is a log with group commit: records are appended to a preallocated
// segment, and all that arrive while one fdatasync runs share the next. This is
// every state that a message can be in on disk:
//
//	state     on disk                        leaves by                    after a crash
//	arriving  nothing, or a big/ID that      put + shared fdatasync,      cut the torn tail, its copy
//	          no record names                then 250                     in bad/; unlink the orphan
//	queued    put in log/N.log (content      lease, in memory only        due as recorded
//	          over 256 KB in big/ID, synced
//	          first, the folder too)
//	attempted the latest set record          set or end, shared           the last valid record
//	                                         fdatasync                    rules
//	finished  end for every entry            unlink big/ID                unlink again
//	moved     rewritten at the head          the oldest segment is        the later copy wins
//	                                         unlinked after the sync
//	sealed    .log, cut to size, and .idx    becomes the oldest           rebuild the .idx
//	broken    the range copied to bad/       by hand                      skip to the next record,
//	                                                                      report
//
// A record is one line, and after a put the content and an LF, so that less
// reads a segment:
//
//	MARK CRC {"put":[…],"size":2044,"sum":3735928559}
//	MARK CRC {"set":{"id":…,"to":[…],"due":…,"attempts":1,…}}
//	MARK CRC {"end":"…"}
//
// MARK is a random word that the spool keeps in the file mark: no message can
// hold what looks like a record. CRC is the CRC-32C of the JSON in hexadecimal.
// After big/ID comes a dot and a random part, so that an ID may come again.
//
// A write that fails is taken back, and nothing in it is acknowledged. When an
// fdatasync fails, or a write for another reason than a full disk, the segment is
// not written to again: what a second fdatasync says of it would be worth
// nothing. On a full disk Put is [ErrFull], while a part of the segment that is
// kept for them lets Saves go on, and with them the space come back.
//
// The file lock keeps a second process out.
package queue
