// Package dns is a stub resolver: it asks the recursive name servers of
// /etc/resolv.conf, or those it is given, and implements mailparts.Resolver.
//
// It tells apart what package net does not, and what mail must not confuse:
//
//	the reply says                       Lookup returns
//	records (aliases followed)           the records with their TTLs, and the AD bit
//	NXDOMAIN                             mailparts.ErrNoDomain
//	no error, no such records (NODATA)   mailparts.ErrNoRecords
//	SERVFAIL, REFUSED, anything else     another error, after every server was asked
//	nothing in time                      another error, after every server was asked
//
// A name that the DNS cannot hold (an empty one, an IP address, one that is too
// long or no IDN) leads to mailparts.ErrNoDomain: no retry can help.
//
// There is no search list, no cache and no DNSSEC validation here: a validating
// server on a trusted path does that and says so by the AD bit (RFC 4035 section
// 3.2.3), which every query asks for (RFC 6840 section 5.7).
package dns
