package smtp_test

import (
	"context"
	"crypto/tls"
	"io"
	"net/netip"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// What the Client says of an envelope the Server understands, all of it.
func TestEnvelopeToServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *mailparts.Envelope
		s := smtp.Server{
			Extensions: []string{"BINARYMIME", "DSN", "REQUIRETLS", "DELIVERBY 30", "MT-PRIORITY", "FUTURERELEASE 86400", "RRVS"},
			Auth:       users{}, TLSConfig: testTLS(), Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
				got = env
				_, err := io.Copy(io.Discard, msg)
				return err
			})),
		}
		l := mailtest.NewListener()
		go s.Serve(l)
		defer s.Close()
		d := smtp.Dialer{NetDial: l.Dial, TLS: smtp.TLSMandatory, TLSConfig: &tls.Config{RootCAs: testCA()}, Auth: smtp.PasswordAuth("user", "secret")}
		c, err := d.Dial(t.Context(), fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		author, now := mailparts.Address(`"e=m c+2"@example.com`), time.Now()
		env := &mailparts.Envelope{
			From: "a@example.org", Size: 7, Body: "BINARYMIME", UTF8: true, RequireTLS: true, Ret: "HDRS", EnvID: "a+b=c d",
			AuthSender: &author, Priority: -3, Hold: now.Add(time.Hour).UTC(),
			By: mailparts.Deadline{Time: now.Add(2 * time.Hour).Round(0), Return: true, Trace: true},
			To: []mailparts.Rcpt{
				{Addr: "b@example.com", Notify: mailparts.NotifySuccess | mailparts.NotifyDelay, ORcpt: "rfc822;B+x=y@example.com"},
				{Addr: "jos\u00e9@example.com", ORcpt: "utf-8;jos\u00e9@example.com", Since: now.Add(-time.Hour).UTC()},
				{Addr: `"two words>"@example.com`, Notify: mailparts.NotifyNever, ORcpt: `utf-8;"two\x{20}words"@example.com`, Since: now.UTC(), SinceOptional: true},
			},
		}
		for range 2 {
			if err := c.Deliver(t.Context(), env, text("hello\r\n")); err != nil {
				t.Fatal(err)
			}
			want := *env
			want.ID, want.Peer, want.Attrs = got.ID, got.Peer, got.Attrs
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		}
	})
}
