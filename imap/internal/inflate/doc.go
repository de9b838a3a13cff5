// Package inflate reads DEFLATE (RFC 1951) from a peer that waits for an answer: whatever
// can be decoded of what has come is handed on, before more is waited for.
//
// compress/flate hands on what it has at the empty stored block of a sync flush only, and
// some clients end a command with a partial flush, as RFC 4978 section 4 has it: they would
// never get an answer.
package inflate
