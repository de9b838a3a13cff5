// Package interop holds no code, only tests: real programs that nobody here
// wrote talk to examples/mailserver and to the packages, over loopback, each with
// its files in a temporary folder.
//
// What is proved, with the versions of Debian 12:
//
//	Postfix 3.7       relays to smtp.Server and takes mail of smtp.Relay: STARTTLS, PIPELINING,
//	                  8BITMIME, SMTPUTF8, DSN, quoted local parts; its server CHUNKING.
//	                  Delivers to lmtp.Server and examples/mailserver by TCP and a socket
//	Exim 4.96         the same, and CHUNKING as a client too
//	Sendmail 8.17     relays to smtp.Server and takes mail of smtp.Relay: STARTTLS, PIPELINING,
//	                  8BITMIME, DSN, quoted local parts. Debian builds it without SMTPUTF8
//	OpenSMTPD 6.8     relays to smtp.Server by STARTTLS and takes mail of smtp.Relay: DSN.
//	                  It has no PIPELINING, CHUNKING and SMTPUTF8. The STARTTLS of its server
//	                  fails in Debian 12, so that the Relay goes on without
//	Dovecot 2.3       takes mail of lmtp.Client by TCP and a socket, serves our Maildirs,
//	                  keeps one quota with us, knows our copies; in turn with us serves one Maildir tree,
//	                  with the same UIDs, flags, keywords, dates and octets; the same with
//	                  a tree of mboxes; at once with us it delivers to a Maildir or an mbox,
//	                  appends, flags and expunges
//	Courier 5.2       gives its Maildir trees to us with UIDs, keywords and subscriptions,
//	                  and takes them back with flags
//	procmail 3.22, maildrop 2.9
//	                  deliver to a Maildir or an mbox that we serve, flag and expunge
//	mutt 2.2, Python's mailbox
//	                  read Maildirs and mboxes that we wrote, and we what they wrote; UIDs and
//	                  keywords stay through what mutt flags and deletes
//	Alpine 2.26       flags, deletes and saves in mboxes that we wrote, and we go on with
//	                  what it wrote: UIDs, flags, keywords, its folder's internal data
//	Cyrus 3.6         takes mail of lmtp.Client by TCP and a socket
//	swaks, msmtp 1.8, mutt 2.2, s-nail 14.9, curl 7.88, Python's smtplib
//	                  submit by STARTTLS and by TLS from the first octet, with AUTH by
//	                  PLAIN, LOGIN and, with msmtp, SCRAM-SHA-256; smtplib with SMTPUTF8
//	fetchmail 6.4, curl
//	                  read by POP3 with STLS and by pop3s
//	Dovecot 2.3       as a client of imap.Server: doveadm backup and sync by imapc, and a Dovecot
//	                  that serves our mailboxes and has none
//	mutt 2.2, neomutt 2022
//	                  read, flag, delete and save to another mailbox of imap.Server, in Maildirs by
//	                  STARTTLS and in mboxes by TLS from the first octet
//	Alpine 2.26       flags, deletes and saves to another mailbox of imap.Server
//	Thunderbird 153   lists, reads, flags, tags, moves and deletes in mailboxes of imap.Server, by
//	                  STARTTLS and by TLS from the first octet; sees what comes while it IDLEs
//	mbsync 1.4, offlineimap 8.0
//	                  keep Maildirs of theirs and mailboxes of imap.Server alike: what is
//	                  new, flagged and deleted goes both ways, with Maildirs and with mboxes
//	fetchmail 6.4, getmail 6.18
//	                  take mail away by IMAP; fetchmail waits for more by IDLE
//	Postfix 3.7, curl 7.88
//	                  what is relayed to examples/mailserver is read there by IMAP
//	curl 7.88, Python's imaplib
//	                  say all that they can to imap.Server: LIST, FETCH, SEARCH, SORT, THREAD,
//	                  APPEND, STORE, COPY, MOVE, NAMESPACE, UTF8=ACCEPT
//	SpamAssassin 4.0  checks mail for filter/spamd
//
// No MTA loses or doubles a message whose recipients have different results.
//
// A test is skipped with a word where its programs are not installed; .ci/peers
// installs them on Debian. With MAILPARTS_INTEROP=required, as in .ci/run, it
// fails instead.
package interop
