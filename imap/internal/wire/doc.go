// Package wire is the syntax of IMAP on the server's side (RFC 9051 section 9, RFC 3501
// section 9).
//
// A [Reader] gathers a command, its literals included, into one slice of octets, and
// leaves to its caller only the literals that are messages. A [Parser] reads the slice
// from left to right and knows nothing of connections: so every command can be parsed
// and fuzzed without one. A [Writer] composes responses in a buffer that it holds only
// while there is something in it.
//
//	connection ─► Reader ─► command, as it was on the wire ─► Parser ─► atoms, strings, sets, …
//	                 └─► Literal: a message of APPEND, octet by octet
package wire
