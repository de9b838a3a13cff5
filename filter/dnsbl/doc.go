// Package dnsbl asks lists in the DNS about those who send mail (RFC 5782): lists
// of addresses, IPv4 and IPv6, and of domains, to refuse (DNSBL) or to allow
// (DNSWL).
//
//	lists := &dnsbl.Checker{Lists: []dnsbl.List{
//		{Zone: "bad.example.com"},
//		{Zone: "good.example.com", Weight: -1},
//	}}
//	s := &smtp.Server{Admit: lists.Admit, Receiver: q}
//
// The weights of all lists that have a peer make its score, and from Threshold on
// it is refused:
//
//	method  for                 asks about                   refuses      marks
//	Admit   smtp.Server.Admit   the address                  the peer     nothing
//	Mail    mailparts.OnMail    and the sender's domain      the sender   Envelope.Attrs
//
// Use one of them. Admit is the earlier one, and is for a server that only takes
// mail from others: at a submission server it would refuse users, whose address
// at home is on many a list, before they can authenticate. Whoever is
// authenticated or trusted is never asked about.
//
// What a list answers means:
//
//	an A record in 127.0.0.0/8        listed, if the List has that code
//	any other A record                nothing: this is no list (section 2.3)
//	no such domain, no such records   not listed
//	no answer in time, a failure      nothing: mail passes
//
// There is no cache here: that of the name server keeps to the TTLs (section 6).
package dnsbl
