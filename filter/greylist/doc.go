// Package greylist is a filter that asks strangers to send again later (RFC 6647):
// mail servers do, most programs that only send spam do not.
//
//	grey := &greylist.Greylist{}
//	receiver := mailparts.Chain(q, mailparts.OnRcpt(local.Check), grey.Filter)
//
// What was seen is kept by network of the client, sender and recipient. A record
// is in one of these states:
//
//	what came before              RCPT is answered                  and then it is
//	nothing                       450 4.7.1                         new, until Window
//	new, for less than Delay      450 4.7.1                         new
//	new, for Delay or more        by what is inside of the filter   known, until Expire
//	known                         the same                          known, until Expire
//	a network with Passes passes  the same                          known, until Expire
//
// It keeps to the recommendations of RFC 6647 section 5, by their number there:
//
//	1  by address, sender and recipient, of which it finds the first enough: here it
//	   is each, until one passes. After one successful retry all mail from that
//	   network passes.
//	2  Delay and Window are a minute and 24 hours.
//	3  Expire is longer than a week.
//	4  a Store may be shared by all servers of a domain.
//	5  networks, not addresses: a retry may come from a neighbour.
//	6  Exempt.
//	7  authenticated and trusted peers are not asked to wait.
//
// The reply is 450, which it finds the only reasonable one where the connection
// goes on. Mail to postmaster always passes (RFC 5321 section 4.5.1). Mail from
// the null sender has its answer at DATA, not at RCPT: a server that tries whether
// an address of ours exists, before it takes our mail, gets to know (RFC 6647
// section 4.2).
//
// What was seen is in memory, or in a [File] that a restart does not empty, or in a
// [Store] of the wiring's own that several servers share. What the filter cannot
// tell costs no mail: if the Store fails, mail passes.
package greylist
