package smtp_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestVerify(t *testing.T) {
	verify := func(_ context.Context, p *mailparts.Peer, name string) (string, error) {
		switch {
		case p.Addr.Addr().String() != "127.0.0.1":
			t.Errorf("peer %+v", p)
		case name == "Crispin":
			return "Mark Crispin <Admin.MRC@foo.com>", nil
		case name == "broken":
			return "", errors.New("secret")
		}
		return "", &mailparts.Error{Code: 550, Status: "5.1.1", Message: "No such user"}
	}
	play(t, &smtp.Server{Receiver: new(inbox), Verify: verify}, `
		S: 220 ...
		C: VRFY Crispin
		S: 250 2.1.5 Mark Crispin <Admin.MRC@foo.com>
		C: VRFY nobody
		S: 550 5.1.1 No such user
		C: VRFY broken
		S: 451 4.3.0 Temporary failure, please try again later
	`)
}

// RFC 5321 sections 3.5.1 and 3.5.3: ambiguous, elsewhere, not to be told.
func TestVerifyOtherReplies(t *testing.T) {
	verify := func(_ context.Context, _ *mailparts.Peer, name string) (string, error) {
		code, status, text := 0, "", ""
		switch name {
		case "Smith":
			code, text = 553, "Ambiguous; Possibilities are\nJoe Smith <jsmith@foo.com>\nHarry Smith <hsmith@foo.com>"
		case "Jones":
			code, status, text = 251, "2.1.5", "User not local; will forward to <Jones@elsewhere.example>"
		case "Brown":
			code, text = 252, "Cannot say"
		case "Green":
			code, status, text = 252, "5.1.1", "Cannot say" // a status of another class
		case "White":
			code, text = 250, "a success is no error"
		}
		return "", &mailparts.Error{Code: code, Status: status, Message: text}
	}
	play(t, &smtp.Server{Receiver: new(inbox), Verify: verify}, `
		S: 220 ...
		C: VRFY Smith
		S: 553-5.0.0 Ambiguous; Possibilities are
		S: 553-5.0.0 Joe Smith <jsmith@foo.com>
		S: 553 5.0.0 Harry Smith <hsmith@foo.com>
		C: VRFY Jones
		S: 251 2.1.5 User not local; will forward to <Jones@elsewhere.example>
		C: VRFY Brown
		S: 252 2.0.0 Cannot say
		C: VRFY Green
		S: 252 2.0.0 Cannot say
		C: VRFY White
		S: 451 4.3.0 ...
	`)
}

// RFC 6531 section 3.7.4.2.
func TestVerifyInUTF8(t *testing.T) {
	verify := func(_ context.Context, _ *mailparts.Peer, name string) (string, error) {
		switch name {
		case "jörg":
			return "Jörg <jörg@bücher.example>", nil
		case "evil":
			return "\x01\u0085\u2028\xffü <evil@example.com>\r", nil
		}
		return name + " <ascii@example.com>", nil
	}
	play(t, &smtp.Server{Receiver: new(inbox), Verify: verify}, `
		G: EHLO
		C: VRFY jörg
		S: 252 2.6.8 The reply needs SMTPUTF8 behind the name
		C: VRFY jörg SMTPUTF8
		S: 250 2.1.5 Jörg <jörg@bücher.example>
		C: VRFY jörg  smtputf8
		S: 250 2.1.5 Jörg <jörg@bücher.example>
		C: VRFY evil SMTPUTF8
		S: 250 2.1.5 ????ü <evil@example.com>?
		C: VRFY SMTPUTF8
		S: 250 2.1.5 SMTPUTF8 <ascii@example.com>
		C: VRFY ascii SMTPUTF8=1
		S: 250 2.1.5 ascii SMTPUTF8=1 <ascii@example.com>
		# Without EHLO there is no such parameter.
		G: HELO
		C: VRFY ascii SMTPUTF8
		S: 250 2.1.5 ascii SMTPUTF8 <ascii@example.com>
	`)
}

// RFC 3207 section 4 and RFC 4954 section 6: what MAIL waits for, these do too.
func TestAskingWaits(t *testing.T) {
	server := func() *smtp.Server {
		return &smtp.Server{
			Receiver: new(inbox), TLSConfig: testTLS(), Auth: users{},
			Verify: func(context.Context, *mailparts.Peer, string) (string, error) { return "a@example.com", nil },
			Expand: func(context.Context, *mailparts.Peer, string) ([]string, error) {
				return []string{"a@example.com"}, nil
			},
			Flush: func(context.Context, *mailparts.Peer, string) error { return nil },
		}
	}
	for _, command := range []string{"VRFY a", "EXPN a", "ETRN example.com"} {
		s := server()
		s.RequireTLS = true
		play(t, s, "G: EHLO\nC: "+command+"\nS: 530 5.7.0 Must issue a STARTTLS command first")
		s = server()
		s.RequireAuth = true
		play(t, s, tlsFirst+"C: "+command+"\nS: 530 5.7.0 Authentication required\nC: AUTH PLAIN "+b64("\x00user\x00secret")+
			"\nS: 235 ...\nC: "+command+"\nS: 250 ...")
	}
}

// EHLO names VRFY, EXPN and ETRN where they are there, and HELP always.
func TestCommandsInEHLO(t *testing.T) {
	verify := func(context.Context, *mailparts.Peer, string) (string, error) { return "", nil }
	expand := func(context.Context, *mailparts.Peer, string) ([]string, error) { return nil, nil }
	flush := func(context.Context, *mailparts.Peer, string) error { return nil }
	for want, s := range map[string]*smtp.Server{
		"HELP":      {},
		"HELP VRFY": {Verify: verify}, "HELP EXPN": {Expand: expand}, "HELP ETRN": {Flush: flush},
		"HELP VRFY EXPN ETRN": {Verify: verify, Expand: expand, Flush: flush},
	} {
		s.Receiver = new(inbox)
		c := dialServer(t, s)
		c.play(t, "S: 220 ...")
		lines := c.offered(t, "EHLO")
		for _, keyword := range []string{"HELP", "VRFY", "EXPN", "ETRN"} {
			if params, ok := lines[keyword]; ok != strings.Contains(want, keyword) || params != "" {
				t.Errorf("want %s, EHLO shows %s %q, %v", want, keyword, params, ok)
			}
		}
	}
}
