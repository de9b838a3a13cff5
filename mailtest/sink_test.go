package mailtest_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	netsmtp "net/smtp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

func TestSinkOverTCP(t *testing.T) {
	s := mailtest.NewSink(t)
	if err := netsmtp.SendMail(s.Addr(), nil, "app@example.net", []string{"alice@example.test"}, []byte(note)); err != nil {
		t.Fatal(err)
	}
	m, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Envelope.From != "app@example.net" || len(m.Envelope.To) != 1 || m.Envelope.To[0].Addr != "alice@example.test" {
		t.Errorf("envelope %+v", m.Envelope)
	}
	if string(m.Data) != note || !strings.HasPrefix(string(m.Received), "Received: from ") {
		t.Errorf("got %q after %q", m.Data, m.Received)
	}
}

// sinkClient dials in memory.
func sinkClient(t *testing.T, s *mailtest.Sink, set func(d *smtp.Dialer)) (*smtp.Client, error) {
	t.Helper()
	d := &smtp.Dialer{NetDial: s.Dial, TLSConfig: s.TLSConfig}
	if set != nil {
		set(d)
	}
	c, err := d.Dial(t.Context(), "localhost:25")
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// Next and Wait wait for messages that come later, by the clock of a bubble.
func TestSinkWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mailtest.NewSink(t)
		go func() {
			for range 3 {
				time.Sleep(time.Hour)
				c, err := sinkClient(t, s, nil)
				if err == nil {
					err = c.Deliver(t.Context(), envelope("a@example.org", "b@example.com"), strings.NewReader(note))
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
		start := time.Now()
		if _, err := s.Next(t.Context()); err != nil || time.Since(start) != time.Hour {
			t.Errorf("Next: %v after %v", err, time.Since(start))
		}
		all, err := s.Wait(t.Context(), 3)
		if err != nil || len(all) != 3 || time.Since(start) != 3*time.Hour {
			t.Errorf("Wait: %d messages, %v after %v", len(all), err, time.Since(start))
		}
		for i := 1; i < 3; i++ {
			if m, err := s.Next(t.Context()); err != nil || m != all[i] {
				t.Errorf("Next gives %p, %v, want message %d", m, err, i)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if all, err := s.Wait(ctx, 4); !errors.Is(err, context.DeadlineExceeded) || len(all) != 3 {
			t.Errorf("Wait: %d messages, %v", len(all), err)
		}
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next: %v", err)
		}
		if len(s.Messages()) != 3 {
			t.Errorf("%d messages", len(s.Messages()))
		}
	})
}

// A test refuses, defers and stalls as it likes.
func TestSinkFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mailtest.NewSink(t)
		s.Filters = []mailparts.Filter{
			mailparts.OnRcpt(func(_ context.Context, _ *mailparts.Envelope, to *mailparts.Rcpt) error {
				if to.Addr.Local() == "nobody" {
					return &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
				}
				return nil
			}),
			mailparts.OnData(func(next mailparts.Deliverer) mailparts.Deliverer {
				return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
					if env.From == "slow@example.org" {
						<-ctx.Done() // until the test ends
						return ctx.Err()
					}
					return next.Deliver(ctx, env, msg)
				})
			}),
		}
		c, err := sinkClient(t, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Deliver(t.Context(), envelope("a@example.org", "nobody@example.com", "b@example.com"), strings.NewReader(note))
		if e := mailparts.AsError(mailparts.RcptError(err, 0)); e == nil || e.Code != 550 || mailparts.RcptError(err, 1) != nil {
			t.Errorf("got %v", err)
		}
		start := time.Now()
		err = c.Deliver(t.Context(), envelope("slow@example.org", "b@example.com"), strings.NewReader(note))
		if err == nil || time.Since(start) > time.Hour {
			t.Errorf("a stalled sink: %v after %v", err, time.Since(start))
		}
		if all := s.Messages(); len(all) != 1 || len(all[0].Envelope.To) != 1 {
			t.Errorf("%d messages", len(all))
		}
	})
}

func TestSinkUsers(t *testing.T) {
	for name, test := range map[string]struct {
		tls  bool
		set  func(d *smtp.Dialer)
		code int
	}{
		"in plaintext":                {false, func(d *smtp.Dialer) { d.Auth = smtp.PasswordAuth("alice", "sesame") }, 0},
		"over TLS":                    {true, func(d *smtp.Dialer) { d.TLS, d.Auth = smtp.TLSMandatory, smtp.PasswordAuth("alice", "sesame") }, 0},
		"wrong password":              {false, func(d *smtp.Dialer) { d.Auth = smtp.PasswordAuth("alice", "x") }, 535},
		"nobody":                      {false, func(d *smtp.Dialer) { d.Auth = smtp.PasswordAuth("bob", "sesame") }, 535},
		"no AUTH":                     {false, nil, 530},
		"in plaintext where TLS is":   {true, func(d *smtp.Dialer) { d.TLS, d.Auth = smtp.TLSNone, smtp.PasswordAuth("alice", "sesame") }, 451},
		"over TLS with another trust": {true, func(d *smtp.Dialer) { d.TLS, d.TLSConfig = smtp.TLSMandatory, new(tls.Config) }, 451},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailtest.NewSink(t)
			s.TLS, s.Users = test.tls, map[string]string{"alice": "sesame"}
			c, err := sinkClient(t, s, test.set)
			if err == nil {
				err = c.Deliver(t.Context(), envelope("a@example.org", "b@example.com"), strings.NewReader(note))
			}
			if test.code != 0 {
				if e := mailparts.AsError(err); e == nil || e.Code != test.code || len(s.Messages()) != 0 {
					t.Errorf("got %v and %d messages, want %d", err, len(s.Messages()), test.code)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			peer := s.Messages()[0].Envelope.Peer
			if peer.User != "alice" || (peer.TLS != nil) != test.tls {
				t.Errorf("peer %+v", peer)
			}
		})
	}
}

// net/smtp's PlainAuth goes with a sink without TLS.
func TestSinkUsersFromNetSMTP(t *testing.T) {
	s := mailtest.NewSink(t)
	s.Users = map[string]string{"alice": "sesame"}
	auth := netsmtp.PlainAuth("", "alice", "sesame", "127.0.0.1")
	if err := netsmtp.SendMail(s.Addr(), auth, "app@example.net", []string{"bob@example.test"}, []byte(note)); err != nil {
		t.Fatal(err)
	}
	if all := s.Messages(); len(all) != 1 || all[0].Envelope.Peer.User != "alice" {
		t.Errorf("%d messages", len(all))
	}
}

func TestSinkOfLMTP(t *testing.T) {
	s := mailtest.NewSink(t)
	s.Config.LMTP = true
	c, err := sinkClient(t, s, func(d *smtp.Dialer) { d.LMTP = true })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), envelope("a@example.org", "b@example.com", "c@example.com"), strings.NewReader(note)); err != nil {
		t.Fatal(err)
	}
	if all := s.Messages(); len(all) != 1 || all[0].Envelope.Peer.Protocol != "LMTP" {
		t.Errorf("%d messages", len(all))
	}
}

func TestMessageData(t *testing.T) {
	s := mailtest.NewSink(t)
	c, err := sinkClient(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nX-Folded: one\r\n two\r\nx-broken: =?no\r\n\r\n.\r\n..\r\nhello\r\n",
		"no header at all\r\n",
		"\r\nbody\r\n",
		"",
	} {
		if err := c.Deliver(t.Context(), envelope("a@example.org", "b@example.com"), strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		m, err := s.Next(t.Context())
		if err != nil || string(m.Data) != text {
			t.Errorf("got %q, %v, want %q", m.Data, err, text)
		}
	}
	m := s.Messages()[0]
	for name, want := range map[string]string{"subject": "grüße", "X-Folded": "one two", "X-Broken": "=?no", "X-None": ""} {
		if got := m.Header(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	parsed, err := m.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(parsed.Body); string(body) != ".\r\n..\r\nhello\r\n" || err != nil {
		t.Errorf("body %q, %v", body, err)
	}
	if got := s.Messages()[1].Header("Subject"); got != "" {
		t.Errorf("a message without a header has the subject %q", got)
	}
}
