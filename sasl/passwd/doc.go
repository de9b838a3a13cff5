// Package passwd authenticates users from a password file: a [File] is a
// sasl.Authenticator and a sasl.KeyStore.
//
// # The file
//
// One user per line: a name, and what proves that it is them.
//
//	# a comment; blank lines are skipped too
//	alice:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH:{SCRAM-SHA-256}65536,SALT,STORED,SERVER
//	bob:$2y$10$…
//	carol:
//
// The fields after the name are at most one password hash and at most one set of
// SCRAM keys, in any order:
//
//	field                                                        verifies     limits
//	{ARGON2ID}$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH    password     m ≤ 262144, t ≤ 10, p ≤ 16
//	{BLF-CRYPT}$2a$…, $2b$…, $2y$…                               password     cost 4 to 16
//	{SCRAM-SHA-256}ITERATIONS,SALT,STOREDKEY,SERVERKEY           SCRAM and,   4096 to 1000000
//	                                                             without a    iterations
//	                                                             hash, the
//	                                                             password
//
// The names in braces and the layout of the SCRAM keys are Dovecot's; before "$"
// the name may be missing. Argon2id is in PHC string form. A user without any
// field exists, for [File.Canonical], and cannot log in. Everything else is an error
// that names file and line, as is a parameter beyond its limit: a mistyped line
// must not cost every login a second of work.
//
// Names match after SASLprep and without regard to the case of ASCII letters, as
// the users of mail servers expect; the canonical name is as the file spells it.
// Two lines that match one name are an error. Hashes are of the password after
// SASLprep, which changes nothing in printable ASCII. Bcrypt reads 72 octets of a
// password at the most.
//
// Passwords are set with argon2id (m=19456 KiB, t=2, p=1, OWASP's minimum) and
// SCRAM keys (65536 iterations) side by side. Who steals the file attacks the
// weaker of the two, which are the keys: leave them out by hand where no client
// needs SCRAM.
//
// # SCRAM
//
// SCRAM is offered only while everyone who can log in has keys ([File.HasKeys]):
// clients take the strongest mechanism they see, and few try another.
//
// # Who exists
//
// Nothing that a client sees tells an unknown user from a known one. The password
// for an unknown user is hashed with the parameters of one of the file's users,
// chosen by a keyed hash of the name, and denied. SCRAM goes on to the end with
// keys that are such a hash. The key is the line "#secret=BASE64" of the file,
// which the first [File.Set] or [File.Delete] writes, so that an unknown user's
// salt stays the same over a restart, as a known one's does. A file without that
// line gets a secret that lasts as long as the File.
//
// # Changes
//
// The file is read anew when it has changed, which costs one stat(2) per use. If
// it cannot be read then, or has an error, the users stay as they were and the
// error is logged once. Replace the file by a rename: one that is truncated and
// written in place has, for a moment, no users.
package passwd
