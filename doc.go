// Package mailparts is the vocabulary that the building blocks of a mail system
// share, and nothing else: it imports the standard library only.
//
// A mail system is a few parts that must fit. Everything that can take
// responsibility for a message is a [Deliverer]: queue.Queue, lmtp.Client,
// lmtp.Local, smtp.Relay, a user's own function. Everything that holds mail is a
// [Backend], which opens a [Store], which holds [Mailbox] values. What wants a
// say in a mail transaction is a [Filter] around a [Receiver], as middleware is
// in net/http. That is the whole composition:
//
//	MUA ──submission──► smtp.Server ─┐                               ┌─► smtp.Relay ──► other MTAs
//	                                 ├─► Filter chain ─► queue.Queue ┤
//	MTA ──smtp────────► smtp.Server ─┘                               └─► lmtp.Local ──► Mailbox
//	MUA ◄──pop3── pop3.Server ──────────────► Backend ─► Store ─► Mailbox (maildir | mbox | memory)
//
// The interfaces are small. What an implementation may do beyond them is an
// optional interface, found by assertion in one place: the helper of the same
// file, which has the fallback ([Copy], [Vanished]) or, where there can be none,
// answers errors.ErrUnsupported ([Annotations], [ACL]).
package mailparts
