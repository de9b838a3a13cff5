// Package throttle limits how often things happen: connections, messages,
// recipients, and recipients that do not exist, each per user, address or network.
//
// One type, a [Limiter], is a rate for each of many keys. Its methods are the
// places of a server where it has its say:
//
//	method          for                       counts                     refuses with
//	Admit           smtp.Server.Admit         connections                421 4.7.0
//	Mail            mailparts.OnMail          messages                   450 4.7.1
//	Rcpt            mailparts.OnRcpt          recipients                 452 4.5.3
//	FailedRcpts     mailparts.Chain           recipients refused for     421 4.7.0
//	                                          good by what is inside
//	Take            anything else             what the caller says       -
//
// All refusals are temporary, since waiting helps (RFC 3463 sections 3.6 and 3.8):
// a server that is slowed down sends again, and no mail is lost by it.
//
//	perUser := &throttle.Limiter{Events: 500, Per: time.Hour, By: throttle.User}
//	perAddr := &throttle.Limiter{Events: 60, Per: time.Minute}
//	guesses := &throttle.Limiter{Events: 20, Per: time.Hour}
//	s := &smtp.Server{
//		Admit:    perAddr.Admit,
//		Receiver: mailparts.Chain(q, guesses.FailedRcpts, mailparts.OnRcpt(perUser.Rcpt), mailparts.OnRcpt(local.Check)),
//	}
//
// What was counted is in memory of a fixed size: another process counts for
// itself, and a restart begins anew.
package throttle
