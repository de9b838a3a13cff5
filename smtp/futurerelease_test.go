package smtp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/smtp"
)

// A clock of synctest begins at 2000-01-01T00:00:00Z.
func TestFutureReleaseValues(t *testing.T) {
	const outside = "501 5.5.4 The message cannot be held until then"
	tests := []struct{ params, reply, hold string }{
		{"HOLDFOR=600", okMail, "2000-01-01T00:10:00Z"},
		{"HOLDFOR=1", okMail, "2000-01-01T00:00:01Z"},
		{"HOLDFOR=601", outside, ""},
		{"HOLDFOR=999999999", outside, ""},
		{"HOLDFOR=0", bad, ""},
		{"HOLDFOR=060", bad, ""},
		{"HOLDFOR=1000000000", bad, ""},
		{"HOLDFOR=-60", bad, ""},
		{"HOLDFOR=+60", bad, ""},
		{"HOLDFOR=60s", bad, ""},
		{"HOLDFOR", bad, ""},

		{"HOLDUNTIL=2000-01-01T00:10:00Z", okMail, "2000-01-01T00:10:00Z"}, // the maximum that EHLO tells
		{"HOLDUNTIL=2000-01-01T00:05:00.25Z", okMail, "2000-01-01T00:05:00.25Z"},
		{"holduntil=2000-01-01t00:05:00z", okMail, "2000-01-01T00:05:00Z"},
		{"HOLDUNTIL=2000-01-01T00:05:00+00:00", okMail, "2000-01-01T00:05:00Z"},
		{"HOLDUNTIL=2000-01-01T00:10:01Z", outside, ""},
		{"HOLDUNTIL=9999-12-31T23:59:59Z", outside, ""},
		{"HOLDUNTIL=1999-12-31T23:59:59Z", outside, ""},
		{"HOLDUNTIL=0001-01-01T00:00:00Z", bad, ""},
		{"HOLDUNTIL=2000-01-01T01:05:00+01:00", bad, ""}, // not in UTC
		{"HOLDUNTIL=2000-01-01T00:05:00", bad, ""},
		{"HOLDUNTIL=2000-01-01T00:05:00,25Z", bad, ""},
		{"HOLDUNTIL=2000-01-01T0:05:00Z", bad, ""},
		{"HOLDUNTIL=2000-02-30T00:05:00Z", bad, ""},
		{"HOLDUNTIL=2000-01-01", bad, ""},
		{"HOLDUNTIL=600", bad, ""},
		{"HOLDUNTIL", bad, ""},

		// One hold-param only: RFC 4865 section 4.2.
		{"HOLDFOR=60 HOLDFOR=60", twice, ""},
		{"HOLDFOR=60 HOLDUNTIL=2000-01-01T00:05:00Z", "501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other", ""},
		{"HOLDUNTIL=2000-01-01T00:05:00Z HOLDFOR=60", "501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other", ""},

		// RFC 4865 section 5.2.2.
		{"HOLDFOR=60 BY=60;R", okMail, "2000-01-01T00:01:00Z"},
		{"HOLDFOR=61 BY=60;R", "501 5.5.4 The message would be held for longer than BY gives it", ""},
		{"BY=60;N HOLDUNTIL=2000-01-01T00:01:01Z", "501 5.5.4 The message would be held for longer than BY gives it", ""},
	}
	for _, test := range tests {
		t.Run(test.params, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(inbox)
				c := dialServer(t, promising(b, "FUTURERELEASE 600", "DELIVERBY"))
				c.play(t, "G: EHLO\nC: "+toMail+" "+test.params+"\nS: "+test.reply)
				if test.hold == "" {
					return
				}
				c.play(t, "C: "+toRcpt+"\nS: 250 2.1.5 OK\nC: DATA\\r\\n.\nS: 354 ...\nS: 250 ...")
				if got := b.only(t).env.Hold.UTC().Format(time.RFC3339Nano); got != test.hold {
					t.Errorf("held until %s, want %s", got, test.hold)
				}
			})
		})
	}
}

// RFC 4865 section 3 item 3: EHLO tells both maxima, the second as of now.
func TestFutureReleaseOffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := dialServer(t, promising(new(inbox), "FUTURERELEASE 604800"))
		c.play(t, "S: 220 ...")
		for _, want := range []string{"604800 2000-01-08T00:00:00Z", "604800 2000-01-08T00:01:00Z"} {
			if got := c.offered(t, "EHLO")["FUTURERELEASE"]; got != want {
				t.Errorf("EHLO shows %q, want %q", got, want)
			}
			time.Sleep(time.Minute)
		}
		// What was told then is good still.
		c.play(t, "C: "+toMail+" HOLDUNTIL=2000-01-08T00:01:00Z\nS: 250 2.1.0 OK")
	})
}

// RFC 4865 section 4.2: for submission only.
func TestFutureReleaseIsForSubmission(t *testing.T) {
	login := "C: AUTH PLAIN " + b64("\x00user\x00secret") + "\nS: 235 2.7.0 Authentication successful\n"
	hold := "C: MAIL FROM:<a@example.org> HOLDFOR=60\nS: "
	for _, test := range []struct {
		name    string
		server  *smtp.Server
		offered bool
		script  string
	}{
		{"an MTA", &smtp.Server{Auth: users{}}, false, hold + unknown + "\n" + login + hold + okMail},
		{"an MSA", &smtp.Server{Auth: users{}, RequireAuth: true}, true, hold + "530 5.7.0 Authentication required\n" + login + hold + okMail},
		{"a trusted peer", &smtp.Server{Trusted: promising(nil).Trusted}, true, hold + okMail},
		{"LMTP", &smtp.Server{LMTP: true, Auth: users{}, RequireAuth: true}, false, login + hold + unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.server
			s.Receiver, s.TLSConfig, s.Extensions = new(inbox), testTLS(), []string{"FUTURERELEASE 600"}
			hello := map[bool]string{false: "EHLO", true: "LHLO"}[s.LMTP]
			c := dialServer(t, s)
			c.play(t, strings.ReplaceAll(tlsFirst, "EHLO", hello))
			if params, ok := c.offered(t, hello)["FUTURERELEASE"]; ok != test.offered {
				t.Errorf("offered %v: %q", ok, params)
			}
			c.play(t, test.script)
		})
	}
}
