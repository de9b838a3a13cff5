package smtp_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

// ownAddresses is Submission.Own for the user of users.
func ownAddresses(_ context.Context, user string, a mailparts.Address) (bool, error) {
	if a.Domain() == "broken.example" {
		return false, errors.New("database is down, see host db1")
	}
	return user == "user@example.com" && (a == "user@example.com" || a == `"the user"@example.com` || a.Domain() == "user.example"), nil
}

// submit plays script with a server that has s, behind TLS and AUTH.
func submit(t *testing.T, s *smtp.Submission, script string) *inbox {
	t.Helper()
	b := new(inbox)
	play(t, &smtp.Server{
		Receiver: mailparts.Chain(b, s.Filter), TLSConfig: testTLS(), Auth: users{}, RequireAuth: true, RequireTLS: true,
	}, tlsFirst+"C: AUTH PLAIN "+b64("\x00user\x00secret")+"\nS: 235 2.7.0 Authentication successful\n"+script)
	return b
}

func TestSubmissionEnvelope(t *testing.T) {
	own := &smtp.Submission{Own: ownAddresses}
	for _, test := range []struct {
		name   string
		s      *smtp.Submission
		script string
	}{
		{"own address", own, `
			C: MAIL FROM:<user@example.com>
			S: 250 2.1.0 OK`},
		{"own address, quoted", own, `
			C: MAIL FROM:<"the user"@example.com>
			S: 250 2.1.0 OK`},
		{"another's", own, `
			C: MAIL FROM:<boss@example.com>
			S: 550 5.7.1 You may not send as this address
			C: MAIL FROM:<user@example.com>
			S: 250 2.1.0 OK`},
		{"a notification of having read", own, `
			C: MAIL FROM:<>
			S: 250 2.1.0 OK`},
		{"nobody knows", own, `
			C: MAIL FROM:<a@broken.example>
			S: 451 4.3.0 Temporary failure, please try again later`},
		{"no rule", new(smtp.Submission), `
			C: MAIL FROM:<boss@example.com>
			S: 250 2.1.0 OK`},
		{"domains of one label", own, `
			C: MAIL FROM:<user@sales>
			S: 554 5.1.8 The sender's domain is not fully qualified
			C: MAIL FROM:<user@example.com>
			S: 250 2.1.0 OK
			C: RCPT TO:<b@sales>
			S: 554 5.1.2 The recipient's domain is not fully qualified
			C: RCPT TO:<b@[192.0.2.1]>
			S: 250 2.1.5 OK
			C: RCPT TO:<postmaster>
			S: 250 2.1.5 OK
			C: RCPT TO:<b@sales.example.com>
			S: 250 2.1.5 OK`},
		{"SingleLabel", &smtp.Submission{SingleLabel: true}, `
			C: MAIL FROM:<a@localhost>
			S: 250 2.1.0 OK
			C: RCPT TO:<b@sales>
			S: 250 2.1.5 OK`},
	} {
		t.Run(test.name, func(t *testing.T) { submit(t, test.s, test.script) })
	}
}

// Who is not authenticated has no addresses of its own: RequireAuth is what keeps
// them out.
func TestSubmissionOfStrangers(t *testing.T) {
	s := &smtp.Submission{Own: ownAddresses, CheckFrom: true}
	play(t, &smtp.Server{Receiver: mailparts.Chain(new(inbox), s.Filter)}, `
		G: EHLO
		C: MAIL FROM:<boss@example.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: From: boss@example.com
		C:
		C: .
		S: 250 2.0.0 OK queued as ID`)
}

func TestSubmissionFrom(t *testing.T) {
	const (
		fine    = "250 2.0.0 OK queued as ID"
		foreign = "550 5.7.1 You may not send as this address"
		bad     = "554 5.6.0 The From field is missing or malformed"
	)
	for _, test := range []struct{ name, header, want string }{
		{"own", "From: user@example.com", fine},
		{"own, with a name", `From: "User, the" <user@example.com>`, fine},
		{"own, with a comment", "From: user@example.com (The User)", fine},
		{"own, quoted", `From: "the user"@example.com`, fine},
		{"own, quoted for nothing", `From: "user"@example.com`, fine},
		{"own, any case of the name", "fROM : user@example.com", fine},
		{"own, folded", "From: User\r\n\t<user@example.com>", fine},
		{"own, after other fields", "Subject: x\r\nTo: boss@example.com\r\nFrom: user@example.com", fine},
		{"own, two", "From: user@example.com, a@user.example", fine},
		{"own, in a group", "From: us: user@example.com, a@user.example;", fine},
		{"own, name in a charset of which we know nothing", "From: =?iso-2022-jp?B?GyRCJCIbKEI=?= <user@example.com>", fine},
		{"own, Sender too", "From: user@example.com\r\nSender: a@user.example", fine},
		{"another's", "From: boss@example.com", foreign},
		{"another's, with our name", `From: "user@example.com" <boss@example.com>`, foreign},
		{"another's, with our local part and domain in its own", `From: "user@example.com"@example.org`, foreign},
		{"another's, folded", "From: User\r\n <boss@example.com>", foreign},
		{"another's among own", "From: user@example.com, boss@example.com", foreign},
		{"another's in a second field", "From: user@example.com\r\nSubject: x\r\nFrom: boss@example.com", foreign},
		{"another's after a line that is no field", "From: user@example.com\r\nno field\r\nFrom: boss@example.com", foreign},
		{"another's as Sender", "From: user@example.com\r\nSender: boss@example.com", foreign},
		{"nobody knows", "From: a@broken.example", "451 4.3.0 Temporary failure, please try again later"},
		{"none", "Subject: x", bad},
		{"no header", "", bad},
		{"no field", "just text", bad},
		{"only in a fold", "Subject: x\r\n From: user@example.com", bad},
		{"only a Sender", "Sender: user@example.com", bad},
		{"empty", "From:", bad},
		{"nobody", "From: nobody:;", bad},
		{"no domain", "From: user", bad},
		{"no address", "From: user at example.com", bad},
		{"two in one", "From: user@example.com <boss@example.com>", bad},
		{"a route", "From: <@example.org:user@example.com>", bad},
		{"endless", "From: " + strings.Repeat("user@example.com,\r\n ", 1000) + "user@example.com", bad},
		{"a line without an end", "From: " + strings.Repeat("x", 100_000) + " <user@example.com>", bad},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := submit(t, &smtp.Submission{Own: ownAddresses, CheckFrom: true}, `
				C: MAIL FROM:<user@example.com>
				S: 250 2.1.0 OK
				C: RCPT TO:<b@example.com>
				S: 250 2.1.5 OK
				C: DATA
				S: 354 End data with <CR><LF>.<CR><LF>
				C: `+strings.ReplaceAll(test.header, "\r\n", "\n\t\t\t\tC: ")+`
				C: 
				C: From: boss@example.com
				C: .
				S: `+test.want+`
				C: NOOP
				S: 250 2.0.0 OK`)
			if got := b.count() == 1; got != (test.want == fine) {
				t.Errorf("taken: %v", got)
			}
		})
	}
}

// A From of others is no matter where only the envelope counts.
func TestSubmissionWithoutCheckFrom(t *testing.T) {
	submit(t, &smtp.Submission{Own: ownAddresses}, `
		C: MAIL FROM:<user@example.com>
		S: 250 2.1.0 OK
		C: RCPT TO:<b@example.com>
		S: 250 2.1.5 OK
		C: DATA
		S: 354 End data with <CR><LF>.<CR><LF>
		C: From: boss@example.com
		C: 
		C: .
		S: 250 2.0.0 OK queued as ID`)
}

func TestSubmissionFixesUp(t *testing.T) {
	const head = "Date: x\r\nBcc: c@example.com\r\n\tand more\r\n"
	for _, test := range []struct {
		name string
		s    *smtp.Submission
		from mailparts.Address
		want string
	}{
		{"zero", new(smtp.Submission), "a@example.org", "Date: x\r\nMessage-ID: <+@example.org>\r\n\r\nhello\r\n"},
		{"KeepBcc", &smtp.Submission{KeepBcc: true}, "a@example.org", head + "Message-ID: <+@example.org>\r\n\r\nhello\r\n"},
		{"Hostname, the null sender", &smtp.Submission{Hostname: "mx.example.com"}, "", "Date: x\r\nMessage-ID: <+@mx.example.com>\r\n\r\nhello\r\n"},
		{"Hostname, not ASCII", &smtp.Submission{Hostname: "mx.example.com"}, "a@b\u00fccher.example", "Date: x\r\nMessage-ID: <+@mx.example.com>\r\n\r\nhello\r\n"},
		{"Hostname, not needed", &smtp.Submission{Hostname: "mx.example.com"}, "a@example.org", "Date: x\r\nMessage-ID: <+@example.org>\r\n\r\nhello\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []byte
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) (err error) {
				got, err = io.ReadAll(msg)
				return err
			})
			tx, err := test.s.Filter(r).Mail(t.Context(), &mailparts.Envelope{From: test.from})
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Close()
			if err := tx.Data(t.Context(), strings.NewReader(head+"\r\nhello\r\n")); err != nil {
				t.Fatal(err)
			}
			if s := newID.ReplaceAllString(string(got), "Message-ID: <+@$2>\r\n"); s != test.want {
				t.Errorf("got  %q\nwant %q", s, test.want)
			}
		})
	}
}

// What a Deliverer makes of the read error does not change the reply.
func TestSubmissionRefusalIsTold(t *testing.T) {
	s := &smtp.Submission{Own: ownAddresses, CheckFrom: true}
	for name, result := range map[string]error{"its own error": errors.New("could not spool"), "nil": nil} {
		r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			if _, err := io.Copy(io.Discard, msg); err == nil {
				t.Error("the message has come whole")
			}
			return result
		})
		env := &mailparts.Envelope{From: "user@example.com", Peer: &mailparts.Peer{User: "user@example.com"}}
		tx, err := s.Filter(r).Mail(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		err = tx.Data(t.Context(), strings.NewReader("From: boss@example.com\r\n\r\n"))
		if e := mailparts.AsError(err); e == nil || e.Code != 550 {
			t.Errorf("%s: got %v", name, err)
		}
		tx.Close()
	}
}

// No message passes without a question about its From, and what Own is asked about
// is an Address.
func FuzzSubmissionFrom(f *testing.F) {
	f.Add("user@example.com")
	f.Add("User <user@example.com>, a@user.example")
	f.Add("\"x\" <user@example.com>\r\n (comment)")
	f.Add("us: user@example.com;")
	f.Add(`"user@example.com"@example.org`)
	f.Add("=?utf-8?q?x?= <user@[1.2.3.4]>")
	f.Fuzz(func(t *testing.T, from string) {
		env := &mailparts.Envelope{From: "user@example.com", Peer: &mailparts.Peer{User: "user@example.com"}}
		s := &smtp.Submission{CheckFrom: true}
		asked := 0
		s.Own = func(_ context.Context, _ string, a mailparts.Address) (bool, error) {
			asked++
			if again, err := mailparts.ParseAddress(string(a)); again != a || err != nil {
				t.Errorf("asked about %q, which is no Address", a)
			}
			return true, nil
		}
		r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			_, err := io.Copy(io.Discard, msg)
			return err
		})
		tx, err := s.Filter(r).Mail(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Close()
		asked = 0
		if err := tx.Data(t.Context(), strings.NewReader("From: "+from+"\r\n\r\n")); err == nil && asked == 0 {
			t.Errorf("%q has passed unasked", from)
		}
	})
}
