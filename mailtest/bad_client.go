package mailtest

import "slices"

// BadClient is a client that misbehaves in one way.
type BadClient struct {
	Name   string // "silent"
	About  string // what it does
	Script Script
	// Taken is how many messages a server may have accepted at the most when the
	// connection is over.
	Taken int
}

// BadClients is the catalogue. A server's test lets each in, in a bubble of
// testing/synctest where hours take no time:
//
//	for _, b := range mailtest.BadClients() {
//		t.Run(b.Name, func(t *testing.T) {
//			synctest.Test(t, func(t *testing.T) {
//				ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
//				defer cancel()
//				nc, accepted := connect(t)
//				p := &mailtest.Player{Conn: nc, To: "someone@that.it.accepts"}
//				p.Play(ctx, b.Script) // it is no error that the server does not play along
//				nc.Close()
//				if ctx.Err() != nil {
//					t.Errorf("%s: the server puts up with it for ever", b.About)
//				}
//				if n := accepted(); n > b.Taken {
//					t.Errorf("%s: the server took %d messages", b.About, n)
//				}
//			})
//		})
//	}
//
// The bubble itself sees to it that no goroutine outlives its connection. A server
// that lacks STARTTLS, AUTH or CHUNKING refuses their commands, and passes.
func BadClients() []BadClient {
	return slices.Concat(badTalkers(), badAtTLS(), badSenders())
}

// badTalkers misbehave outside of a message.
func badTalkers() []BadClient {
	return []BadClient{
		{Name: "silent", About: "connects and says nothing", Script: "S*"},
		{Name: "gone at once", About: "connects and closes the connection", Script: "C! close"},
		{Name: "reset at once", About: "connects and resets the connection", Script: "C! reset"},
		{Name: "half-closed", About: "connects and will not say anything", Script: "C! half-close\nS*"},
		{Name: "half a command", About: "stops in the middle of a command", Script: "C> EHL\nS*"},
		{Name: "idle", About: "says hello and nothing more", Script: "G: EHLO\nS*"},
		{Name: "idle in a transaction", About: "names a recipient and says nothing more", Script: "G: RCPT\nS*"},
		{Name: "dripping", About: "sends a command, an octet each minute", Script: "C. 1m EHLO a.very.slow.client.example.org.that.takes.its.time\nS*"},
		{Name: "endless line", About: "sends a command without end", Script: "C* EHLO "},
		{Name: "endless zeros", About: "sends nothing but NULs", Script: `C* \0`},
		{Name: "endless newlines", About: "sends nothing but LF", Script: `C* \n`},
		{Name: "endless empty lines", About: "sends nothing but CRLF", Script: `C* \r\n`},
		{Name: "endless junk", About: "sends commands that do not exist, without end", Script: `C* XYZZY\r\n`},
		{Name: "endless NOOP", About: "sends NOOP without end and reads no reply", Script: `C* NOOP\r\n`},
		{Name: "endless MAIL", About: "begins one transaction after the other and reads no reply",
			Script: "G: EHLO\n" + `C* MAIL FROM:<alice@example.org>\r\nRSET\r\n`},
		{Name: "endless RCPT", About: "names recipients without end and reads no reply",
			Script: "G: MAIL\n" + `C* RCPT TO:<bob@example.com>\r\n`},
		{Name: "browser", About: "is a web page that posts mail: nothing after HTTP is meant for a mail server", Script: `
			C: POST / HTTP/1.1
			C: Host: mx.example.com:25
			C: Content-Type: text/plain
			C:
			C: EHLO client.example.org
			C: MAIL FROM:<alice@example.org>
			C: RCPT TO:<bob@example.com>
			C: DATA
			C: Subject: posted
			C:
			C: .
			C: QUIT
			S*`},
	}
}

// badAtTLS misbehave at STARTTLS and AUTH.
func badAtTLS() []BadClient {
	return []BadClient{
		{Name: "TLS at once", About: "begins with a TLS handshake where none is due", Script: `
			C> \x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\r\n\x00\xff\xfe
			S*`},
		{Name: "no handshake", About: "asks for STARTTLS and says nothing more", Script: "G: EHLO\nC: STARTTLS\nS*"},
		{Name: "garbled handshake", About: "asks for STARTTLS and goes on in plaintext: a server that goes on too can be talked into anything",
			Script: "G: EHLO\nC: STARTTLS\nS: 220 ...\nC: EHLO client.example.org\nC: MAIL FROM:<alice@example.org>\nC: NOOP\nS*"},
		{Name: "handshake reset", About: "asks for STARTTLS and resets the connection", Script: "G: EHLO\nC: STARTTLS\nS: 220 ...\nC! reset"},
		{Name: "handshake of another age", About: "knows TLS 1.0 only", Script: "G: EHLO\nC: STARTTLS\nS: 220 ...\nT?\nS*"},
		{Name: "plaintext before the handshake",
			About: "has commands injected before the handshake: what came without TLS must not count as if it came within (CVE-2011-0411)",
			Script: "G: EHLO\n" + `C> STARTTLS\r\nEHLO evil.example.org\r\nMAIL FROM:<evil@example.org>\r\n` + "\n" + `
				S: 220 ...
				T:
				G: RCPT
				G: DATA
				G: .`},
		{Name: "half an AUTH", About: "begins AUTH and says nothing more", Script: "G: EHLO\nC: AUTH PLAIN\nS*"},
		{Name: "AUTH without end", About: "sends passwords without end", Script: "G: EHLO\n" + `C* AUTH PLAIN AGEAYg==\r\n`},
		{Name: "AUTH of a long line", About: "answers a challenge without end", Script: "G: EHLO\nC: AUTH LOGIN\nC* QUFB"},
	}
}

// badSenders misbehave in a message.
func badSenders() []BadClient {
	return []BadClient{
		{Name: "message without a word", About: "asks to send a message and does not", Script: "G: DATA\nS*"},
		{Name: "half a message", About: "stops in the middle of a message", Script: "G: DATA\nC: Subject: half\nS*"},
		{Name: "half an end", About: "stops in the end of a message", Script: "G: DATA\nC: Subject: half\nC:\n" + `C> .\r` + "\nS*"},
		{Name: "dripping message", About: "sends a message, an octet each minute", Script: "G: DATA\nC. 1m Subject: a message that takes its time\nS*"},
		{Name: "message closed", About: "closes the connection in the middle of a message", Script: "G: DATA\nC: Subject: half\nC:\nC! close"},
		{Name: "message half-closed", About: "ends its side in the middle of a message: that is not the end of data",
			Script: "G: DATA\nC: Subject: half\nC:\nC! half-close\nS*"},
		{Name: "message reset", About: "resets the connection in the middle of a message", Script: "G: DATA\nC: Subject: half\nC:\nC! reset"},
		{Name: "commands in half a message", About: "stops in a message whose lines are commands: none of them may be run when time is up",
			Script: "G: DATA\nC: RSET\nC: MAIL FROM:<evil@example.org>\nC: RCPT TO:<bob@example.com>\nC: DATA\nS*"},
		{Name: "endless message", About: "sends a message without end", Script: "G: DATA\n" + `C* a line of a message that goes on and on, and then on and on and on\r\n`},
		{Name: "message of one line", About: "sends a line of a message without end", Script: "G: DATA\nC* abcdefgh"},
		{Name: "message of NULs", About: "sends a message of NULs without end", Script: "G: DATA\n" + `C* \0`},
		{Name: "message of bare LF", About: "sends LF alone without end", Script: "G: DATA\n" + `C* \n.\n`},
		{Name: "gone before the answer", About: "ends the message and closes the connection", Script: "G: DATA\nC: Subject: done\nC:\nC: .\nC! close", Taken: 1},
		{Name: "deaf to the answer", About: "ends the message and reads no reply ever after",
			Script: "G: DATA\nC: Subject: done\nC:\nC: .\n" + `C* NOOP\r\n`, Taken: 1},
		{Name: "half a chunk", About: "closes the connection in the middle of the last chunk (RFC 3030)",
			Script: "G: RCPT\nC: BDAT 1000 LAST\nC: Subject: half\nC! close"},
		{Name: "half a chunk, half-closed", About: "ends its side in the middle of the last chunk: that is not its end",
			Script: "G: RCPT\nC: BDAT 1000 LAST\nC: Subject: half\nC! half-close\nS*"},
		{Name: "no chunk", About: "announces a chunk and says nothing more", Script: "G: RCPT\nC: BDAT 1000 LAST\nS*"},
		{Name: "chunks without end", About: "sends chunks without end, and reads no reply", Script: "G: RCPT\n" + `C* BDAT 10\r\n12345678\r\n`},
		{Name: "chunk of a size that wraps", About: "announces a chunk of 2^64+10 octets, and ten follow",
			Script: "G: RCPT\nC: BDAT 18446744073709551626 LAST\nC: 12345678\nC: NOOP\nS*"},
	}
}
