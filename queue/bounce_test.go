package queue_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	. "github.com/mailparts/mailparts/queue"
)

// sender is where bounces go: it keeps them.
type sender struct {
	mu   sync.Mutex
	err  error
	envs []*mailparts.Envelope
	msgs []string
}

func (s *sender) Deliver(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	b, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.envs = append(s.envs, env)
	s.msgs = append(s.msgs, string(b))
	return s.err
}

// refuse is a Deliverer that answers err.
func refuse(err error) mailparts.Deliverer {
	return newScript(func(context.Context, *mailparts.Envelope) error { return err })
}

// bounce lets a message fail and returns what its sender gets, and the events.
func bounce(t *testing.T, env *mailparts.Envelope, msg string, failure error) (*sender, string) {
	t.Helper()
	back := &sender{}
	var kinds []string
	synctest.Test(t, func(t *testing.T) {
		q := &Queue{
			Spool: newSpool(t), Hostname: "mx.example.org", Expire: time.Nanosecond, Bounces: back,
			Routes: Routes{"*": newScript(func(context.Context, *mailparts.Envelope) error {
				<-time.After(time.Second)
				return failure
			})},
			Event: func(_ context.Context, ev *Event) { kinds = append(kinds, ev.Kind) },
		}
		run(t, q)
		if err := q.Deliver(t.Context(), env, strings.NewReader(msg)); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if left := keys(all(t, q.Spool)); left != "" {
			t.Errorf("left: %s", left)
		}
	})
	return back, strings.Join(kinds, " ")
}

func TestBounceText(t *testing.T) {
	env := envelope("bob@example.com", "carol@example.com", "dave@example.com")
	env.EnvID = "QQ314159"
	env.To[0].ORcpt = "rfc822;Bob@example.org"
	ours := &mailparts.Error{Code: 550, Status: "5.2.3", Message: "Too large\nfor us", Err: errors.New("secret")}
	back, _ := bounce(t, env, "From: alice@example.org\r\nSubject: greetings\r\n\r\nbody\r\n", mailparts.RcptErrors{never, ours, later})
	if len(back.msgs) != 1 {
		t.Fatalf("%d bounces", len(back.msgs))
	}
	boundary := regexp.MustCompile(`boundary="(.*)"`).FindStringSubmatch(back.msgs[0])[1]
	got := strings.ReplaceAll(strings.ReplaceAll(back.msgs[0], boundary, "BOUNDARY"), "\r\n", "\n")
	got = regexp.MustCompile(`Message-ID: <m\.[0-9a-f]{16}\.dsn\.[0-9a-f]{16}@`).ReplaceAllString(got, "Message-ID: <ID@")
	want := `Date: Sat, 01 Jan 2000 00:00:01 +0000
From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: <alice@example.org>
Subject: Undelivered mail returned to sender
Message-ID: <ID@mx.example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="BOUNDARY"
Content-Transfer-Encoding: 7bit

--BOUNDARY
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

This is the mail system at mx.example.org.

Your message could not be delivered to the recipients below, and no further
attempt will be made.

<bob@example.com>:
    mx.example.com said:
    550 5.1.1 No such user

<carol@example.com>:
    550 5.2.3 Too large for us

<dave@example.com>:
    It was tried since Sat, 01 Jan 2000 00:00:00 +0000. The last answer was:
    450 4.2.1 Later

--BOUNDARY
Content-Type: message/delivery-status

Original-Envelope-Id: QQ314159
Reporting-MTA: dns; mx.example.org
Arrival-Date: Sat, 01 Jan 2000 00:00:00 +0000

Original-Recipient: rfc822;Bob@example.org
Final-Recipient: rfc822; bob@example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; 550 5.1.1 No such user
Last-Attempt-Date: Sat, 01 Jan 2000 00:00:01 +0000

Final-Recipient: rfc822; carol@example.com
Action: failed
Status: 5.2.3
Diagnostic-Code: smtp; 550 5.2.3 Too large for us
Last-Attempt-Date: Sat, 01 Jan 2000 00:00:01 +0000

Final-Recipient: rfc822; dave@example.com
Action: failed
Status: 4.4.7
Diagnostic-Code: smtp; 450 4.2.1 Later
Last-Attempt-Date: Sat, 01 Jan 2000 00:00:01 +0000


--BOUNDARY
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 7bit

From: alice@example.org
Subject: greetings

--BOUNDARY--
`
	if got != want {
		t.Errorf("bounce is\n%s", got)
	}
	if e := back.envs[0]; e.From != "" || len(e.To) != 1 || e.To[0].Addr != "alice@example.org" || e.Peer != nil || e.ID == "" {
		t.Errorf("its envelope is %+v", e)
	}
}

// Who is told, and what becomes of those who are not.
func TestBounceWhom(t *testing.T) {
	for _, tc := range []struct {
		name   string
		from   mailparts.Address
		notify mailparts.Notify
		events string
		told   bool
	}{
		{"no NOTIFY", "alice@example.org", 0, "queued bounced", true},
		{"FAILURE", "alice@example.org", mailparts.NotifyFailure, "queued bounced", true},
		{"SUCCESS,FAILURE,DELAY", "alice@example.org", mailparts.NotifySuccess | mailparts.NotifyFailure | mailparts.NotifyDelay, "queued bounced", true},
		{"NEVER", "alice@example.org", mailparts.NotifyNever, "queued dropped", false},
		{"SUCCESS,DELAY", "alice@example.org", mailparts.NotifySuccess | mailparts.NotifyDelay, "queued dropped", false},
		{"null sender", "", 0, "queued dropped", false},
		{"null sender, FAILURE", "", mailparts.NotifyFailure, "queued dropped", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := envelope("bob@example.com")
			env.From, env.To[0].Notify = tc.from, tc.notify
			back, events := bounce(t, env, "\r\n", never)
			if events != tc.events || len(back.msgs) == 1 != tc.told {
				t.Errorf("events %s, %d bounces", events, len(back.msgs))
			}
		})
	}
}

// part is a MIME part with its body decoded.
type part struct{ typ, encoding, body string }

// parse takes a notification apart, as strictly as the standard library can.
func parse(t *testing.T, env *mailparts.Envelope, msg string) []part {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(msg))
	if err != nil {
		t.Fatal(err)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if typ != "multipart/report" || err != nil {
		t.Fatalf("it is %s: %v", typ, err)
	}
	var parts []part
	for mr := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = p
		encoding := p.Header.Get("Content-Transfer-Encoding")
		if encoding == "quoted-printable" {
			r = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part{p.Header.Get("Content-Type"), encoding, string(b)})
	}
	eight := strings.ContainsFunc(msg, func(c rune) bool { return c > '~' })
	if got := env.Body == "8BITMIME" && m.Header.Get("Content-Transfer-Encoding") == "8bit"; got != eight {
		t.Errorf("8bit: %v, declared: %v, as %q", eight, got, env.Body)
	}
	for i, line := range strings.SplitAfter(msg, "\r\n") {
		if text := strings.TrimSuffix(line, "\r\n"); len(text) > 998 || strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("line %d is %q", i, line)
		}
	}
	return parts
}

func TestBounceReturns(t *testing.T) {
	const head = "Subject: x\r\n"
	long := strings.Repeat("x", 1200)
	for _, tc := range []struct {
		name      string
		ret, body string
		utf8      bool
		msg       string
		want      part
	}{
		{"default", "", "", false, head + "\r\nbody\r\n", part{"text/rfc822-headers", "7bit", head}},
		{"HDRS", "HDRS", "", false, head + "\r\nbody\r\n", part{"text/rfc822-headers", "7bit", head}},
		{"FULL", "FULL", "", false, head + "\r\nbody\r\n", part{"message/rfc822", "7bit", head + "\r\nbody\r\n"}},
		{"FULL, 8bit", "FULL", "8BITMIME", false, head + "\r\nb\xf6dy\r\n", part{"message/rfc822", "8bit", head + "\r\nb\xf6dy\r\n"}},
		{"FULL, too large", "FULL", "", false, head + "\r\n" + strings.Repeat("body\r\n", 50000), part{"text/rfc822-headers", "7bit", head}},
		{"FULL, binary", "FULL", "BINARYMIME", false, head + "\r\nb\n\x00dy", part{"text/rfc822-headers", "7bit", head}},
		{"FULL, long lines", "FULL", "", false, head + "\r\n" + long + "\r\n", part{"text/rfc822-headers", "7bit", head}},
		{"header in 8bit", "", "", false, "Subject: \xf6\r\n\r\n", part{"text/rfc822-headers", "quoted-printable", "Subject: \xf6\r\n"}},
		{"header in UTF-8", "", "", true, "Subject: ö\r\n\r\n", part{"message/global-headers", "quoted-printable", "Subject: ö\r\n"}},
		{"FULL in UTF-8", "FULL", "8BITMIME", true, "Subject: ö\r\n\r\n", part{"message/global", "8bit", "Subject: ö\r\n\r\n"}},
		{"header with long lines", "", "", false, "Subject: " + long + "\r\n\r\n", part{"text/rfc822-headers", "quoted-printable", "Subject: " + long + "\r\n"}},
		{"header with NUL", "", "", false, "Subject: \x00\r\n\r\n", part{"text/rfc822-headers", "quoted-printable", "Subject: \x00\r\n"}},
		{"header only", "", "", false, head, part{"text/rfc822-headers", "7bit", head}},
		{"header without end", "", "", false, head + "X", part{"text/rfc822-headers", "7bit", head}},
		{"header too large", "", "", false, head + strings.Repeat("X: x\r\n", 20000), part{"text/rfc822-headers", "7bit", head + strings.Repeat("X: x\r\n", ((64<<10)-len(head))/6)}},
		{"no header", "", "", false, "\r\nbody", part{}},
		{"nothing", "FULL", "", false, "", part{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			env := envelope("bob@example.com")
			env.Ret, env.Body, env.UTF8 = tc.ret, tc.body, tc.utf8
			back, _ := bounce(t, env, tc.msg, never)
			parts := parse(t, back.envs[0], back.msgs[0])
			var got part
			if len(parts) == 3 {
				got = parts[2]
			}
			if got != tc.want {
				t.Errorf("returned %.200q, want %.200q", got, tc.want)
			}
		})
	}
}

// RFC 8689 section 5: a bounce is protected as the message was, and never has all of it.
func TestBounceRequireTLS(t *testing.T) {
	env := envelope("bob@example.com")
	env.RequireTLS, env.Ret = true, "FULL"
	back, _ := bounce(t, env, "Subject: x\r\n\r\nbody\r\n", never)
	if !back.envs[0].RequireTLS {
		t.Error("the bounce does not require TLS")
	}
	if parts := parse(t, back.envs[0], back.msgs[0]); parts[2].typ != "text/rfc822-headers" {
		t.Errorf("the bounce returns %s", parts[2].typ)
	}
}

// Addresses that are not ASCII: RFC 6533.
func TestBounceUTF8(t *testing.T) {
	env := envelope("bob@example.com", "بوب@example.com")
	env.From, env.UTF8 = "älice@example.org", true
	env.To[0].ORcpt = "rfc822;bob@example.com"
	back, _ := bounce(t, env, "\r\n", never)
	e := back.envs[0]
	if !e.UTF8 || e.To[0].Addr != "älice@example.org" {
		t.Errorf("envelope %+v", e)
	}
	parts := parse(t, e, back.msgs[0])
	if parts[0].typ != "text/plain; charset=utf-8" || !strings.Contains(parts[0].body, "<بوب@example.com>:") {
		t.Errorf("text is %q", parts[0])
	}
	if parts[1].typ != "message/global-delivery-status" || !strings.Contains(parts[1].body, "Final-Recipient: rfc822; bob@example.com\r\n") ||
		!strings.Contains(parts[1].body, "Final-Recipient: utf-8; بوب@example.com\r\n") {
		t.Errorf("status is %q", parts[1])
	}
}

// A far side without a name is an address literal (RFC 3464 section 2.1.1).
func TestBounceRemoteMTA(t *testing.T) {
	for host, want := range map[string]string{
		"mx.example.com": "dns; mx.example.com", "192.0.2.1": "dns; [192.0.2.1]", "2001:db8::1": "dns; [IPv6:2001:db8::1]",
	} {
		back, _ := bounce(t, envelope("bob@example.com"), "\r\n", &mailparts.Error{Code: 550, Message: "no", Host: host})
		if status := parse(t, back.envs[0], back.msgs[0])[1].body; !strings.Contains(status, "\r\nRemote-MTA: "+want+"\r\n") {
			t.Errorf("%s: status is %q", host, status)
		}
	}
}

// What the far side says cannot break out of its field.
func TestBounceHostile(t *testing.T) {
	evil := "x\r\n\r\nFinal-Recipient: rfc822; eve@example.com\r\n--\x00\xff ö" + strings.Repeat("long ", 1000)
	env := envelope("bob@example.com")
	env.EnvID, env.To[0].ORcpt = evil, "rfc822;"+evil
	back, _ := bounce(t, env, evil, &mailparts.Error{Code: 550, Status: evil, Message: evil, Host: evil})
	parts := parse(t, back.envs[0], back.msgs[0])
	for _, p := range parts[:2] {
		if strings.Contains(p.body, "\nFinal-Recipient: rfc822; eve") {
			t.Errorf("it broke out: %q", p.body)
		}
	}
	if n := strings.Count(parts[1].body, "\r\n\r\n"); n > 3 {
		t.Errorf("status has %d groups: %q", n, parts[1].body)
	}
}

// A bounce goes through the queue itself if nothing else is said, and one that
// cannot be delivered is the end.
func TestBounceThroughQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(context.Context, *mailparts.Envelope) error { return never })
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event}
		run(t, q)
		env := envelope("bob@example.com")
		env.Peer = user
		deliver(t, q, env)
		synctest.Wait()
		want := "0s queued  \n0s queued  \n0s bounced bob@example.com 550 5.1.1\n0s dropped alice@example.org 550 5.1.1"
		if got := s.said(); got != want {
			t.Errorf("protocol:\n%s\nwant\n%s", got, want)
		}
		if left := keys(all(t, q.Spool)); left != "" {
			t.Errorf("left: %s", left)
		}
	})
}

// Who takes bounces may refuse one for good, or for now.
func TestBounceRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"lasting", never, "0s queued  \n0s dropped bob@example.com 550 5.1.1"},
		{"no way to the sender", mailparts.RcptErrors{&mailparts.Error{Code: 550, Status: "5.4.4"}}, "0s queued  \n0s dropped bob@example.com 550 5.1.1"},
		{"temporary", later, "0s queued  \n0s deferred bob@example.com 550 5.1.1\n1h0m0s bounced bob@example.com 550 5.1.1"},
		{"unknown", errors.New("?"), "0s queued  \n0s deferred bob@example.com 550 5.1.1\n1h0m0s bounced bob@example.com 550 5.1.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				back := &sender{err: tc.err}
				s := newScript(func(context.Context, *mailparts.Envelope) error { return never })
				q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event, Bounces: back, Retry: []time.Duration{59 * time.Minute}}
				run(t, q)
				deliver(t, q, envelope("bob@example.com"))
				synctest.Wait()
				back.mu.Lock()
				back.err = nil
				back.mu.Unlock()
				<-time.After(24 * time.Hour)
				got := regexp.MustCompile(`(?m)^(59m|1h)\S+`).ReplaceAllString(s.said(), "1h0m0s")
				if got != tc.want {
					t.Errorf("protocol:\n%s\nwant\n%s", got, tc.want)
				}
				synctest.Wait()
				for _, env := range back.envs[1:] {
					if env.ID != back.envs[0].ID {
						t.Error("the repeat has another ID")
					}
				}
			})
		})
	}
}

// One who panics over a bounce is one who cannot take it now.
func TestBouncePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics := mailparts.DelivererFunc(func(context.Context, *mailparts.Envelope, io.Reader) error { panic("over a bounce") })
		s := newScript(func(context.Context, *mailparts.Envelope) error { return never })
		q := &Queue{Spool: newSpool(t), Routes: Routes{"*": s}, Event: s.event, Bounces: panics}
		run(t, q)
		deliver(t, q, envelope("bob@example.com"))
		synctest.Wait()
		if got, want := s.said(), "0s queued  \n0s deferred bob@example.com 550 5.1.1"; got != want {
			t.Errorf("protocol:\n%s\nwant\n%s", got, want)
		}
	})
}

// A crash after the bounce was queued and before its cause was finished repeats
// the attempt, not the bounce.
func TestBounceRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spool := newSpool(t)
		routes := Routes{"example.com": refuse(never), "example.org": refuse(later)}
		deliver(t, &Queue{Spool: spool, Routes: routes}, envelope("bob@example.com"))
		for _, save := range []error{ErrLeased, nil} { // ErrLeased: as if it had crashed
			q := &Queue{Spool: &faulty{Spool: spool, save: func() error { return save }}, Routes: routes}
			ctx, cancel := context.WithCancel(t.Context())
			go q.Run(ctx)
			synctest.Wait()
			cancel()
			q.Shutdown(t.Context())
			for id := range all(t, spool) { // end the lease of those that "crashed"
				e := all(t, spool)[id]
				spool.Save(t.Context(), e)
			}
		}
		left := all(t, spool)
		if len(left) != 1 || !strings.Contains(keys(left), ".dsn.") {
			t.Errorf("left: %s, want one bounce", keys(left))
		}
	})
}

// A message that cannot be read is told of without it.
func TestBounceUnreadable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := &sender{}
		spool := &faulty{Spool: newSpool(t), open: func() error { return errors.New("disk on fire") }}
		q := &Queue{Spool: spool, Routes: Routes{"*": named("")}, Bounces: back, Expire: time.Hour}
		run(t, q)
		deliver(t, q, envelope("bob@example.com"))
		<-time.After(2 * time.Hour)
		synctest.Wait()
		if len(back.msgs) != 1 || len(parse(t, back.envs[0], back.msgs[0])) != 2 || strings.Contains(back.msgs[0], "fire") {
			t.Errorf("bounces: %q", back.msgs)
		}
	})
}
