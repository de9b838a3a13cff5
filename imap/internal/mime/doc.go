// Package mime reads stored messages for the IMAP server: their structure, their
// envelope, their text.
//
// [Scan] reads a message once, from its first octet to its last, and returns the tree
// of its parts: where each begins and ends, and the header values that IMAP asks for,
// raw. It decodes nothing and fails for no message: what a sender got wrong still has
// a structure whose sizes are those of the octets that a client gets for it. Limits
// keep that tree small, whatever the message.
//
//	message ─► Scan ─► Part ─┬─► AppendEnvelope, AppendBodyStructure   as on the wire
//	                         ├─► Find, Part.Section ─► Range           BODY[…]
//	                         │        ├─► HeaderFilter                 BODY[HEADER.FIELDS …]
//	                         │        ├─► NewBinaryReader              BINARY[…]
//	                         │        ├─► Fields, AddressText ─┐
//	                         │        └─► NewTextReader ───────┴─► Matcher   SEARCH
//	                         ├─► Part.Preview                          PREVIEW
//	                         └─► Encode ─► Derived                     all of this from the store's cache
//
// # What is lenient, and how
//
//	no Content-Type, or one that is none      text/plain; in multipart/digest, message/rfc822 (RFC 2046 section 5.1.5)
//	a field twice                             the first counts; addresses of all
//	a line of a header without a colon        is passed over; the header goes on
//	no empty line after the header            there is no body
//	a multipart without boundary or parts     has one empty text part, as in Dovecot: IMAP's grammar wants one
//	no close delimiter                        the end of what is around it
//	a delimiter with more after the boundary  is one all the same (RFC 2046 section 5.1.1)
//	a boundary that begins like another       the longest that fits, of equals the innermost
//	too deep, by Scanner.MaxDepth             application/octet-stream
//	too many parts, by Scanner.MaxParts       the last one goes on to the end of the message
//	a value that is too long                  is cut
//
// The store's contract is that lines end with CRLF. A bare LF ends one too, a bare CR
// does not, and NUL is an octet like others, until it is sent: then it is 0x80, since
// IMAP has no NUL in strings (RFC 9051 section 4.3).
package mime
