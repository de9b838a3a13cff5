// Package interop holds no code, only tests: real programs that nobody here
// wrote (Postfix, Dovecot, fetchmail, swaks, msmtp, …) talk to examples/mailserver
// and to the packages, over loopback, each with its files in a temporary folder.
//
// A test is skipped with a word where its programs are not installed. With
// MAILPARTS_INTEROP=required, as in .ci/run, it fails instead.
package interop
