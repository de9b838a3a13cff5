// Package crlf is the line ends of messages that have LF on disk and CRLF on the
// wire, for the stores. Both directions are exact by one rule: on writing, CRLF
// becomes LF unless the octet before it is CR; on reading, an LF not after a CR
// becomes CRLF. So whatever is written comes back to the octet, but for a bare LF,
// which comes back as CRLF. What has CRLF on disk is read by the same rule.
package crlf
