// Package smtp is an SMTP server for mail transfer and submission, and the client
// that sends to one.
//
// # Server
//
// A [Server] is used as net/http's is: fields, ListenAndServe, Shutdown. What it
// receives goes to a [mailparts.Receiver], command by command, or in the simplest
// case to a [mailparts.DelivererFunc]. Package lmtp's server is the same engine
// with LMTP set.
//
// The engine is a session that reads a line, finds its command in one table, and
// calls the function that the table names; each lives in the file of its name:
//
//	session.go      one connection from greeting to end: reads lines, hangs up
//	command.go      the table of commands, and what is checked for all of them
//	helo.go … quit.go  one command each
//	param.go        paths and ESMTP parameters, as MAIL and RCPT have them
//	transaction.go  MAIL to the end of DATA
//	message.go      the reader that a Transaction's Data gets, of either
//	data.go, bdat.go  the two sources of its octets
//	received.go     the Received field
//	reply.go        replies, held back until the input is drained
//	errors.go       which reply an error is: the only place that knows
//
// A new extension is an entry in the table, or in mailParams, and a file.
//
// What the server speaks:
//
//	SMTP                 RFC 5321  all but EXPN; no TURN, SEND, SAML, SOML
//	PIPELINING           RFC 2920  one write per batch of commands
//	SIZE                 RFC 1870
//	8BITMIME             RFC 6152
//	CHUNKING             RFC 3030  a text's last line is completed with CRLF; else BDAT refuses what DATA does
//	BINARYMIME           RFC 3030  where [Server].Extensions promises that every octet is kept
//	SMTPUTF8             RFC 6531
//	ENHANCEDSTATUSCODES  RFC 2034  with RFC 3463 and RFC 5248
//	STARTTLS             RFC 3207, and TLS from the start: RFC 8314
//	AUTH                 RFC 4954  with what package sasl or the wiring has
//	LMTP                 RFC 2033
//	Submission           RFC 6409  RequireAuth, RequireTLS, [Submission]
//	XCLIENT              Postfix's XCLIENT_README, from [Server].XFrom
//	XFORWARD             Postfix's XFORWARD_README, from [Server].XFrom: Peer.Origin
//	Admit                RFC 5321 section 3.1: 554 in place of a greeting; early talkers
//	PROXY                haproxy's proxy-protocol.txt, versions 1 and 2, from [Server].ProxyFrom
//	Received             RFC 5321 section 4.4, RFC 3848, RFC 6531, RFC 8314 section 4.3
//	521                  RFC 7504  for a host without a Receiver
//
// # Client
//
// A [Dialer] connects, with EHLO, STARTTLS and AUTH, and gives a [Client], which
// sends messages: all at once by Deliver, or step by step. It speaks the same
// extensions where the server has them, and a table in its comment tells what
// becomes of mail that asks for one where it has not. A [Relay] is the [mailparts.Deliverer]
// over it that sends mail to where its recipients' domains say, or to a
// smarthost, and a [Pool] keeps its connections for the mail that follows. How
// each host is secured is a [TLSPolicy]'s to say. Their code is in client*.go,
// dialer*.go, relay*.go, pool.go and tlspolicy.go.
package smtp
