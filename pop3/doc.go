// Package pop3 is a POP3 server (RFC 1939) in front of a mailparts.Backend: a
// user's INBOX, downloaded and deleted.
//
//	srv := &pop3.Server{
//		Addr:      ":110",
//		Backend:   backend,       // maildir, mailtest.Memory, …
//		Auth:      authenticator, // sasl/passwd, …
//		TLSConfig: tlsConfig,     // offers STLS
//	}
//	log.Fatal(srv.ListenAndServe())
//
// # Sessions
//
// A session locks the maildrop and takes a snapshot of it at login: the numbers,
// sizes and unique-ids that a client sees do not change until it leaves, and new
// mail waits for the next session. Messages are removed by QUIT, all at once, and
// by nothing else: whoever drops the connection, is logged out for inactivity or
// meets a shutdown has deleted nothing.
//
//	state          commands                                leaves by
//	AUTHORIZATION  CAPA STLS USER PASS AUTH QUIT           PASS or AUTH: the maildrop is locked
//	TRANSACTION    CAPA STAT LIST UIDL RETR TOP            QUIT
//	               DELE RSET NOOP QUIT
//	UPDATE         none: messages are removed              by itself: unlocked, closed
//
// # Standards
//
//	RFC 1939  POP3           all but APOP, whose digest needs passwords stored in clear
//	RFC 2449  CAPA           TOP UIDL USER SASL RESP-CODES PIPELINING; not EXPIRE,
//	                         LOGIN-DELAY and IMPLEMENTATION: the server has no policy to tell
//	RFC 2595  STLS           nothing is carried across, in either direction
//	RFC 3206  SYS and AUTH   AUTH-RESP-CODE
//	RFC 5034  AUTH           every sasl.Mechanism, initial responses
//	RFC 8314  TLS            passwords only under TLS, unless AllowInsecureAuth
//
// # Replies to errors
//
// Only an error of the root package's vocabulary says more to the client than
// that it should try again later; see errors.go for the table.
package pop3
