// Package gosmtp runs a Backend that was written for go-smtp
// (github.com/emersion/go-smtp) on an [smtp.Server], unchanged.
//
// [Configure] puts one behind the server's fields. What go-smtp's own server says
// to a Session, this one does:
//
//	NewSession   at the first EHLO, HELO or LHLO, and again after STARTTLS
//	Mail, Rcpt   with all the parameters that the Envelope has
//	Data         or LMTPData, where the server speaks LMTP and the Session has it
//	Reset        when a transaction ends, however it does
//	Auth         where the Session has it
//	Logout       when the connection is over, and at STARTTLS
//
// The methods of one Session are called one after the other.
//
// # What is different
//
//   - The *Conn that NewSession gets is empty, as nobody but go-smtp can fill one:
//     Conn is nil, Hostname "", TLSConnectionState false, and Close and Reject
//     panic, which ends the connection with 421. A Backend that needs the peer is
//     to be written as a mailparts.Receiver, which gets a mailparts.Peer.
//   - Addresses are as RFC 5321 writes them, a local part quoted where it must be.
//     go-smtp takes the quotes off, and what is between them can then be taken for
//     a parameter by the next server.
//   - The message begins with a Received field (RFC 5321 section 4.4).
//   - The text of an error that is no *SMTPError stays in the log, and the peer is
//     told to try again later. go-smtp shows it to the peer, and after Data the
//     refusal is for good.
//   - The extensions that go-smtp has an Enable field for are Server.Extensions
//     here, but SMTPUTF8, which is always on.
//   - DELIVERBY and MT-PRIORITY belong to MAIL, where go-smtp does not look for
//     them. They are in the RcptOptions of each recipient all the same.
//   - Nobody but the Session knows who has authenticated: Envelope.Peer.User is
//     [User].
package gosmtp
