package interop_test

import (
	"context"
	"crypto/tls"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// mtas are other people's MTAs. Each takes all mail at addr, with STARTTLS, and
// relays it to the server at onward. What it has of SMTP is what its own client
// does and its own server offers.
var mtas = []struct {
	name  string
	start func(t testing.TB, onward string) (addr string)

	utf8     bool // SMTPUTF8
	pipeline bool // PIPELINING
	quoted   bool // local parts that must be quoted: RFC 5321 section 4.1.2
	body     bool // it says BODY=8BITMIME, and not only takes it
	broken   bool // its server's STARTTLS fails: Debian 12 builds OpenSMTPD 6.8 with an OpenSSL that loses its keys
}{
	{name: "Postfix", start: postfixRelay, utf8: true, pipeline: true, quoted: true, body: true},
	{name: "Exim", start: exim, utf8: true, pipeline: true, quoted: true},
	{name: "Sendmail", start: sendmail, pipeline: true, quoted: true, body: true},
	{name: "OpenSMTPD", start: opensmtpd, broken: true},
}

func postfixRelay(t testing.TB, onward string) string {
	cert, key := certificate(t, "root")
	return postfix(t, "relayhost = [127.0.0.1]:"+port(onward), "smtpd_tls_security_level = may",
		"smtpd_tls_cert_file = "+cert, "smtpd_tls_key_file = "+key)
}

// A message of 8 bits whose lines want dot-stuffing, and with all the fields that
// an MTA would add.
const eightBit = "Date: Mon, 06 Jan 2025 10:00:00 +0000\r\n" +
	"From: Carol <carol@example.net>\r\n" +
	"To: alice@example.test, bob@example.test\r\n" +
	"Message-ID: <interop@example.net>\r\n" +
	"Subject: past many hands\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"\r\n" +
	"Καλημέρα\r\n" +
	".a dot, and a lone one:\r\n" +
	".\r\n" +
	"\r\n" +
	"Carol\r\n"

// relayTo is our Relay to the MTA at addr, which is the MX of example.test.
func relayTo(t *testing.T, addr string) *smtp.Relay {
	mxPort, err := strconv.Atoi(port(addr))
	if err != nil {
		t.Fatal(err)
	}
	return &smtp.Relay{
		Hostname: "relay.example.net",
		Resolver: mailtest.NewDNS("example.test MX 10 mx.example.test", "mx.example.test A 127.0.0.1"),
		Port:     mxPort,
	}
}

// Our Relay hands messages to an MTA with STARTTLS, and the MTA relays them to
// our server with STARTTLS: the envelope and the message come through both whole.
func TestRelayToMTAToServer(t *testing.T) {
	for _, mta := range mtas {
		t.Run(mta.name, func(t *testing.T) {
			t.Parallel()
			mail := make(sink, 1)
			addr := mta.start(t, serve(t, listen(t), &smtp.Server{
				Hostname: "mx.example.test", Receiver: mailparts.AsReceiver(mail), TLSConfig: serverTLS()}))
			relay := relayTo(t, addr)
			wantTLS := "TLS1.3 verified"
			relay.Dialer.TLS, relay.Dialer.TLSConfig = smtp.TLSMandatory, clientTLS()
			if mta.broken {
				// It goes on without TLS, on a new connection, where it may.
				relay.Dialer.TLS, wantTLS = smtp.TLSOpportunistic, ""
			}

			env := &mailparts.Envelope{From: "carol@example.net", Body: "8BITMIME",
				To: []mailparts.Rcpt{{Addr: "alice@example.test"}, {Addr: "bob@example.test"}}}
			if mta.quoted {
				env.To = append(env.To, mailparts.Rcpt{Addr: `"a> b@c"@example.test`})
			}
			relayed(t, relay, env, eightBit, wantTLS)
			got := mail.next(t)
			wantThrough(t, got, env, eightBit)
			if said := got.env.Body == "8BITMIME"; said != mta.body {
				t.Errorf("BODY=%q", got.env.Body)
			}

			// The null sender, and a message that fills many buffers.
			env = &mailparts.Envelope{To: []mailparts.Rcpt{{Addr: "alice@example.test"}}}
			big := letterOf("big", 1<<20)
			relayed(t, relay, env, big, wantTLS)
			wantThrough(t, mail.next(t), env, big)

			env = &mailparts.Envelope{From: "δοκιμή@παράδειγμα.test", Body: "8BITMIME", UTF8: true,
				To: []mailparts.Rcpt{{Addr: "αλίκη@example.test"}}}
			if mta.utf8 {
				relayed(t, relay, env, eightBit, wantTLS)
				got := mail.next(t)
				wantThrough(t, got, env, eightBit)
				if !got.env.UTF8 {
					t.Error("SMTPUTF8 is gone")
				}
			} else if err := relay.Deliver(t.Context(), env, strings.NewReader(eightBit)); err == nil || !strings.Contains(err.Error(), "5.6.7") {
				t.Errorf("without SMTPUTF8 there: %v, want 5.6.7", err)
			}
		})
	}
}

// relayed delivers, and checks that it was under that TLS.
func relayed(t *testing.T, relay *smtp.Relay, env *mailparts.Envelope, msg, wantTLS string) {
	t.Helper()
	receipts := 0
	ctx := mailparts.WithReceipts(t.Context(), func(to mailparts.Rcpt, r mailparts.Receipt) {
		receipts++
		if r.TLS != wantTLS || !strings.HasPrefix(r.Reply, "250") {
			t.Errorf("receipt for %s: %+v", to.Addr, r)
		}
	})
	if err := relay.Deliver(ctx, env, strings.NewReader(msg)); err != nil {
		t.Fatal(err)
	}
	if receipts != len(env.To) {
		t.Errorf("%d receipts for %d recipients", receipts, len(env.To))
	}
}

// wantThrough checks what came out of an MTA against what went in. An MTA may
// order the fields of the header as it likes, and add its own.
func wantThrough(t *testing.T, got received, env *mailparts.Envelope, msg string) {
	t.Helper()
	if got.env.Peer.TLS == nil || got.env.Peer.TLS.Version != tls.VersionTLS13 {
		t.Error("no TLS 1.3")
	}
	if got.env.From != env.From || !slices.Equal(addresses(&got.env), addresses(env)) {
		t.Errorf("from %q to %q, want from %q to %q", got.env.From, addresses(&got.env), env.From, addresses(env))
	}
	header, body, _ := strings.Cut(got.msg, "\r\n\r\n")
	wantHeader, wantBody, _ := strings.Cut(msg, "\r\n\r\n")
	if body != wantBody {
		t.Errorf("the body has %d octets, not the %d that were sent; it ends %q", len(body), len(wantBody), body[max(0, len(body)-100):])
	}
	for field := range strings.SplitSeq(wantHeader, "\r\n") {
		if !strings.Contains("\r\n"+header+"\r\n", "\r\n"+field+"\r\n") {
			t.Errorf("the header has no %q:\n%s", field, header)
		}
	}
}

// addresses are the recipients, in an order that no MTA changes.
func addresses(env *mailparts.Envelope) (all []mailparts.Address) {
	for _, to := range env.To {
		all = append(all, to.Addr)
	}
	slices.Sort(all)
	return all
}

// Our Relay sends the whole envelope to an MTA in one go, and our server takes one
// that the MTA sends without waiting.
func TestPipelining(t *testing.T) {
	for _, mta := range mtas {
		t.Run(mta.name, func(t *testing.T) {
			t.Parallel()
			mail, in, out := make(sink, 1), newWire(), newWire()
			l, err := in.listen()
			if err != nil {
				t.Fatal(err)
			}
			// The answer to a recipient waits until the peer has named the next one, as
			// only a peer does that does not wait for the answer. (Sendmail does so among
			// recipients, but waits for the answer to MAIL.)
			pipelined := mailparts.OnRcpt(func(ctx context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
				if !mta.pipeline || to.Addr != "alice@example.test" {
					return nil
				}
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				return in.await(ctx, "<bob@example.test>")
			})
			addr := mta.start(t, serve(t, l, &smtp.Server{
				Hostname: "mx.example.test", Receiver: mailparts.Chain(mailparts.AsReceiver(mail), pipelined)}))
			relay := relayTo(t, addr)
			relay.Dialer.TLS, relay.Dialer.NetDial = smtp.TLSNone, out.dial

			env := &mailparts.Envelope{From: "carol@example.net", To: []mailparts.Rcpt{{Addr: "alice@example.test"}, {Addr: "bob@example.test"}}}
			if err := relay.Deliver(t.Context(), env, strings.NewReader(letter)); err != nil {
				t.Fatal(err)
			}
			if got := out.together("MAIL FROM:", "RCPT TO:<alice@", "RCPT TO:<bob@"); got != mta.pipeline {
				t.Errorf("pipelined to the MTA: %v", got)
			}
			if got := mail.next(t); len(got.env.To) != 2 {
				t.Errorf("recipients: %q", addresses(&got.env))
			}
			if t.Failed() {
				t.Logf("to the MTA:\n%s\nfrom it:\n%s", out.client(), in.client())
			}
		})
	}
}
