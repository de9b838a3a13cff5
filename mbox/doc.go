// Package mbox reads and writes mail in files of the mbox formats, as procmail,
// mutt, alpine, Dovecot and any mail program of Unix know them.
//
// # Formats
//
// Messages follow each other in a file. Each begins with a From_ line, "From
// user@example.com Mon Jan  1 00:00:00 2024 +0000", and ends with a blank line. So a
// line in it that begins with "From " needs care, of which there are four kinds:
//
//	mboxo    "From " becomes ">From ". Nobody can tell that from a ">From " that was
//	         there before, so readers leave both.
//	mboxrd   each line of ">"s and "From " gets another ">", and loses it on reading.
//	mboxcl   as mboxrd, and a field Content-Length tells the size of the body.
//	mboxcl2  nothing is quoted: only the Content-Length tells where a message ends.
//
// [Reader] and [Writer] have all of them, and [Detect] tells them apart as far as that
// can be done.
//
// The store writes mboxcl, with a field X-Mbox-Added in messages where it had to add
// anything, such as a ">", and takes off what that field tells. Other messages it
// gives as they stand. So a message comes back to the octet; UW-IMAP, Python and all
// others that know no Content-Length find the same messages as Dovecot and mutt; and
// what those wrote looks the same here and there, for none of them takes a ">" off.
package mbox
