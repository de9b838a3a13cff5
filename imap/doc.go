// Package imap is an IMAP4rev2 and IMAP4rev1 server (RFC 9051, RFC 3501) for any
// [mailparts.Backend].
//
// A [Server] is used as net/http's is: fields, ListenAndServe, Shutdown. A session is one
// goroutine, in IDLE too, and an idle one holds no buffers. It gathers a whole command with
// its literals, parses all of it, and only then acts; just the messages of APPEND and
// REPLACE are streamed. So a command that is wrong anywhere has done nothing.
//
//	server.go         the Server; session.go: one connection from greeting to end
//	command.go        the table of commands, and what is checked for all of them
//	capability.go     the table of capabilities, and which of them a session is offered
//	reply.go          which response an error is
//	selected.go       the selected mailbox as its client knows it, and what it is told of others' doings
//	view.go           sequence numbers and UIDs, as ranges
//	fetch*.go         FETCH: its items, modifiers, parts of bodies; derive.go: what the store caches
//	search*.go        SEARCH: keys, plan and run; esearch.go, searchres.go: its ways to answer
//	list*.go          LIST: its options, pattern.go, and what is told of each mailbox
//	internal/wire     commands into values, values into responses, and nothing but syntax
//	internal/mime     what stored messages are made of: structure, envelope, sections, text
//	internal/thread   base subjects and threads; internal/inflate: DEFLATE as it comes
//
// Every other file has one command or one extension, and its name.
//
// # Updates
//
// What others do to the selected mailbox is told after each command and in IDLE. No event is
// kept for a session: it asks the store what has changed since the highest mod-sequence that
// its client knows ([mailparts.Query].Since, [mailparts.Vanished]), so that a slow client
// costs nothing, and missing a [mailparts.Watcher]'s call loses nothing. A mailbox that keeps no
// mod-sequences is listed and compared.
//
// # Capabilities
//
// Before log-in a session is offered what needs no store, after it what the user's store can
// do. What a store can do is asked once, at log-in. A mailbox that can do less than its store
// says so itself, by NOMODSEQ, NIL, or fewer PERMANENTFLAGS.
//
//	capability             RFC         offered                                          file
//	IMAP4rev1              3501        always                                           session.go
//	IMAP4rev2              9051        always; its responses after ENABLE IMAP4rev2     session.go
//	LITERAL+               7888        always; not LITERAL-, which is less              internal/wire/reader.go
//	SASL-IR                4959        always                                           authenticate.go
//	ID                     2971        always                                           id.go
//	ENABLE                 5161        always                                           enable.go
//	STARTTLS               9051 6.2.1  before log-in, with a TLSConfig and without TLS  starttls.go
//	LOGINDISABLED          9051 6.2.3  before log-in, where LOGIN is refused            login.go
//	AUTH=…                 9051 6.2.2  before log-in, for each of the Mechanisms        authenticate.go
//	UNSELECT               3691        after log-in                                     select.go
//	UIDPLUS                4315        after log-in                                     expunge.go
//	MOVE                   6851        after log-in                                     copy.go
//	CONDSTORE              7162        after log-in; NOMODSEQ says which cannot         condstore.go
//	QRESYNC                7162        after log-in                                     qresync.go
//	MULTIAPPEND            3502        after log-in                                     append.go
//	REPLACE                8508        after log-in                                     replace.go
//	BINARY                 3516        after log-in                                     fetchbinary.go
//	PREVIEW                8970        after log-in                                     fetchitem.go
//	SAVEDATE               8514        after log-in; NIL where it is not kept           fetchitem.go
//	CHILDREN               3348        after log-in                                     listing.go
//	LIST-EXTENDED          5258        after log-in                                     listoption.go
//	LIST-STATUS            5819        after log-in                                     list.go
//	SPECIAL-USE            6154        after log-in                                     listoption.go
//	CREATE-SPECIAL-USE     6154        to a store that is a Manager and an Annotator    create.go
//	STATUS=SIZE            8438        after log-in                                     status.go
//	OBJECTID               8474        to a store whose mailboxes have IDs              objectid.go
//	APPENDLIMIT            7889        after log-in; "=" MaxMessageSize, if there is    append.go
//	                                   one
//	NAMESPACE              2342        after log-in                                     namespace.go
//	QUOTA                  9208        to a store that is a Quotaer                     quota.go
//	QUOTA=RES-STORAGE      9208        with QUOTA                                       quota.go
//	QUOTA=RES-MESSAGE      9208        with QUOTA                                       quota.go
//	UTF8=ACCEPT            9755        after log-in                                     enable.go
//	IDLE                   2177        after log-in                                     idle.go
//	COMPRESS=DEFLATE       4978        after log-in, until it is done                   compress.go
//	UNAUTHENTICATE         8437        after log-in, unless compressed                  unauthenticate.go
//	ESEARCH                4731        after log-in                                     esearch.go
//	SEARCHRES              5182        after log-in                                     searchres.go
//	WITHIN                 5032        after log-in                                     searchkeys.go
//	PARTIAL                9394        after log-in                                     partial.go
//	SORT                   5256        after log-in                                     sort.go
//	SORT=DISPLAY           5957        after log-in                                     sorttable.go
//	ESORT                  5267 3      after log-in                                     sort.go
//	THREAD=ORDEREDSUBJECT  5256        after log-in                                     thread.go
//	THREAD=REFERENCES      5256        after log-in                                     thread.go
//
// The response codes of RFC 5530 are in reply.go.
package imap
