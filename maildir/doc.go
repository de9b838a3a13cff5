// Package maildir is a mailparts.Backend on trees of Maildirs, as Dovecot, Courier and
// Postfix know them, and shares them with Dovecot: it keeps the same UIDs in the
// same files.
//
// A user has a tree. The tree is the INBOX, and its folders whose names begin with
// "." are the other mailboxes: "a/b" is ".a.b", in modified UTF-7. See Layout for
// trees that have it as "a/b", and Backend.UTF8. A mailbox has three folders, with a
// file for each message:
//
//	tmp/                 messages on their way in
//	new/                 messages as they came
//	cur/                 messages that were moved there when they got flags
//	dovecot-uidlist      UIDVALIDITY, and the UID of each file
//	dovecot-keywords     which keywords the letters a to z stand for
//	mailparts-uidnext    up to where UIDs and mod-sequences may have been given out
//	mailparts-index      all of this, to be read at once: see Index
//	mailparts-metadata   special uses and annotations, if there are any
//	mailparts*.lock      locks of the kernel
//
// A name such as "1795374075.M211740P27571R0c5f3a77Q1.host,S=18,W=21:2,FS" is a
// base, unique on any host, with the size on disk and on the wire in it, and after
// the colon the flags: (D)raft, (F)lagged, (R) for answered, (S)een, (T)rashed for
// deleted, and small letters for the mailbox's keywords, of which there are 26 at the
// most. A message has LF on disk, or CRLF if Backend.CRLF says so or another program
// wrote it, and CRLF on the wire, exact to the octet.
//
// # States
//
// What a message can be on disk, what moves it on, and what becomes of it in a
// crash:
//
//	state      on disk                              leaves by                        after a crash
//	arriving   a file in tmp/                       fsync of the file, rename to     left to sweep, 36 hours
//	                                                new/, or cur/ if it has flags
//	placed     a file in new/ or cur/               a line in the uidlist with its   there, or not: foreign
//	                                                UID, below what
//	                                                mailparts-uidnext says, durably
//	numbered   that, and the line                   fsync of new/ or cur/, and then  there, or not; nobody was
//	                                                Append returns                   promised it
//	delivered  the same, the name durable           a flag                           there; if its line is lost,
//	                                                                                 it gets a new UID
//	flagged    in cur/: renamed, or linked from     fsync of cur/ and of the index,  flags as before or after; of
//	           new/, where the first name goes      and then SetFlags returns        two names the one in new/ goes
//	           when the second is durable
//	expunged   no file, a line in the uidlist       fsync of new/ and cur/, and      back again if that was not
//	                                                then Expunge returns; the line   answered
//	                                                goes with the next rewrite
//	copied     a second name in the tmp/ of         as arriving, without the fsync   as arriving; the first name
//	           another mailbox, of the same file                                     stays
//	moved      both names in their places, the      fsync of both folders, and then  in both, or only where it
//	           first one locked                     Move returns                     went
//	foreign    a file in new/ or cur/ without a     the next look, which numbers     as before
//	           line: from procmail, mutt, …         it
//	doubled    one base in two names, by a crash    the next look: one name goes;    as before
//	           or a copy                            of two files one gets a base of
//	                                                its own
//	misnamed   a name or a line of the uidlist      reading it: the file gets a      as before
//	           with a wrong size                    base of its own, without sizes,
//	                                                and so a new UID
//
// The uidlist itself is replaced as a whole, durably, or gets lines at its end,
// which are not synced: no UID from mailparts-uidnext on was given out, so after a
// crash the next one is that. A list without a header is set aside under another
// name and a new one with a new UIDVALIDITY is begun; lines that are none are left
// out.
//
// # Index
//
// What the folders and the uidlist say, and what they cannot say (mod-sequences, what
// was expunged, when a message was saved), is in an index, which Status and Messages
// are answered from. It also has the modification times of new/ and cur/ up to which
// it is right: while they are the same no folder is read. A change of our own gets a
// time of our own, and the folder is looked at once more a little later, for what
// others did in that moment. A file that is missing from one look is expunged only
// when a second look, at folders that nobody changes meanwhile, does not find it.
//
// An index can be removed at any time, and one that is damaged is kept aside: it is
// made anew from the tree. That loses what was expunged, so that Vanished names all
// UIDs that do not exist; the dates of saving; and which messages are recent, for
// which those count that are in new/. Mod-sequences go on above the clock, in
// microseconds, and above all that mailparts-uidnext says, so that none comes twice,
// and clients ask for all flags again. The first look after a start of the machine
// is at all files. Where no index can be written Status says NOMODSEQ, and all else
// works.
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
// Who watches (mailparts.Watcher) is woken by inotify, of which a process uses one
// instance, three watches for each mailbox and none twice. Where that cannot tell
// of changes, on network file systems, on other systems than Linux, and when
// watches run out (fs.inotify.max_user_watches), a look every two seconds must do:
// see Backend.Poll.
//
// A symbolic link to a folder in the tree is a mailbox, as with Dovecot, but there are
// none below it. No name leads out of the tree but by such a link, which no client can
// make. Delete removes the link and nothing that it leads to.
//
// A mailbox that Courier has served keeps its UIDVALIDITY, UIDs, keywords and POP3
// unique-ids, and a tree its subscriptions: when it is opened first they are put into
// Dovecot's files, and courierimapuiddb is renamed. Should Courier serve the mailbox
// again, it will begin a UIDVALIDITY of its own and show the keywords that it had.
// Courier must not run meanwhile. From version 5 on it writes names of folders in
// UTF-8: nobody sees those with other than ASCII in them until Backend.Repair has
// renamed them.
//
// Mailboxes are a mailparts.UIDLer: POP3 unique-ids that another server has noted in
// the uidlist stay, and Backend.UIDL can make others as that one did, so that POP3
// clients do not get all mail again.
//
// Backend.Check says what is wrong in a tree, and Backend.Repair puts it right, but
// for what only a person can tell.
//
// # Quota
//
// A tree has a Maildir++ quota if there is a maildirsize in it, of anybody, or if
// Backend.Quota says what it may hold: Stores are a mailparts.Quotaer. It is kept as
// Courier, maildrop and Dovecot keep it. As with Dovecot everything in the tree
// counts, with the octets that it has on disk, whatever flags it has and in whatever
// mailbox; Courier leaves out messages that are (T)rashed, and the mailbox Trash, when
// it is the one that counts. What nobody writes a line for, such as mail of procmail,
// counts when the tree is counted the next time: when the file is longer than 5120
// octets, and before mail is refused for a sum that is older than 15 minutes or was
// added up.
//
// Processes of this package never lose a line or go beyond a limit together. A line
// of Dovecot's is lost if it comes in the very moment in which the tree has been
// counted, and a crash may lose lines, or what they are for, as they are not synced:
// then the sum is wrong until the next count, and the limits stay. Without a quota
// a delivery costs one look for the file.
//
// A tree goes back to Dovecot as it is, with every UID, UIDVALIDITY, keyword and
// GUID: what Dovecot does not read are our mod-sequences (it begins its own), the
// dates of saving (it takes those of the files' inodes) and what was recent.
//
// # Optional interfaces
//
// Stores are a mailparts.Manager, Subscriber, Annotator, StatusLister, Quotaer and
// Watcher, mailboxes a Locker, RecentClaimer, VanishedLister, Copier, Mover, UIDLer
// and Watcher.
package maildir
