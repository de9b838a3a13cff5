// Package courier reads and writes the files that Courier keeps beside the messages of
// a maildir:
//
//	courierimapuiddb       the UIDVALIDITY and the UIDs of a mailbox
//	courierimapkeywords/   the keywords of its messages: a list, and files of
//	                       messages that changed after it was written
//	courierpop3dsizelist   the POP3 unique-ids of its messages
//	courierimapsubscribed  in a tree: the mailboxes that are subscribed to
//
// A message is known in all of them by its base, the file's name without flags.
// The formats are those of Courier-IMAP 3 to 5; lines that are none are left out
// and counted. It opens no file: what is in them goes in, what it means comes out, and
// the other way round. courierpop3dsizelist is only read.
package courier

import "errors"

// The files' names.
const (
	UIDsFile       = "courierimapuiddb"
	KeywordsFolder = "courierimapkeywords"
	KeywordsList   = ":list" // in KeywordsFolder
	SizesFile      = "courierpop3dsizelist"
	SubscribedFile = "courierimapsubscribed"
)

// ErrNoHeader means that a file does not begin as it should, so that nothing in it
// can be trusted.
var ErrNoHeader = errors.New("no header of Courier's")
