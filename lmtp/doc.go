// Package lmtp is local delivery: LMTP (RFC 2033) on both ends, and what stands
// behind a server of it.
//
//	Server   receives mail by LMTP: smtp.Server's engine, one reply per recipient
//	Client   is a Deliverer that hands mail to an LMTP server
//	Local    is a Deliverer that puts mail into the mailboxes of a Backend: the MDA
//
// A queue in one process delivers to Local, one in another to Client, Server and
// Local; the results are the same:
//
//	queue.Queue ──────────────────────────► Local ──► Backend
//	queue.Queue ──► Client ──LMTP──► Server ──► Local ──► Backend
package lmtp
