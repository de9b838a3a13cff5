// Package index is what package maildir keeps of a mailbox beside its files, so
// that opening it reads no folder: flags, sizes, dates, mod-sequences, what was
// expunged, and the modification times up to which all of this is right.
//
// An index is one file: a Head of fixed size, and records after it. The first ones
// are a snapshot of all messages, and each later one is a change; there is one
// writer at a time, which maildir's lock sees to. A change is visible once the Head,
// which is overwritten in place, says that the file reaches so far, and so as a
// whole or not at all. Nothing here has to survive: what is torn or damaged is found
// by a checksum, and maildir makes a new index from the mailbox itself.
//
//	state     on disk                              leaves by              after a crash
//	none      no file, or one that is damaged      Rewrite                as before
//	written   Head and records up to its End       Write, Rewrite         the same, or damaged
//	growing   a record beyond End                  the Head               not there
//	replaced  name.tmp, whole                      rename to name         old or new; an old .tmp
//	                                                                      is overwritten
//
// Numbers are little-endian. A Head is
//
//	"mpindex1", CRC-32C of what follows, and the fields of headFields
//
// and a record the length of its content, the CRC-32C of that, and a letter:
//
//	P  messages: how many, the fixed parts of all, and then all their names
//	I  messages of which only flags, mod-sequence, folder and the name's info changed
//	G  GUIDs of messages
//	X  a tombstone
package index
