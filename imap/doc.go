// Package imap is an IMAP4rev1 and IMAP4rev2 server for any mailparts.Backend.
package imap
