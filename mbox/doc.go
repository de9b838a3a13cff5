// Package mbox reads and writes mail in files of the mbox formats, as procmail,
// mutt, alpine, Dovecot and any mail program of Unix know them.
//
// # Formats
//
// Messages follow each other in a file. Each begins with a From_ line, "From
// user@example.com Mon Jan  1 00:00:00 2024", and a blank line follows it. There are
// four ways to keep a line of a message that begins with "From " apart from that
// (RFC 4155 describes none):
//
//	mboxo    "From " becomes ">From ". Nobody can tell that from a ">From " that was
//	         there before, so readers leave both.
//	mboxrd   each line of ">"s and "From " gets another ">", and loses it on reading.
//	mboxcl   as mboxrd, and a Content-Length field tells the size of the body.
//	mboxcl2  nothing is quoted: only the Content-Length tells where a message ends.
package mbox
