// Package maildir is a mailparts.Backend on Maildir++ trees, as Dovecot, Courier and
// Postfix know them, and shares them with Dovecot: it keeps the same UIDs in the
// same files.
//
// A user has a tree. The tree is the INBOX, and its folders whose names begin with
// "." are the other mailboxes: "a/b" is ".a.b", in modified UTF-7. A mailbox has
// three folders, with a file for each message:
//
//	tmp/                 messages on their way in
//	new/                 messages as they came
//	cur/                 messages that were moved there when they got flags
//	dovecot-uidlist      UIDVALIDITY, and the UID of each file
//	mailparts-uidnext    up to where UIDs may have been given out
//
// A name such as "1795374075.M211740P27571R0c5f3a77Q1.host,S=18,W=21:2,FS" is a
// base, unique on any host, with the size on disk and on the wire in it, and after
// the colon the flags: (D)raft, (F)lagged, (R) for answered, (S)een, (T)rashed for
// deleted. A message has LF on disk and CRLF on the wire, exact to the octet.
//
// # States
//
// What a message can be on disk, what moves it on, and what becomes of it in a
// crash:
//
//	state      on disk                              leaves by                        after a crash
//	arriving   a file in tmp/                       fsync of the file                left to sweep, 36 hours
//	numbered   that, a line in the uidlist          rename to new/, or cur/ if       the line has no file:
//	           with its UID, below what             it has flags                     the next rewrite drops it
//	           mailparts-uidnext says, durably
//	placed     a file in new/ or cur/               fsync of that folder, and then   there or not; nobody was
//	                                                Append returns                   promised it
//	delivered  the same, durable                    a flag                           there; if its line is lost,
//	                                                                                 it has a new UID
//	flagged    in cur/: renamed, or linked from     the next flag                    a flag may be lost; a file
//	           new/, where the first name goes                                       in both folders loses the
//	           when the second is durable                                            name in new/
//	expunged   no file, a line in the uidlist       fsync of new/ and cur/, and      back again if it was not
//	                                                then Expunge returns             answered
//	foreign    a file in new/ or cur/ without a     the next look, which numbers     as before
//	           line: from procmail, mutt, …         it
//	doubled    one base in two names, by a crash    the next look: one name goes,    as before
//	           or a copy                            or, of two files, one gets a
//	                                                base of its own
//
// The uidlist itself is replaced as a whole, durably, or gets lines at its end,
// which are not synced: no UID from mailparts-uidnext on was given out, so after a
// crash the next one is that. A list without a header is set aside under another
// name and a new one with a new UIDVALIDITY is begun; lines that are none are left
// out.
//
// # Others
//
// Any number of processes may use a tree at once. Those of this package exclude
// each other by locks of the kernel, Dovecot by its dotlock on the uidlist, and
// programs that know nothing of either do no harm: a rename or removal under our
// hands is noticed and looked after. What others change is seen at the next call,
// by the modification times of new/ and cur/. A tree on a network file system
// needs one that keeps locks between hosts, such as NFS version 4.
//
// Keywords are not kept, and mod-sequences neither: Status says so.
package maildir
