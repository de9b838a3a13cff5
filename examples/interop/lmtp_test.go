package interop_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
)

// Our LMTP client delivers to Dovecot's LMTP server. A user whose Maildir cannot
// be made is refused alone, at the end of the message.
func TestLMTPClientToDovecot(t *testing.T) {
	t.Parallel()
	curl := need(t, "curl")[0]
	mail := filepath.Join(folder(t), "mail")
	write(t, filepath.Join(mail, "mallory"), 0o600, "no Maildir")
	d := dovecot(t, mail)
	for i, addr := range []string{d.lmtp, "unix:" + d.socket} {
		c := &lmtp.Client{Addr: addr}
		err := c.Deliver(t.Context(), toAll("alice", "mallory", "bob"), strings.NewReader(letter))
		wantFailed(t, err, "", "4.", "")
		for _, user := range []string{"alice", "bob"} {
			wantLetter(t, run(t, "", curl, "-s", "-S", "-u", user+":secret", "pop3://"+d.pop3+"/"+string(rune('1'+i))))
		}
	}
}

// Our LMTP client delivers to Cyrus's LMTP server. A user over quota is refused
// alone.
func TestLMTPClientToCyrus(t *testing.T) {
	t.Parallel()
	s := cyrus(t, "3")
	big := eightBit + strings.Repeat("four and twenty\r\n", 4<<10/17)
	full := &lmtp.Client{Addr: s.lmtp}
	if err := full.Deliver(t.Context(), toAll("mallory"), strings.NewReader(big)); err != nil {
		t.Fatal(err)
	}
	for i, addr := range []string{s.lmtp, "unix:" + s.socket} {
		c := &lmtp.Client{Addr: addr}
		users := [][]string{{"alice", "mallory", "bob"}, {"carol", "mallory", "dave"}}[i]
		err := c.Deliver(t.Context(), toAll(users...), strings.NewReader(big))
		wantFailed(t, err, "", "4.2.2", "")
	}
	msgs := s.messages(t)
	if len(msgs) != 5 {
		t.Fatalf("%d messages, want 5", len(msgs))
	}
	for _, msg := range msgs {
		if !strings.HasPrefix(msg, "Return-Path: <carol@example.net>\r\n") || !strings.HasSuffix(msg, "\r\n"+big) {
			t.Errorf("message of %d octets, want %d and the fields of delivery: %.800q", len(msg), len(big), msg)
		}
	}
}

// toAll is an envelope from Carol to users of example.test.
func toAll(users ...string) *mailparts.Envelope {
	env := &mailparts.Envelope{ID: "1", From: "carol@example.net"}
	for _, user := range users {
		env.To = append(env.To, mailparts.Rcpt{Addr: mailparts.Address(user + "@example.test")})
	}
	return env
}

// wantFailed checks the results of recipients: with a status that begins so, or
// none where it is "".
func wantFailed(t *testing.T, err error, statuses ...string) {
	t.Helper()
	errs, ok := errors.AsType[mailparts.RcptErrors](err)
	if !ok || len(errs) != len(statuses) {
		t.Fatalf("%d recipients: %v", len(statuses), err)
	}
	for i, err := range errs {
		e, _ := errors.AsType[*mailparts.Error](err)
		if statuses[i] == "" && err != nil || statuses[i] != "" && (e == nil || !strings.HasPrefix(e.Status, statuses[i])) {
			t.Errorf("recipient %d: %v, want %q", i, err, statuses[i])
		}
	}
}

// lmtpPeers are how Postfix and Exim deliver all mail by LMTP, to an address of
// net's.
var lmtpPeers = []struct {
	name, network string
	start         func(t testing.TB, to string) (addr string)
}{
	{"Postfix", "tcp", func(t testing.TB, to string) string {
		return postfix(t, "default_transport = lmtp:inet:"+to)
	}},
	{"Postfix", "unix", func(t testing.TB, to string) string {
		return postfix(t, "default_transport = lmtp:unix:"+to)
	}},
	{"Exim", "tcp", func(t testing.TB, to string) string {
		return eximWith(t, "driver = smtp\n protocol = lmtp\n port = "+port(to)+"\n allow_localhost")
	}},
	{"Exim", "unix", func(t testing.TB, to string) string {
		return eximWith(t, "driver = lmtp\n socket = "+to+"\n batch_max = 10")
	}},
}

// Postfix and Exim deliver to our LMTP server by TCP and by a socket. It answers
// for each recipient by itself: one has the mail, one is refused for good and
// bounces, one has it at the second attempt.
func TestMTAToLMTPServer(t *testing.T) {
	for _, mta := range lmtpPeers {
		t.Run(mta.name+"/"+mta.network, func(t *testing.T) {
			t.Parallel()
			mda := &moody{mail: make(chan delivered, 8)}
			where := "127.0.0.1:0"
			if mta.network == "unix" {
				where = filepath.Join(folder(t), "lmtp")
			}
			l, err := net.Listen(mta.network, where)
			if err != nil {
				t.Fatal(err)
			}
			if mta.network == "unix" {
				if err := os.Chmod(where, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			s := &lmtp.Server{Hostname: "mda.example.test", Receiver: mailparts.AsReceiver(mda)}
			done := make(chan error)
			go func() { done <- s.Serve(l) }()
			t.Cleanup(func() {
				s.Close()
				<-done
			})
			relay := relayTo(t, mta.start(t, l.Addr().String()))
			env := toAll("alice", "bob", "dave")
			if err := relay.Deliver(t.Context(), env, strings.NewReader(letter)); err != nil {
				t.Fatal(err)
			}

			var got []string // the bounce and the second attempt may come in any order
			for len(got) < 3 {
				m := mda.next(t)
				got = append(got, string(m.to))
				if m.to == "carol@example.net" {
					if m.from != "" || !strings.Contains(m.msg, "bob@example.test") || !strings.Contains(m.msg, "Bob has moved") {
						t.Errorf("bounce from %q:\n%s", m.from, m.msg)
					}
				} else {
					wantLetter(t, m.msg)
				}
			}
			for _, want := range []string{"alice@example.test", "dave@example.test", "carol@example.net"} {
				if n := strings.Count(strings.Join(got, " "), want); n != 1 {
					t.Errorf("%d messages for %s, want 1", n, want)
				}
			}
		})
	}
}

// moody delivers to everyone but bob, and to dave at the second attempt only.
type moody struct {
	mail  chan delivered
	mu    sync.Mutex
	tried bool
}

// delivered is one recipient's message.
type delivered struct {
	from, to mailparts.Address
	msg      string
}

func (d *moody) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	errs := make(mailparts.RcptErrors, len(env.To))
	for i, to := range env.To {
		switch {
		case to.Addr == "bob@example.test":
			errs[i] = &mailparts.Error{Code: 550, Status: "5.1.6", Message: "Bob has moved"}
		case to.Addr == "dave@example.test" && !d.tried:
			d.tried = true
			errs[i] = &mailparts.Error{Code: 450, Status: "4.2.0", Message: "Dave is out"}
		default:
			d.mail <- delivered{env.From, to.Addr, string(b)}
		}
	}
	return errs.Err()
}

func (d *moody) next(t *testing.T) delivered {
	t.Helper()
	select {
	case m := <-d.mail:
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
		panic("unreachable")
	}
}
