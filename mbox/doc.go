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
//
// # The store
//
// [Backend] is a mailparts.Backend. A user has a tree of folders, in which each file
// is a mailbox: "a/b" is the file b in the folder a, in modified UTF-7. The children of
// a mailbox a are in the folder a.sbd, as Thunderbird has it, since a folder cannot
// have the name of a file. INBOX is the file inbox, or a spool file anywhere. What
// begins with ".", ends in ".lock" or ".tmp", or is "~" is no mailbox.
//
// A mailbox's state is in its file, in fields that Dovecot, UW-IMAP and Alpine know
// too. They are no part of what Body yields, and what a message brings of them when it
// is appended is dropped:
//
//	X-IMAPbase   in the first message: UIDVALIDITY, the last UID, keywords
//	X-IMAP       the same, in a message that is none, "FOLDER INTERNAL DATA", which
//	             an empty mailbox gets and which then stays the first
//	X-UID        the UID; believed if it is above the one before and not above the
//	             last UID, and in what was appended since the last look only if it
//	             was not given out before
//	Status       R: seen; O: not recent
//	X-Status     A, F, D, T: answered, flagged, deleted, draft
//	X-Keywords   keywords, padded with spaces; 56 in a mailbox, of which UW-IMAP knows 30
//
// Beside the mail, in .imap/.mailparts or where Index says, a mailbox has
//
//	.journal     what is being done to the file, and the numbers for when it is empty
//	.index       what a scan of the file found; it can be lost at any time
//	.lock        the lock of all processes of this package
//	.session     mailparts.Locker
//
// The names of these are hashes of the mailbox's. In the same folder are names.lock,
// uidvalidity with the last UIDVALIDITY that was given out, its uidvalidity.lock, and
// rename while a Rename is under way. The tree has .subscriptions, as Dovecot has them.
// What of these is damaged stays, with .bad at the end of its name.
//
// # States
//
// What is done to a file, what comes next, and what becomes of it in a crash:
//
//	state       on disk                             leaves by                       after a crash
//	at rest     the journal says so, or nothing     -                               as it is
//	arriving    append-* beside the mail, if they   its Append ends, either way     an Append removes it after
//	            have a megabyte or more                                             36 hours
//	announced   the journal has the file's size     the messages are written at     nothing was written: at rest
//	            and sums of messages, durably       the end
//	appending   some octets after that size         fsync, then Append returns;     whole by the sums: at rest; else
//	                                                the journal is at rest, not     they are cut out, what others
//	                                                durably                         appended stays
//	withdrawn   an append has failed, and could     it is cut out by the next who   as before
//	            not be cut again                    takes the lock, even if whole
//	planned     the journal has all octets that     it is written in place          done by the next who takes the
//	            a change of flags, an expunge or                                    lock, as often as need be; what
//	            new UIDs write, from the first                                      others appended goes to the end
//	            that moves on, durably
//	changing    some of them are written            fsync, the journal is at        as planned
//	                                                rest, durably
//	moving      rename says from where to where     each file is linked to the      done by the next who looks at the
//	            each mailbox goes, durably          new name, which is synced,      mailboxes
//	                                                before the old one goes
//	foreign     a message without a believable      the next look, which plans      as before
//	            UID: from procmail, mutt, …         one
//	waiting     the same, where the disk is full    a look when it can be written:  as before
//	            or the file may not be written:     all of them get UIDs then
//	            nobody has seen it
//
// A file is never replaced by another: that would slip from under the locks of others,
// and /var/mail is often closed for new files. A journal that does not fit the file is
// kept aside, and so is an index that is damaged; of an append whose place others have
// moved nothing is cut then. A file that does not begin with a From_ line is no
// mailbox, and is left alone; in a mailbox no octet is dropped but with its message.
//
// UIDs are written into the file before anyone is told of them: the index can be lost
// at any time, other programs move messages about, and only what stands in a message
// goes with it. So the first look at a file without UIDs writes all of it twice, to
// the journal and in place, and syncs both; the journal needs as much room as the file
// for that time. Later looks do so with what is new only. Dovecot keeps UIDs in an
// index and writes them later (mbox_lazy_writes): its first look needs no more than to
// read the file, and is the faster one where writing is slow.
//
// A file that was never written with UIDs and may only be read shows no messages:
// UIDs that only one process knows could not be those of the next, and a UIDVALIDITY
// for each would leave a client nothing of what it has.
//
// After an append the file's modification time is later than its access time, which
// tells shells and others of new mail; after another change it is read once, so that
// it is not.
//
// # Others
//
// Any program may use the file at the same time that takes the locks that [Locks]
// names. Who reads a message holds them for the length of a piece of it only; if it
// was moved, the next piece is looked for by the UID.
//
// A program may put another file in the place of a mailbox's, as Python's mailbox does:
// it is the same mailbox if it has the same UIDVALIDITY, or none.
//
// What others change is seen at the next call, by the file's size and modification
// time. If the file has only grown, what is new is read, and the rest when the mailbox
// is opened the next time, or before anything in it is flagged or expunged: others may
// have changed flags too.
//
// Who removes the folder beside the mail, while nobody has the mailbox open, loses
// what a crash has left to be finished, the numbers of a mailbox whose file another
// program has emptied, which gets a new UIDVALIDITY, and the time of a scan. All else is
// in the files, and goes back with them to Dovecot, UW-IMAP or Alpine as it is; these
// show a ">" and an X-Mbox-Added that we had to add.
//
// Stores are a mailparts.Manager, Subscriber and Watcher, mailboxes a Locker,
// RecentClaimer and Watcher. Mod-sequences are not kept: Status says so.
package mbox
