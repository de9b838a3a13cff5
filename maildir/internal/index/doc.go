// Package index is what package maildir keeps of a mailbox beside its files, so
// that opening it reads no folder: flags, sizes, dates, mod-sequences, what was
// expunged, and the modification times up to which all of this is right.
//
// An index is one file: a Head of fixed size, and records after it. The first ones
// are a snapshot of all messages, and those of each later change follow; there is
// one writer at a time, which maildir's lock sees to. A change is there once the
// Head, which is overwritten in place, says that the file reaches so far, and so as a
// whole or not at all. No descriptor is kept.
//
// Each record has the checksum of itself and of all before it, and the Head that of
// the last one: what is read is what was written, all of it and in that order, or
// ErrDamaged. Then maildir sets the file aside and makes a new one from the mailbox.
// A crash of the machine may take the end of what was not synced, and leave a Head
// that is ahead: so each change ends in a copy of the Head, and after a crash, which
// Head.Boot tells from damage, Load goes back to the last one that is whole.
//
//	state     on disk                              leaves by              after a crash
//	none      no file, or one that is damaged      Rewrite                as before
//	written   Head and records up to its end       Write, Rewrite         the same, or without the last
//	                                                                      changes that were not durable
//	growing   records beyond the Head's end        the Head               not there: the next Write cuts
//	                                                                      them off
//	durable   the same as written                  the next Write         the same
//	replaced  name.tmp, whole                      rename to name         old or new; an old .tmp is
//	                                                                      removed by the next Rewrite
//
// Numbers are little-endian. A Head is
//
//	"mpindex1", CRC-32C of what follows, and the fields that code lists, 8 octets each
//
// and a record the CRC-32C, the length of its content, and a letter:
//
//	B  the file's own number, first of all
//	X  tombstones
//	P  messages: how many, the fixed parts of all, and then all their names
//	E  what changed of messages whose base is the same
//	G  GUIDs of messages
//	H  a Head, which ends the snapshot and each change
//
// # Cache
//
// What was derived from messages, such as their structure, is in a file of its own,
// Cache, which may lose anything at any time and never gives one message what is
// another's: Entry.Cached says where a message's octets are, and they say whose they
// are.
//
// # Why a format of its own
//
// Measured against bbolt 1.5 (opened for each operation, since it locks its file for
// one process, and in brackets kept open) and SQLite 3 (modernc.org/sqlite 1.61,
// write-ahead log, kept open but for the last line), best of several runs on two
// cores, a mailbox of a million messages:
//
//	                              own       bbolt               SQLite
//	load                          85 ms     287 ms (216 ms)     2,203 ms
//	load of 100,000               11 ms     23 ms (19 ms)       191 ms
//	append one, with the head     12 µs     62 µs (23 µs)       25 µs
//	the same, synced              158 µs    389 µs (253 µs)     327 µs
//	flag 10,000, synced           4 ms      15 ms (17 ms)       33 ms
//	heap after load               127 MB    140 MB              140 MB
//	file                          109 MB    279 MB              212 MB
//	heads of 1,000 mailboxes      11 ms     26 ms               613 ms
//
// An index is read as a whole, changed by one writer at a time and may be thrown away,
// so that trees of pages, their free lists and transactions buy nothing here. What a
// library would save, finding out what a crash has left, is the checksum over all
// records.
package index
