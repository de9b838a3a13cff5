// Package maildir is a mailparts.Backend on trees of Maildirs, as Dovecot, Courier and
// Postfix know them, and shares them with Dovecot: it keeps the same UIDs in the
// same files.
//
// A user has a tree. The tree is the INBOX, and its folders whose names begin with
// "." are the other mailboxes: "a/b" is ".a.b", in modified UTF-7. See Layout for
// trees that have it as "a/b", and Backend.UTF8. A mailbox has three folders with a
// file for each message, and some files beside them:
//
//	tmp/                    messages on their way in
//	new/                    messages as they came
//	cur/                    messages that were moved there when they got flags or were shown
//	dovecot-uidlist         UIDVALIDITY, the mailbox's GUID, and the UID of each file
//	dovecot-keywords        which keywords the letters a to z stand for
//	mailparts-uidnext       up to where UIDs and mod-sequences may have been given out
//	mailparts-index         all of this, to be read at once: see Index
//	mailparts-cache         what was derived from messages: see Index
//	mailparts-metadata      special uses and annotations, if there are any
//	mailparts.lock          the kernel's lock of who changes the mailbox
//	mailparts-session.lock  that of a mailparts.Locker
//	maildirfolder           empty: tells delivery agents that the tree is above (Maildir++)
//
// In a tree are also
//
//	subscriptions                as Dovecot has them
//	dovecot-uidvalidity.HEX      empty: the last UIDVALIDITY that was given out in the tree
//	maildirsize                  the quota, if there is one
//	mailparts-metadata-account   annotations of the account, if there are any
//	mailparts-names.lock         the kernel's lock of who changes the set of mailboxes
//	mailparts-uidvalidity.lock   that of who takes a UIDVALIDITY
//	mailparts-quota.lock         that of who changes or counts what the quota counts
//	..mailparts-*                deleted mailboxes; in tmp/ if Layout is Folders
//
// A file that is replaced as a whole is NAME.tmp before that, and one that is
// damaged stays as NAME.bad-DATE. NAME.lock is a dotlock, of dovecot-uidlist or
// subscriptions; the former is a second name of mailparts.lock where there are
// links. Indexes and caches can be removed at any time, and kernel locks while
// nobody has the tree open; mailparts-uidnext must stay, or a UID whose line a
// crash of the machine has taken may come again.
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
//	arriving   a file in tmp/                       fsync of the file, rename to     left there; an Append
//	                                                new/, or cur/ if it has flags    removes it after 36 hours
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
//	claimed    in cur/ without flags: linked from   whatever syncs cur/ next         recent again, or not
//	           new/, as before; no session finds
//	           it recent again
//	expunged   no file, a line in the uidlist       fsync of new/ and cur/, and      back again if that was not
//	                                                then Expunge returns; the line   answered
//	                                                goes with the next rewrite
//	copied     a second name in the tmp/ of         as arriving; the fsync only if   as arriving; the first name
//	           another mailbox, of the same file    its name tells no size on the    stays
//	                                                wire, and so is another's
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
//	cached     octets in mailparts-cache, and       an expunge; another index or     as before, or not cached, or
//	           their place in the index             cache; cached again              as cached before the last time
//
// And a mailbox:
//
//	state      on disk                              leaves by                        after a crash
//	unmade     a folder without a uidlist, or       whoever opens it: the folders,   as before
//	           without one of the three folders     a UIDVALIDITY from the tree's
//	                                                counter, and last the uidlist,
//	                                                each durably
//	Courier's  courierimapuiddb, and no uidlist     the same: what Courier knows     done again, with the same
//	                                                goes to Dovecot's files and      outcome
//	                                                mailparts-uidlist, then
//	                                                courierimapuiddb is renamed
//	taken      mailparts-uidlist, no uidlist, and   the former gets the name of      the same
//	           courierimapuiddb.taken-DATE          the latter
//	given      courierimapuiddb, no uidlist, and    as Courier's; the former uidlist the same
//	           mailparts-uidlist-given              tells what Courier does not keep
//	leaving    mailparts-uidlist-given alone        whoever opens it: it gets the    the same
//	                                                name of the uidlist again
//	served     a uidlist that begins with a         Rename, Delete, damage           as before
//	           header
//	renamed    the folder has another name          fsync of the folder above, and   each mailbox has one of its
//	                                                then Rename returns              names
//	broken     a uidlist without a header, or one   it is set aside; another is      as before
//	           whose UIDs are used up               made of the index, with its
//	                                                UIDs, or else: unmade
//	deleted    ..mailparts-*, renamed durably       removal of its files, by this    as before
//	                                                Delete, a later one or Repair
//
// The uidlist is replaced as a whole, durably, or gets lines at its end, which are not
// synced: mailparts-uidnext says durably up to where UIDs may have been given out, so
// that after a crash the next one is that. Mod-sequences are reserved in the same way.
// Lines that are none are left out. The name of a keyword is durable before a message
// gets its letter. Subscriptions and annotations are replaced, durably.
//
// # Index
//
// What the folders and the uidlist say, and what they cannot say (mod-sequences, what
// was expunged, when a message was saved), is in an index, which Status and Messages
// are answered from. It also has the modification times of new/ and cur/ up to which
// it is right: while they are the same no folder is read. A change of our own gets a
// time of our own, and the folder is looked at once more a little later, for what
// others did in that moment. A file that is missing is expunged only if two looks at
// both folders do not find it, or one while nobody changes them.
//
// An index can be removed at any time, and one that is damaged is kept aside: it is
// made anew from the tree. That loses what was expunged, so that Vanished names all
// UIDs that do not exist; the dates of saving; and which messages are recent, for
// which those count that are in new/. Sizes that no name tells, and the dates of
// arrival, are asked of the files again. Mod-sequences go on above the clock, in
// microseconds, and above all that mailparts-uidnext says, so that none comes twice,
// and clients ask for all flags again. The first look after a start of the machine
// is at all files. Where no index can be written Status says NOMODSEQ, and all else
// works. In Backend.Index nobody removes those of mailboxes that others delete.
//
// What sessions derive from messages, such as their structure (mailparts.Cacher), is
// in a file beside the index, which says where the octets of each message are, and in
// which file: one that is damaged, lost or another mailbox's has nothing for anybody,
// and another one takes its place. The octets are tied to the base of the message's
// file, and so no other message's. None of it is synced, and what cannot be kept is
// not. A message has 64 KB and a mailbox a gigabyte at the most; when most of that is
// of messages that are gone, or was stored again since, the file is written anew. A
// listing reads it in large pieces.
//
// # Others
//
// Any number of processes may use a tree at once. Those of this package exclude
// each other by locks of the kernel, and Dovecot by its dotlock on the uidlist, also
// while files are renamed: what its look at a folder passes over it takes for
// expunged. Programs that know nothing of either do no harm: a rename or removal
// under our hands is noticed and looked after. What others change is seen at the next call,
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
// Dovecot's files, and courierimapuiddb is renamed. Courier must not run meanwhile, nor
// serve the mailbox afterwards, unless Backend.ToCourier has given it back: it would
// begin a UIDVALIDITY of its own and show the keywords that it had. From version 5 on it writes names of folders in
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
// # Going back
//
// A tree goes back to Dovecot as it is, with every UID, UIDVALIDITY, keyword, GUID,
// subscription and quota. What Dovecot does not read are our mod-sequences (it begins
// its own), the dates of saving (it takes those of the files' inodes), what was
// recent, special uses and annotations; and mailparts-uidnext: after a crash of the
// machine it may give a UID again whose line was lost.
//
// Backend.ToCourier gives it back to Courier with every UID, UIDVALIDITY, keyword and
// subscription, and the POP3 unique-ids that Courier gave; all messages go to cur/.
// When we open it again, what Courier has done to it is taken over as before, and
// what Courier does not keep is as it was: GUIDs, all POP3 unique-ids, mod-sequences,
// dates of saving, annotations. So the two can serve a tree in turn. Dovecot cannot
// have it before we have.
//
// Any other program for Maildirs finds the messages and their system flags.
//
// # Optional interfaces
//
// Stores are a mailparts.Manager, Subscriber, Annotator, StatusLister, Quotaer and
// Watcher, mailboxes a Locker, RecentClaimer, VanishedLister, Copier, Mover, UIDLer,
// Cacher and Watcher.
package maildir
