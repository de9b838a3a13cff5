package interop_test

import (
	"context"
	"crypto/tls"
	"regexp"
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
	offers   bool // its server offers CHUNKING
	chunks   bool // its client uses it
	notify   bool // NOTIFY by recipient: OpenSMTPD 6.8 adds each recipient's to those before
	quoted   bool // local parts that must be quoted: RFC 5321 section 4.1.2
	body     bool // it says BODY=8BITMIME, and not only takes it
	broken   bool // its server's STARTTLS fails: Debian 12 builds OpenSMTPD 6.8 with an OpenSSL that loses its keys
}{
	{name: "Postfix", start: postfixRelay, utf8: true, pipeline: true, offers: true, notify: true, quoted: true, body: true},
	{name: "Exim", start: exim, utf8: true, pipeline: true, offers: true, chunks: true, notify: true, quoted: true},
	{name: "Sendmail", start: sendmail, pipeline: true, notify: true, quoted: true, body: true},
	{name: "OpenSMTPD", start: opensmtpd, broken: true},
}

func postfixRelay(t testing.TB, onward string) string {
	need(t, "postfix")
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
	relay := &smtp.Relay{
		Hostname: "relay.example.net",
		Resolver: mailtest.NewDNS("example.test MX 10 mx.example.test", "mx.example.test A 127.0.0.1"),
		Port:     mxPort,
	}
	t.Cleanup(func() { relay.Close() })
	return relay
}

// next waits for a message.
func next(t *testing.T, s *mailtest.Sink) *mailtest.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	msg, err := s.Next(ctx)
	if err != nil {
		t.Fatalf("no message came: %v", err)
	}
	return msg
}

// Our Relay hands messages to an MTA with STARTTLS, and the MTA relays them to
// our server with STARTTLS: the envelope, with what RFC 3461 adds to it, and the
// message come through both whole.
func TestRelayToMTAToServer(t *testing.T) {
	for _, mta := range mtas {
		t.Run(mta.name, func(t *testing.T) {
			t.Parallel()
			sink := mailtest.NewSink(t)
			sink.TLS, sink.Config = true, &smtp.Server{Hostname: "mx.example.test", Extensions: []string{"DSN"}}
			relay := relayTo(t, mta.start(t, sink.Addr()))
			wantTLS := "TLS1.3 verified"
			relay.Dialer.TLS, relay.Dialer.TLSConfig = smtp.TLSMandatory, clientTLS()
			if mta.broken {
				// It goes on without TLS, on a new connection, where it may.
				relay.Dialer.TLS, wantTLS = smtp.TLSOpportunistic, ""
			}

			env := &mailparts.Envelope{From: "carol@example.net", Body: "8BITMIME", Ret: "HDRS", EnvID: "QQ+314=159", To: []mailparts.Rcpt{
				{Addr: "alice@example.test", Notify: mailparts.NotifySuccess | mailparts.NotifyDelay, ORcpt: "rfc822;Al+ice=@example.org"}}}
			if mta.notify {
				env.To = append(env.To,
					mailparts.Rcpt{Addr: "bob@example.test", Notify: mailparts.NotifyNever, ORcpt: "rfc822;bob@example.test"},
					mailparts.Rcpt{Addr: "dave@example.test", Notify: mailparts.NotifyFailure, ORcpt: "x400;a/b"})
			}
			if mta.quoted {
				env.To = append(env.To, mailparts.Rcpt{Addr: `"a> b@c"@example.test`})
			}
			relayed(t, relay, env, eightBit, wantTLS)
			got := next(t, sink)
			wantThrough(t, got, env, eightBit)
			if said := got.Envelope.Body == "8BITMIME"; said != mta.body {
				t.Errorf("BODY=%q", got.Envelope.Body)
			}

			// The null sender, and a message that fills many buffers.
			env = &mailparts.Envelope{To: []mailparts.Rcpt{{Addr: "alice@example.test"}}}
			big := letterOf("big", 1<<20)
			relayed(t, relay, env, big, wantTLS)
			wantThrough(t, next(t, sink), env, big)

			env = &mailparts.Envelope{From: "δοκιμή@παράδειγμα.test", Body: "8BITMIME", UTF8: true,
				To: []mailparts.Rcpt{{Addr: "αλίκη@example.test", Notify: mailparts.NotifyFailure, ORcpt: "utf-8;αλίκη@example.org"}}}
			if mta.utf8 {
				relayed(t, relay, env, eightBit, wantTLS)
				got := next(t, sink)
				wantThrough(t, got, env, eightBit)
				if !got.Envelope.UTF8 {
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

// escaped is a character of an address of type utf-8, which may stand for itself
// too: RFC 6533 section 3.
var escaped = regexp.MustCompile(`\\x\{[0-9A-F]+\}`)

// success is a report of it, for two recipients, in whatever order of fields.
var success = regexp.MustCompile(`(?mis)^Action: (relayed|delivered)\b.*^Action: (relayed|delivered)\b`)

// wantThrough checks what came out of an MTA against what went in. An MTA may
// order recipients and fields of the header as it likes, and add ORCPT and fields
// of its own.
func wantThrough(t *testing.T, got *mailtest.Message, env *mailparts.Envelope, msg string) {
	t.Helper()
	if state := got.Envelope.Peer.TLS; state == nil || state.Version != tls.VersionTLS13 {
		t.Error("no TLS 1.3")
	}
	if e := got.Envelope; e.From != env.From || e.Ret != env.Ret || e.EnvID != env.EnvID {
		t.Errorf("from %q RET=%s ENVID=%q, want %q, %s, %q", e.From, e.Ret, e.EnvID, env.From, env.Ret, env.EnvID)
	}
	to := map[mailparts.Address]mailparts.Rcpt{}
	for _, rcpt := range got.Envelope.To {
		to[rcpt.Addr] = rcpt
	}
	if len(to) != len(env.To) {
		t.Errorf("%d recipients, want %d", len(to), len(env.To))
	}
	for _, want := range env.To {
		rcpt, ok := to[want.Addr]
		if want.ORcpt == "" {
			rcpt.ORcpt = ""
		}
		rcpt.ORcpt = escaped.ReplaceAllStringFunc(rcpt.ORcpt, func(s string) string {
			n, _ := strconv.ParseUint(s[3:len(s)-1], 16, 32)
			return string(rune(n))
		})
		if rcpt != want {
			t.Errorf("recipient %s: %v %+v, want %+v", want.Addr, ok, rcpt, want)
		}
	}

	header, body, _ := strings.Cut(string(got.Data), "\r\n\r\n")
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

// Our Relay sends the whole envelope to an MTA in one go, and our server takes one
// that the MTA sends without waiting. Where it is offered the message goes by BDAT.
// As our server has no DSN here, the MTA owes the report of success that our Relay
// has asked it for: RFC 3461 section 5.2.2. It says "relayed", or with Exim "delivered".
func TestRelayToMTAInPlaintext(t *testing.T) {
	for _, mta := range mtas {
		t.Run(mta.name, func(t *testing.T) {
			t.Parallel()
			var in *wire
			sink := mailtest.NewSink(t)
			// The answer to a recipient waits until the peer has named the next one, as
			// only a peer does that does not wait for the answer. (Sendmail does so among
			// recipients, but waits for the answer to MAIL.)
			sink.Filters = []mailparts.Filter{mailparts.OnRcpt(func(ctx context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
				if !mta.pipeline || to.Addr != "alice@example.test" {
					return nil
				}
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				return in.await(ctx, "<bob@example.test>")
			})}
			in = newWire(t, sink.Addr())
			out := newWire(t, mta.start(t, in.addr))
			relay := relayTo(t, out.addr)
			relay.Dialer.TLS = smtp.TLSNone

			env := &mailparts.Envelope{From: "carol@example.net", To: []mailparts.Rcpt{
				{Addr: "alice@example.test", Notify: mailparts.NotifySuccess}, {Addr: "bob@example.test", Notify: mailparts.NotifySuccess}}}
			if err := relay.Deliver(t.Context(), env, strings.NewReader(letter)); err != nil {
				t.Fatal(err)
			}
			got := next(t, sink)
			wantLetter(t, string(got.Data))
			if to := got.Envelope.To; len(to) != 2 {
				t.Errorf("recipients: %v", to)
			}
			report := next(t, sink)
			if to := report.Envelope.To; report.Envelope.From != "" || len(to) != 1 || to[0].Addr != "carol@example.net" ||
				!success.Match(report.Data) {
				t.Errorf("report from %q to %v:\n%s", report.Envelope.From, to, report.Data)
			}
			if got := out.together("MAIL FROM:", "RCPT TO:<alice@", "RCPT TO:<bob@"); got != mta.pipeline {
				t.Errorf("pipelined to the MTA: %v", got)
			}
			if got := strings.Contains(out.String(), "\nBDAT "); got != mta.offers {
				t.Errorf("BDAT to the MTA: %v", got)
			}
			if got := strings.Contains(in.String(), "\nBDAT "); got != mta.chunks {
				t.Errorf("BDAT from the MTA: %v", got)
			}
			if t.Failed() {
				t.Logf("to the MTA:\n%s\nfrom it:\n%s", out, in)
			}
		})
	}
}
