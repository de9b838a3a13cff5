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
//	server.go       the Server
//	session.go      one connection from greeting to end: reads lines, hangs up
//	admit.go        Server.Admit; delay.go: BannerDelay and ErrorDelay
//	command.go      the table of commands, and what is checked for all of them
//	extension.go    the table of extensions, and which of them a session is offered
//	param.go        paths and ESMTP parameters, as MAIL and RCPT have them
//	xtext.go        the encoding of their values; xattributes.go: XCLIENT's and XFORWARD's
//	transaction.go  MAIL to the end of DATA; id.go: Envelope.ID
//	message.go      the reader that a Transaction's Data gets, of either
//	data.go, bdat.go  the two sources of its octets
//	received.go     the Received field
//	reply.go        replies, held back until the input is drained
//	errors.go       which reply an error is: the only place that knows
//	submission.go, submission_from.go, fixup.go  the Filter of a submission server
//
// One command each have helo.go (EHLO and LHLO too), starttls.go, auth.go, mail.go,
// rcpt.go, rset.go, noop.go, vrfy.go, expn.go, etrn.go, help.go, xclient.go,
// xforward.go and quit.go, and http.go has those of HTTP. The table below has the
// file of each extension: a new one is an entry in extension.go, and a file.
//
// What the server speaks:
//
//	SMTP        RFC 5321  no TURN, SEND, SAML, SOML
//	LMTP        RFC 2033
//	Submission  RFC 6409  RequireAuth, RequireTLS, Domain, [Submission]
//	Admit       RFC 5321 section 3.1: 554 in place of a greeting; early talkers
//	PROXY       haproxy's proxy-protocol.txt, versions 1 and 2, from [Server].ProxyFrom
//	Received    RFC 5321 section 4.4, RFC 3848, RFC 6531, RFC 8314 section 4.3, RFC 6710
//	521         RFC 7504  for a host without a Receiver
//
// Its extensions, each offered where the third column says. A promise is offered
// where Server.Extensions has it, because who keeps it is the Receiver and what
// lies behind it:
//
//	extension            RFC         offered, or what is promised                      file
//	PIPELINING           2920        always: one write per batch of commands           session.go
//	SIZE                 1870        always                                            size.go
//	8BITMIME             6152        always                                            eightbitmime.go
//	CHUNKING             3030        always; a text's last line is completed with      bdat.go
//	                                 CRLF, else BDAT refuses what DATA does
//	SMTPUTF8             6531        always                                            smtputf8.go
//	ENHANCEDSTATUSCODES  2034        always, with RFC 3463 and RFC 5248                reply.go
//	STARTTLS             3207        with a TLSConfig, until TLS is there (RFC 8314)   starttls.go
//	AUTH                 4954        with Auth or Mechanisms, until it is done         auth.go
//	LIMITS               9422        unless MaxRecipients is none: RCPTMAX             limits.go
//	VRFY                 5321 3.5    with Verify; the command is always there          vrfy.go
//	EXPN                 5321 3.5    with Expand                                       expn.go
//	ETRN                 1985        with Flush                                        etrn.go
//	HELP                 5321 4.1.1  always                                            help.go
//	XCLIENT              none        to XFrom: Postfix's XCLIENT_README                xclient.go
//	XFORWARD             none        to XFrom: Postfix's XFORWARD_README, Peer.Origin  xforward.go
//	DSN                  3461, 6533  a promise: reports are sent as Ret, EnvID,        dsn.go
//	                                 Notify and ORcpt say, or the next hop is told
//	BINARYMIME           3030        a promise: every octet is kept                    bdat.go
//	REQUIRETLS           8689        a promise, under TLS: the message goes on under   requiretls.go
//	                                 verified TLS to those who promise it, or bounces
//	DELIVERBY            2852        a promise: what is late by By bounces or is       deliverby.go
//	                                 reported; "DELIVERBY 240": in 240 s at least
//	MT-PRIORITY          6710        a promise: what has more Priority goes first;     mtpriority.go
//	                                 "MT-PRIORITY MIXER" names a policy
//	FUTURERELEASE        4865        a promise, for submission: it is not sent before  futurerelease.go
//	                                 Hold; "FUTURERELEASE 600": which is 600 s at most
//	RRVS                 7293        a promise: who has an address gets mail for who   rrvs.go
//	                                 had it at Since only if it is the same one
//
// A parameter whose extension is not offered is refused with 555, and so is any
// after HELO. A peer that is neither authenticated nor trusted, and does not speak
// LMTP, has no Priority over 0 (RFC 6710 section 4.1).
//
// # Client
//
// A [Dialer] connects, with EHLO, STARTTLS and AUTH, and gives a [Client], which
// sends messages: all at once by Deliver, or step by step. It speaks the same
// extensions where the server has them, and a table in its comment tells what
// becomes of mail that asks for one where it has not. A [Relay] is the [mailparts.Deliverer]
// over it that sends mail to where its recipients' domains say, or to a
// smarthost, and a [Pool] keeps its connections for the mail that follows. How
// each host is secured is a [TLSPolicy]'s to say. A [Proxy] stands between the two
// halves: a server's Receiver that passes each command on to another server. Their
// code is in client*.go, dialer*.go, relay*.go, pool.go, tlspolicy.go and proxy.go.
package smtp
