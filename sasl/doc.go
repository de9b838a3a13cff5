// Package sasl authenticates the users of the mail protocols: RFC 4422 exchanges
// on the server's side, and the interface that a user database implements.
//
// An [Authenticator] checks a password; one that is a [KeyStore] too holds the
// keys that SCRAM needs. Package sasl/passwd is one of both kinds, on a password
// file. [Mechanisms] is what the protocol servers offer for an Authenticator:
//
//	mechanism      RFC                      needs          shows the password
//	SCRAM-SHA-256  5802, 7677               a KeyStore     no
//	PLAIN          4616                     Authenticator  yes: only under TLS
//	LOGIN          draft-murchison-sasl-    Authenticator  yes: only under TLS
//	               login-00
//
// A [Brake] around an Authenticator slows down who guesses passwords.
//
// SCRAM's channel binding (SCRAM-SHA-256-PLUS) is not offered: a client that
// requires it is refused.
//
// # Errors
//
// An [Exchange] answers every input with a challenge, with success or with an
// error, and after an error with errors only. What an error means is the same in
// all protocols; it is found with errors.Is:
//
//	error                 meaning                       SMTP (RFC 4954)  POP3 (RFC 3206, 5034)
//	ErrDenied             the proof is not good         535 5.7.8        -ERR [AUTH]
//	ErrMalformed          not what the mechanism says   501 5.5.2        -ERR
//	anything else, and    no one can tell now           454 4.7.0        -ERR [SYS/TEMP]
//	a cancelled context
//
// A client that cancels ("*", RFC 4954 section 4) is the protocol server's to
// answer, as is the base64 around the messages: the exchange sees neither.
//
// # Names and passwords
//
// Both are prepared by [Prepare], SASLprep (RFC 4013), and not by the newer
// PRECIS profiles (RFC 8265): a SCRAM client runs SASLprep over the password
// before it hashes it (RFC 5802 section 5.1), so one password would be two under
// two rules. The user that an exchange admits is the name that the Authenticator
// returns, never what the client typed.
package sasl
