package smtp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gosasl "github.com/emersion/go-sasl"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// misbehaviourWays are those in which our client may be used.
var misbehaviourWays = map[string]func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error{
	"Client": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		return session(t.Context(), &smtp.Dialer{Hostname: "client.example", NetDial: dial}, msg)
	},
	"Client with AUTH": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		d := &smtp.Dialer{Hostname: "client.example", NetDial: dial, TLS: smtp.TLSNone}
		d.Auth = func(mechanisms []string) (gosasl.Client, error) {
			if len(mechanisms) == 0 {
				return nil, errors.New("no mechanism")
			}
			return gosasl.NewPlainClient("", "user", "secret"), nil
		}
		return session(t.Context(), d, msg)
	},
	"Client of LMTP": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		return session(t.Context(), &smtp.Dialer{Hostname: "client.example", NetDial: dial, LMTP: true}, msg)
	},
	"Client step by step": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		c, err := (&smtp.Dialer{Hostname: "client.example", NetDial: dial}).Dial(t.Context(), fakeAddr)
		if err != nil {
			return err
		}
		defer c.Quit(t.Context())
		env := letter("b@example.com")
		if err := c.Mail(t.Context(), env); err != nil {
			return err
		}
		if err := c.Rcpt(t.Context(), &env.To[0]); err != nil {
			return err
		}
		_, err = c.Data(t.Context(), msg)
		return err
	},
	"Relay": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		zone := mailtest.NewDNS("example.com MX 10 mx.example.com", "mx.example.com A 192.0.2.1", "mx.example.com A 192.0.2.2")
		r := &smtp.Relay{Hostname: "client.example", Resolver: zone, Dialer: smtp.Dialer{NetDial: dial}}
		return r.Deliver(t.Context(), letter("b@example.com"), msg)
	},
	"Relay to a smarthost": func(t *testing.T, dial mailtest.DialFunc, msg io.Reader) error {
		r := &smtp.Relay{Hostname: "client.example", Smarthost: fakeAddr, Dialer: smtp.Dialer{NetDial: dial}}
		return r.Deliver(t.Context(), letter("b@example.com"), msg)
	},
}

// Whatever a server does, mail is neither lost nor given up, and in the end there
// is an answer.
func TestBadServers(t *testing.T) {
	for way, send := range misbehaviourWays {
		t.Run(way, func(t *testing.T) {
			for _, b := range mailtest.BadServers() {
				t.Run(b.Name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						start := time.Now()
						err := send(t, b.Start(t).Dial, text("hello\r\n"))
						if took := time.Since(start); took > time.Hour {
							t.Errorf("%s: it took %v", b.About, took)
						}
						if b.Delivered && way != "Client with AUTH" && err != nil {
							t.Errorf("%s: the message is said to be undelivered: %v", b.About, err)
						}
						if !b.Delivered && (err == nil || !mailparts.AsError(mailparts.RcptError(err, 0)).Temporary()) {
							t.Errorf("%s: %v", b.About, err)
						}
					})
				})
			}
		})
	}
}

// Whatever a client does, the server is rid of it in the end, has taken nothing
// that it did not send, and serves the next one.
func TestBadClients(t *testing.T) {
	for name, set := range map[string]func(s *smtp.Server){
		"SMTP with TLS and AUTH": func(s *smtp.Server) { s.TLSConfig, s.Auth = testTLS(), users{} },
		"LMTP, normalizing":      func(s *smtp.Server) { s.LMTP, s.NormalizeLines = true, true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some send all that the server puts up with
			for _, b := range mailtest.BadClients() {
				t.Run(b.Name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						in := new(inbox)
						s := &smtp.Server{Receiver: in, MaxMessageBytes: 1 << 20}
						s.SetMinDiscard(2 << 20)
						set(s)
						l := startServer(t, s)
						ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
						defer cancel()
						p := &mailtest.Player{Conn: connectTo(t, l).Conn, LMTP: s.LMTP}
						p.Play(ctx, b.Script)
						p.Conn.Close()
						if ctx.Err() != nil {
							t.Errorf("%s: the server puts up with it for ever", b.About)
						}
						synctest.Wait()
						if n := in.count(); n > b.Taken || in.open != 0 {
							t.Errorf("%s: %d messages, %d transactions open", b.About, n, in.open)
						}
						next := &mailtest.Player{Conn: connectTo(t, l).Conn, LMTP: s.LMTP}
						if err := next.Play(ctx, "G: ."); err != nil {
							t.Errorf("%s: after that: %v", b.About, err)
						}
					})
				})
			}
		})
	}
}

// A request of HTTP ends the connection whatever else is wrong with it: what comes
// after it is not the client's own.
func TestHTTPRequestEndsTheConnection(t *testing.T) {
	for _, request := range []string{
		`GET / HTTP/1.1`,
		`post /`,
		`OPTIONS * HTTP/1.1`,
		`CONNECT\r`,
		`PUT /\xff`,
		`HEAD /` + strings.Repeat("x", 4000),
	} {
		t.Run(request[:6], func(t *testing.T) {
			in := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: in})
			c.play(t, "S: 220 ...\nC: "+request+"\nC: EHLO x\nC: MAIL FROM:<a@example.org>")
			var last string
			for l, err := c.r.ReadString('\n'); err == nil; l, err = c.r.ReadString('\n') {
				last = l
			}
			if last != "421 4.7.0 This is no web server, closing the connection\r\n" || in.closed != 0 {
				t.Errorf("last %q, %d transactions", last, in.closed)
			}
		})
	}
}
