// Package spamd is a filter that asks SpamAssassin's spamd, by its protocol
// SPAMC/1.5, and adds the X-Spam fields that spamd gives a message.
//
//	spam := &spamd.Client{Addr: "localhost:783", RejectAt: 10}
//	receiver := mailparts.Chain(mailparts.AsReceiver(queue), mailparts.OnData(spam.Wrap))
//
// What becomes of a message:
//
//	spamd says                      the message
//	a score below RejectAt          goes on with spamd's X-Spam fields on top
//	a score of RejectAt or more     is refused: 550 5.7.1
//	nothing (down, slow, garbage)   goes on unmarked, or waits by 451 if FailClosed
//	not asked: beyond MaxSize       goes on unmarked
//
// X-Spam fields from outside are taken off in every case, so that those which a
// message has after this filter are spamd's word. All else of it stays octet for
// octet: which fields there are is the add_header settings of spamd, but what
// its rewrite_header and report_safe would change besides is left alone.
package spamd
