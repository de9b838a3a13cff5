// Package dnscheck asks whether a domain's mail DNS is clean: which hosts take
// its mail, which addresses they have, what the reverse zone calls these, how the
// servers there greet, and whether all of that agrees.
//
// A [Report] is data: hosts with their addresses, and findings with a code that
// never changes its meaning. Its String is for people.
//
//	code             severity  says that                                     reference
//	no-domain        error     the domain does not exist                     RFC 5321 5.1
//	null-mx          info      the domain takes no mail, and says so         RFC 7505 3
//	null-mx-beside   error     a null MX stands beside other MX records      RFC 7505 3
//	no-mx            info      there is no MX: the domain is its own         RFC 5321 5.1
//	mx-alias         error     an MX names an alias (CNAME)                  RFC 5321 5.1, RFC 2181 10.3
//	mx-literal       error     an MX names an IP address                     RFC 5321 5.1
//	mx-no-address    error     an MX has neither A nor AAAA records          RFC 5321 5.1
//	private-address  error     an MX has an address no one else can reach    RFC 6890 2.2
//	no-ptr           warning   an address has no name in the reverse zone    RFC 1912 2.1
//	ptr-mismatch     warning   none of these names leads back to it          RFC 8601 3
//	unreachable      error     no connection to the address                  RFC 5321 5.1
//	timeout          error     no connection or no greeting in time          RFC 5321 4.5.3.2.1
//	not-220          error     the server greets with another reply          RFC 5321 4.3.1
//	greeting-name    warning   the greeting gives the name of another host   RFC 5321 4.3.1
//	lookup-failed    warning   the DNS gave no answer: nothing is known      RFC 5321 5.1
//	not-checked      info      there is more than this package looks at      -
//
// For a server that receives mail there is one check of its own: [RefuseNullMX].
package dnscheck
