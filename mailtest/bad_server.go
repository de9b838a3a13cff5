package mailtest

import (
	"slices"
	"testing"
)

// BadServer is a server that misbehaves in one way.
type BadServer struct {
	Name   string // "silent"
	About  string // what it does, and where it matters what a client should do
	Script Script

	// Delivered says that the message is the server's before it misbehaves: a client
	// that takes this for a failure sends it twice. With all others it must neither
	// say that the message was delivered nor give it up: the error is temporary.
	Delivered bool
}

// Start starts a server that does it to every connection, whatever the client
// says. It stops with the test.
func (b BadServer) Start(t testing.TB) *ScriptServer {
	t.Helper()
	return startScripts(t, []Script{b.Script}, true)
}

// BadServers is the catalogue. A client's test sends a message of one recipient to
// each, in a bubble of testing/synctest where hours take no time:
//
//	for _, b := range mailtest.BadServers() {
//		t.Run(b.Name, func(t *testing.T) {
//			synctest.Test(t, func(t *testing.T) {
//				start := time.Now()
//				err := send(t.Context(), b.Start(t).Dial)
//				if time.Since(start) > time.Hour {
//					t.Error("it takes for ever")
//				}
//				if b.Delivered != (err == nil) || isPermanent(err) {
//					t.Errorf("%s: %v", b.About, err)
//				}
//			})
//		})
//	}
//
// Some servers send without end. A client that takes [MaxFlood] octets of it, as one
// does that reads lines of any length, fails the test, and the connection is closed.
// net/smtp is such a client: leave out "endless" and "without end", by the Name, for
// those that are to pass all the same.
// A client without timeouts of its own needs a deadline on what Dial returns. Whatever
// a client does that the server does not expect, it closes the connection.
// Those that offer STARTTLS and AUTH take no mail without; a client that has no use
// for AUTH passes where it fails for that reason.
func BadServers() []BadServer {
	return slices.Concat(badGreetings(), badHellos(), badTransactions(), badChunks(), badMessages())
}

// hello is a script up to where the reply to EHLO is due.
const hello = "G: EHLO\n"

func badGreetings() []BadServer {
	return []BadServer{
		{Name: "silent", About: "says nothing at all", Script: "C*"},
		{Name: "deaf", About: "says nothing and reads nothing", Script: "W:"},
		{Name: "closes at once", About: "closes the connection before the greeting", Script: "S! close"},
		{Name: "resets at once", About: "resets the connection before the greeting", Script: "S! reset"},
		{Name: "half a greeting", About: "stops in the greeting", Script: "S> 220 mx\nC*"},
		{Name: "greeting cut off", About: "closes the connection in the greeting", Script: "S> 220 mx"},
		{Name: "dripping greeting", About: "greets, an octet every two minutes, and then goes on",
			Script: "S. 2m 220 mx.example.com, the slowest server of them all, is at your service\nC*"},
		{Name: "busy greeting", About: "greets with 421", Script: "S: 421 4.3.2 Try again later"},
		{Name: "greeting of data", About: "greets with 354", Script: "S: 354 Go ahead\nC*"},
		{Name: "greeting without meaning", About: "greets with a code that does not exist", Script: "S: 999 mx.example.com\nC*"},
		{Name: "greeting without a code", About: "greets as a program that is no mail server", Script: "S: HTTP/1.1 400 Bad Request\nS:\nC*"},
		{Name: "binary greeting", About: "speaks TLS at once", Script: `S> \x15\x03\x01\x00\x02\x02\x28\x16\x03\x01\x00\xff\xfe` + "\nC*"},
		{Name: "endless greeting", About: "greets in lines without end", Script: `S* 220-mx.example.com\r\n`},
		{Name: "endless line", About: "greets in a line without end", Script: "S* 220 mx.example.com "},
		{Name: "endless zeros", About: "sends nothing but NULs", Script: `S* \0`},
		{Name: "half-closed", About: "greets, and then ends its side", Script: "S: 220 mx.example.com ESMTP\nS! half-close\nC*"},
	}
}

func badHellos() []BadServer {
	const starttls = hello + "S: 250-mx.example.com\nS: 250 STARTTLS\nC: STARTTLS\n"
	const auth = hello + "S: 250-mx.example.com\nS: 250 AUTH PLAIN LOGIN\nC: AUTH ...\n"
	return []BadServer{
		{Name: "EHLO without a reply", About: "does not answer EHLO", Script: hello + "C*"},
		{Name: "EHLO of data", About: "answers EHLO with 354", Script: hello + "S: 354 Go ahead\nC*"},
		{Name: "EHLO of two minds", About: "answers EHLO in lines of different codes",
			Script: hello + "S: 250-mx.example.com\nS: 550 5.7.1 Or rather not\nC*"},
		{Name: "EHLO without end", About: "offers extensions without end", Script: hello + `S* 250-XTENSION\r\n`},
		{Name: "EHLO cut off", About: "closes the connection in the reply to EHLO", Script: hello + "S: 250-mx.example.com\nS> 250-PIPEL"},
		{Name: "EHLO of nonsense", About: "offers extensions with malformed parameters, and is a good server otherwise: they are to be ignored",
			Script:    hello + "S: 250-mx.example.com\nS: 250-SIZE many\nS: 250-SIZE 99999999999999999999999\nS: 250-=\nS: 250-\nS: 250-LIMITS RCPTMAX=-1\nS: 250 8BITMIME\nG: QUIT",
			Delivered: true},
		{Name: "STARTTLS without a reply", About: "does not answer STARTTLS", Script: starttls + "C*"},
		{Name: "no handshake", About: "agrees to STARTTLS and says nothing more", Script: starttls + "S: 220 2.0.0 Go ahead\nC*"},
		{Name: "garbled handshake", About: "agrees to STARTTLS and goes on in plaintext",
			Script: starttls + "S: 220 2.0.0 Go ahead\nS: 250 2.0.0 OK\nS: 250 2.0.0 OK\nC*"},
		{Name: "handshake of another age", About: "knows TLS 1.0 only", Script: starttls + "S: 220 2.0.0 Go ahead\nT!"},
		{Name: "handshake reset", About: "agrees to STARTTLS and resets the connection", Script: starttls + "S: 220 2.0.0 Go ahead\nS! reset"},
		{Name: "plaintext before the handshake",
			About: "has replies injected before the handshake: what came without TLS must not count as if it came within (CVE-2011-0411)",
			Script: starttls + `S> 220 2.0.0 Go ahead\r\n250 mx.example.com\r\n250 OK\r\n250 OK\r\n354 Go ahead\r\n250 OK\r\n221 Bye\r\n` +
				"\nT:\nC*"},
		{Name: "AUTH without end", About: "answers AUTH with challenges without end", Script: auth + `S* 334 \r\n`},
		{Name: "AUTH of nonsense", About: "sends a challenge that is not base64", Script: auth + "S: 334 ***\nC*"},
		{Name: "AUTH without a reply", About: "does not answer AUTH", Script: auth + "C*"},
	}
}
