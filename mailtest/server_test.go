package mailtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	netsmtp "net/smtp"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const note = "From: alice@example.test\r\nSubject: note\r\n\r\nsee you\r\n"

func envelope(from mailparts.Address, to ...mailparts.Address) *mailparts.Envelope {
	env := &mailparts.Envelope{ID: "1", From: from}
	for _, a := range to {
		env.To = append(env.To, mailparts.Rcpt{Addr: a})
	}
	return env
}

// deliver sends the note in one transaction.
func deliver(t *testing.T, d *smtp.Dialer, addr string, env *mailparts.Envelope) error {
	t.Helper()
	c, err := d.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Quit(t.Context())
	return c.Deliver(t.Context(), env, strings.NewReader(note))
}

// asAlice logs in.
func asAlice(s *mailtest.Server) *smtp.Dialer {
	return &smtp.Dialer{TLSConfig: s.TLSConfig, Auth: smtp.PasswordAuth("alice", mailtest.Password)}
}

func TestServerTakesMailForItsUsers(t *testing.T) {
	s := mailtest.NewServer(t, "alice", "bob")
	d := &smtp.Dialer{TLSConfig: s.TLSConfig}
	if err := deliver(t, d, s.SMTPAddr, envelope("carol@example.net", "bob@example.test", "postmaster@example.test")); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"bob", "alice"} { // alice is postmaster
		if got := s.Messages(t, user, 1)[0]; !strings.HasSuffix(got, note) || !strings.HasPrefix(got, "Return-Path: <carol@example.net>\r\n") {
			t.Errorf("%s has\n%s", user, got)
		}
	}
}

// What most programs send mail with has no way to be told of a certificate.
func TestServerTakesMailFromNetSMTP(t *testing.T) {
	s := mailtest.NewServer(t, "alice")
	if err := netsmtp.SendMail(s.SMTPAddr, nil, "app@example.net", []string{"alice@example.test"}, []byte(note)); err != nil {
		t.Fatal(err)
	}
	if got := s.Messages(t, "alice", 1)[0]; !strings.HasSuffix(got, note) {
		t.Errorf("alice has\n%s", got)
	}
}

func TestServerKnowsUsersInAnyCase(t *testing.T) {
	s := mailtest.NewServer(t, "Alice")
	d := &smtp.Dialer{TLSConfig: s.TLSConfig}
	if err := deliver(t, d, s.SMTPAddr, envelope("carol@example.net", "aLICE@example.test")); err != nil {
		t.Fatal(err)
	}
	s.Messages(t, "Alice", 1)
}

func TestServerRefusesWhatIsNotItsOwn(t *testing.T) {
	s := mailtest.NewServer(t, "alice")
	d := &smtp.Dialer{TLSConfig: s.TLSConfig}
	for to, code := range map[mailparts.Address]int{"nobody@example.test": 550, "carol@example.net": 550} {
		err := deliver(t, d, s.SMTPAddr, envelope("dave@example.org", to))
		if e := mailparts.AsError(mailparts.RcptError(err, 0)); e == nil || e.Code != code {
			t.Errorf("%s: got %v, want %d", to, err, code)
		}
	}
}

func TestServerRelaysForUsersByDNS(t *testing.T) {
	s := mailtest.NewServer(t, "alice")
	got := make(chan string, 1)
	far := &smtp.Server{Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
		func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
			b, err := io.ReadAll(msg)
			if err == nil {
				got <- string(env.To[0].Addr) + "\n" + string(b)
			}
			return err
		}))}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go far.Serve(l)
	t.Cleanup(func() { far.Close() })
	s.DNS.Add("example.net MX 10 mx.example.net", "mx.example.net A 127.0.0.1")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s.Relay.Port, _ = strconv.Atoi(port)

	if err := deliver(t, asAlice(s), s.SubmissionAddr, envelope("alice@example.test", "carol@example.net")); err != nil {
		t.Fatal(err)
	}
	if m := <-got; !strings.HasPrefix(m, "carol@example.net\n") || !strings.Contains(m, "\r\nMessage-ID: ") || !strings.HasSuffix(m, "\r\n\r\nsee you\r\n") {
		t.Errorf("the far side got\n%s", m)
	}
}

func TestServerBouncesToItsUsers(t *testing.T) {
	s := mailtest.NewServer(t, "alice")
	if err := deliver(t, asAlice(s), s.SubmissionAddr, envelope("alice@example.test", "carol@gone.example")); err != nil {
		t.Fatal(err)
	}
	got := s.Messages(t, "alice", 1)[0]
	for _, want := range []string{"Return-Path: <>", "multipart/report", "carol@gone.example", "5.1.2"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in the bounce:\n%s", want, got)
		}
	}
}

func TestServerSubmissionNeedsTLSAndAUTH(t *testing.T) {
	s := mailtest.NewServer(t, "alice")
	for name, d := range map[string]*smtp.Dialer{
		"no TLS":  {TLS: smtp.TLSNone},
		"no AUTH": {TLSConfig: s.TLSConfig},
	} {
		err := deliver(t, d, s.SubmissionAddr, envelope("alice@example.test", "alice@example.test"))
		if e := mailparts.AsError(err); e == nil || e.Code != 530 {
			t.Errorf("%s: got %v, want 530", name, err)
		}
	}
	wrong := &smtp.Dialer{TLSConfig: s.TLSConfig, Auth: smtp.PasswordAuth("alice", "wrong")}
	_, err := wrong.Dial(t.Context(), s.SubmissionAddr)
	if e, ok := errors.AsType[*mailparts.Error](err); !ok || e.Code != 535 {
		t.Errorf("a wrong password: got %v, want 535", err)
	}
}
