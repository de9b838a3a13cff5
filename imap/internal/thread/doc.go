// Package thread puts messages into threads, and finds what SORT and THREAD compare of
// their subjects (RFC 5256).
//
//	BaseSubject, Collate   what is the same in subjects, and how text is ordered
//	Ordered                THREAD=ORDEREDSUBJECT
//	References             THREAD=REFERENCES
//
// Both threaders take messages one by one in the order of the mailbox, and keep of each
// what they need.
package thread
