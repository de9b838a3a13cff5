package gosmtp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
	adapter "github.com/mailparts/mailparts/smtp/gosmtp"
)

// start serves be on s, and returns how to reach it.
func start(t *testing.T, s *smtp.Server, be gosmtp.Backend) *mailtest.Listener {
	t.Helper()
	if err := adapter.Configure(s, be); err != nil {
		t.Fatal(err)
	}
	s.Hostname = "localhost"
	l := mailtest.NewListener()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != mailparts.ErrServerClosed {
			t.Error(err)
		}
	})
	return l
}

// say plays a client: lines that begin with "S: " are the replies, to the letter
// but for what follows "...".
func say(t *testing.T, l *mailtest.Listener, script string) {
	t.Helper()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	converse(t, c, script)
	c.Close()
}

func converse(t *testing.T, c net.Conn, script string) {
	t.Helper()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	for line := range strings.SplitSeq(strings.TrimSpace(script), "\n") {
		line = strings.TrimSpace(line)
		want, reply := strings.CutPrefix(line, "S: ")
		if !reply {
			fmt.Fprintf(c, "%s\r\n", line)
			continue
		}
		got, err := r.ReadString('\n')
		for err == nil && len(got) > 3 && got[3] == '-' { // of many lines the last one counts
			got, err = r.ReadString('\n')
		}
		start, some := strings.CutSuffix(want, "...")
		if got = strings.TrimRight(got, "\r\n"); err != nil || got != want && !(some && strings.HasPrefix(got, start)) {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
}

// The example server of go-smtp's documentation, and what its comment says to type.
func TestDocumentedExample(t *testing.T) {
	var said bytes.Buffer
	log.SetOutput(&said)
	log.SetFlags(0)
	defer log.SetOutput(os.Stderr)
	defer log.SetFlags(log.LstdFlags)

	s := &smtp.Server{MaxMessageBytes: 1024 * 1024, MaxRecipients: 50, AllowInsecureAuth: true,
		CommandTimeout: 10 * time.Second, DataTimeout: 10 * time.Second}
	l := start(t, s, &Backend{})
	say(t, l, `
		S: 220 localhost ESMTP
		HELO localhost
		S: 250 localhost
		MAIL FROM:<root@nsa.gov>
		S: 502 5.7.0 Please authenticate first
		EHLO localhost
		S: 250 ...
		AUTH PLAIN
		S: 334 ...
		AHVzZXJuYW1lAHBhc3N3b3Jr
		S: 454 4.7.0 Temporary authentication failure
		AUTH PLAIN
		S: 334 ...
		AHVzZXJuYW1lAHBhc3N3b3Jk
		S: 235 2.7.0 Authentication successful
		MAIL FROM:<root@nsa.gov>
		S: 250 2.1.0 OK
		RCPT TO:<root@gchq.gov.uk>
		S: 250 2.1.5 OK
		DATA
		S: 354 ...
		Hey <3
		.
		S: 250 2.0.0 OK queued as ...
		QUIT
		S: 221 ...
	`)
	s.Close() // all is said
	if got := said.String(); !strings.HasPrefix(got, "Mail from: root@nsa.gov\nRcpt to: root@gchq.gov.uk\nData: Received: from localhost ") ||
		!strings.HasSuffix(got, "\r\nHey <3\r\n\n") {
		t.Errorf("the example logs %q", got)
	}
}

// diary is a Session that notes what it is told.
type diary struct {
	mu    sync.Mutex
	notes []string
	next  error // what the next call returns
	done  chan struct{}
}

func (d *diary) NewSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	_, isTLS := c.TLSConnectionState()
	return d, d.note("new session %q %v %v", c.Hostname(), c.Conn(), isTLS)
}

func (d *diary) note(format string, args ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
	err := d.next
	d.next = nil
	return err
}

func (d *diary) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = err
}

func (d *diary) Mail(from string, o *gosmtp.MailOptions) error {
	auth := "none"
	if o.Auth != nil {
		auth = *o.Auth
	}
	return d.note("mail %s body=%s size=%d tls=%v utf8=%v ret=%s envid=%s auth=%s", from, o.Body, o.Size, o.RequireTLS, o.UTF8, o.Return, o.EnvelopeID, auth)
}

func (d *diary) Rcpt(to string, o *gosmtp.RcptOptions) error {
	by, priority := "", 0
	if o.DeliverBy != nil {
		by = fmt.Sprint(o.DeliverBy.Time, o.DeliverBy.Mode, o.DeliverBy.Trace)
	}
	if o.MTPriority != nil {
		priority = *o.MTPriority
	}
	return d.note("rcpt %s notify=%v orcpt=%s;%s since=%v by=%s priority=%d", to, o.Notify, o.OriginalRecipientType, o.OriginalRecipient, o.RequireRecipientValidSince.Unix(), by, priority)
}

func (d *diary) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		d.note("data %v", err)
		return err
	}
	_, body, _ := strings.Cut(string(b), "\r\n\r\n")
	return d.note("data %q", body)
}

func (d *diary) Reset() { d.note("reset") }
func (d *diary) Logout() error {
	d.note("logout")
	if d.done != nil {
		d.done <- struct{}{}
	}
	return nil
}

func (d *diary) is(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.notes, want) {
		t.Errorf("the Session was told\n%s\nwant\n%s", strings.Join(d.notes, "\n"), strings.Join(want, "\n"))
	}
}

const asked = `new session "" <nil> false`

// What a Session is told, in which order.
func TestLife(t *testing.T) {
	d := &diary{}
	l := start(t, new(smtp.Server), d)
	d.is(t, asked, "logout") // by Configure
	d.notes, d.done = nil, make(chan struct{})
	say(t, l, `
		S: 220 ...
		HELO a
		S: 250 localhost
		MAIL FROM:<a@example.org>
		S: 250 ...
		RCPT TO:<"b c"@example.com>
		S: 250 ...
		DATA
		S: 354 ...

		hello
		.
		S: 250 ...
		MAIL FROM:<>
		S: 250 ...
		HELO again
		S: 250 ...
		MAIL FROM:<x@example.org>
		S: 250 ...
		RSET
		S: 250 ...
		MAIL FROM:<y@example.org>
		S: 250 ...
		QUIT
		S: 221 ...
	`)
	<-d.done
	mail := func(from string) string {
		return "mail " + from + " body= size=0 tls=false utf8=false ret= envid= auth=none"
	}
	d.is(t, asked, mail("a@example.org"),
		`rcpt "b c"@example.com notify=[] orcpt=; since=-62135596800 by= priority=0`, `data "hello\r\n"`, "reset",
		mail(""), "reset", mail("x@example.org"), "reset", mail("y@example.org"), "reset", "logout")
}

// All that the Envelope has is in the options.
func TestOptions(t *testing.T) {
	d := &diary{}
	l := start(t, &smtp.Server{Extensions: []string{"DSN", "DELIVERBY", "MT-PRIORITY", "RRVS"}, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, d)
	d.notes, d.done = nil, make(chan struct{})
	say(t, l, `
		S: 220 ...
		EHLO a
		S: 250 ...
		MAIL FROM:<a@example.org> BODY=8BITMIME SIZE=7 SMTPUTF8 RET=HDRS ENVID=QQ314159 BY=120;RT MT-PRIORITY=3
		S: 250 ...
		RCPT TO:<b@example.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Carol@Ivory.EDU RRVS=2014-04-03T23:01:00Z
		S: 250 ...
		QUIT
		S: 221 ...
	`)
	<-d.done
	d.is(t, asked, "mail a@example.org body=8BITMIME size=7 tls=false utf8=true ret=HDRS envid=QQ314159 auth=none",
		"rcpt b@example.com notify=[SUCCESS DELAY] orcpt=RFC822;Carol@Ivory.EDU since=1396566060 by=2m0sRtrue priority=3", "reset", "logout")
}

// Errors keep their code where go-smtp has one, and tell nothing where not.
func TestErrors(t *testing.T) {
	d := &diary{}
	l := start(t, new(smtp.Server), d)
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d.fail(&gosmtp.SMTPError{Code: 450, EnhancedCode: gosmtp.EnhancedCode{4, 7, 25}, Message: "no session for you"})
	converse(t, c, "S: 220 ...\nHELO a\nS: 450 ...")
	converse(t, c, "HELO a\nS: 250 ...")
	for _, test := range []struct {
		err   error
		reply string
	}{
		{&gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 7, 1}, Message: "not you"}, "550 5.7.1 not you"},
		{fmt.Errorf("wrapped: %w", &gosmtp.SMTPError{Code: 450, Message: "not now"}), "450 4.0.0 not now"},
		{&gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.NoEnhancedCode, Message: "no"}, "550 5.0.0 no"},
		{errors.New("secret"), "451 4.3.0 ..."},
	} {
		d.fail(test.err)
		converse(t, c, "MAIL FROM:<a@example.org>\nS: "+test.reply)
	}
}

// lmtpDiary has results for each recipient.
type lmtpDiary struct {
	diary
	lmtpData func(r io.Reader, status gosmtp.StatusCollector) error
}

func (d *lmtpDiary) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return d, nil }
func (d *lmtpDiary) LMTPData(r io.Reader, status gosmtp.StatusCollector) error {
	return d.lmtpData(r, status)
}

// The order of statuses and the recipients that got none, as go-smtp has it.
func TestLMTP(t *testing.T) {
	full := &gosmtp.SMTPError{Code: 452, EnhancedCode: gosmtp.EnhancedCode{4, 2, 2}, Message: "full"}
	d := &lmtpDiary{lmtpData: func(r io.Reader, status gosmtp.StatusCollector) error {
		_, err := io.Copy(io.Discard, r)
		status.SetStatus("b@example.com", full)
		status.SetStatus("c@example.com", nil)
		status.SetStatus("b@example.com", err)
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "who?"}
	}}
	const transaction = `
		MAIL FROM:<a@example.org>
		S: 250 ...
		RCPT TO:<b@example.com>
		S: 250 ...
		RCPT TO:<c@example.com>
		S: 250 ...
		RCPT TO:<b@example.com>
		S: 250 ...
		RCPT TO:<d@example.com>
		S: 250 ...
		DATA
		S: 354 ...
		hello
		.
	`
	c, err := start(t, &smtp.Server{LMTP: true}, d).Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	converse(t, c, "S: 220 ...\nLHLO a\nS: 250 ..."+transaction+`
		S: 452 4.2.2 full
		S: 250 ...
		S: 250 ...
		S: 550 5.1.1 who?`)
	d.lmtpData = func(_ io.Reader, status gosmtp.StatusCollector) error {
		status.SetStatus("x@example.com", nil)
		return nil
	}
	converse(t, c, strings.Replace(transaction, "S: 354 ...\n\t\thello\n\t\t.", "S: 421 ...", 1))
}

// A connection that breaks in the middle is an error of Data, then Logout.
func TestLost(t *testing.T) {
	d := &diary{done: make(chan struct{}, 1)}
	l := start(t, new(smtp.Server), d)
	<-d.done
	d.notes = nil
	say(t, l, `
		S: 220 ...
		HELO a
		S: 250 ...
		MAIL FROM:<a@example.org>
		S: 250 ...
		RCPT TO:<b@example.com>
		S: 250 ...
		DATA
		S: 354 ...
		hello
	`)
	<-d.done
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.notes); n != 6 || d.notes[3] == `data "hello\r\n"` || d.notes[4] != "reset" || d.notes[5] != "logout" {
		t.Errorf("the Session was told %q", d.notes)
	}
}

// What the wiring had before is asked, too.
func TestKeepsTheWiring(t *testing.T) {
	type key struct{}
	s := &smtp.Server{
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context { return context.WithValue(ctx, key{}, 1) },
		Admit: func(ctx context.Context, p *mailparts.Peer) error {
			if p.Hello == "evil" && ctx.Value(key{}) == 1 {
				return &mailparts.Error{Code: 550, Status: "5.7.1", Message: "Not you"}
			}
			return nil
		},
	}
	l := start(t, s, &diary{})
	say(t, l, "S: 220 ...\nHELO good\nS: 250 localhost\nHELO evil\nS: 550 ...")
}

// Configure's error is the Backend's.
func TestNoSession(t *testing.T) {
	d := &diary{next: io.ErrUnexpectedEOF}
	if err := adapter.Configure(new(smtp.Server), d); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}

// angry is a Session whose Logout panics.
type angry struct {
	diary
	gone chan struct{}
}

func (a *angry) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return a, nil }
func (a *angry) Logout() error {
	if a.gone == nil { // Configure's
		return nil
	}
	defer close(a.gone)
	panic("so long")
}

// A panic of Logout ends nothing but the session.
func TestLogoutPanics(t *testing.T) {
	a := new(angry)
	l := start(t, new(smtp.Server), a)
	a.gone = make(chan struct{})
	say(t, l, "S: 220 ...\nHELO a\nS: 250 ...\nQUIT\nS: 221 ...")
	<-a.gone
	a.gone = nil
	say(t, l, "S: 220 ...\nHELO a\nS: 250 ...")
}
