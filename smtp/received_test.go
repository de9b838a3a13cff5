package smtp_test

import (
	"context"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func wantReceived(t *testing.T, m received, part string) {
	t.Helper()
	field := strings.TrimSuffix(m.text, m.content(t))
	if !strings.Contains(field, part) {
		t.Errorf("no %q in %q", part, field)
	}
}

func TestReceivedField(t *testing.T) {
	b := new(inbox)
	l := startServer(t, &smtp.Server{Receiver: b, TLSConfig: testTLS()})
	from6, err := l.DialFrom(context.Background(), netip.MustParseAddr("2001:db8::1"))
	if err != nil {
		t.Fatal(err)
	}
	c := newWire(t, from6)
	c.play(t, `
		G: EHLO
		C: STARTTLS
		S: 220 2.0.0 Ready to start TLS
		T:
		G: EHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		C: Subject: hello
		C: .
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	want := regexp.MustCompile(`^Received: from client\.example\.org \(\[IPv6:2001:db8::1\]\)\r\n` +
		`\tby mx\.example\.com with ESMTPS id ` + m.env.ID + `\r\n` +
		`\tfor <b@example\.com>\r\n` +
		`\ttls TLS_AES_128_GCM_SHA256 \(TLS 1\.3\);\r\n` +
		`\t(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n` +
		`Subject: hello\r\n$`)
	if !want.MatchString(m.text) {
		t.Errorf("got %q", m.text)
	}
}

// The Received field of one recipient must not tell of another (RFC 5321 section 7.6).
func TestReceivedFieldTellsOfNoOtherRecipient(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, `
		G: HELO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nRCPT TO:<blind@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	if strings.Contains(m.text, "for <") {
		t.Errorf("got %q", m.text)
	}
	wantReceived(t, m, "from client.example.org ([127.0.0.1])")
	wantReceived(t, m, "with SMTP id")
}

// RFC 3848, and RFC 6531 section 4.3.
func TestTransmissionTypes(t *testing.T) {
	const (
		plain    = "\n"
		startTLS = "C: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nT:\n"
		auth     = "C: AUTH PLAIN AHVzZXIAc2VjcmV0\nS: 235 2.7.0 Authentication successful\n"
	)
	for _, test := range []struct {
		hello, tls, auth, param, want string
	}{
		{"HELO", plain, "", "", "SMTP"},
		{"EHLO", plain, "", "", "ESMTP"},
		{"EHLO", startTLS, "", "", "ESMTPS"},
		{"EHLO", startTLS, auth, "", "ESMTPSA"},
		{"EHLO", plain, "", " SMTPUTF8", "UTF8SMTP"},
		{"EHLO", startTLS, "", " SMTPUTF8", "UTF8SMTPS"},
		{"EHLO", startTLS, auth, " SMTPUTF8", "UTF8SMTPSA"},
		{"LHLO", plain, "", "", "LMTP"},
		{"LHLO", startTLS, "", "", "LMTPS"},
		{"LHLO", startTLS, auth, "", "LMTPSA"},
		{"LHLO", startTLS, auth, " SMTPUTF8", "UTF8LMTPSA"},
	} {
		t.Run(test.want, func(t *testing.T) {
			b := new(inbox)
			script := "G: " + test.hello + "\n" + test.tls
			if test.tls == startTLS {
				script += "G: " + test.hello + "\n"
			}
			play(t, &smtp.Server{Receiver: b, TLSConfig: testTLS(), Auth: users{}, LMTP: test.hello == "LHLO"}, script+test.auth+`
				C: MAIL FROM:<a@example.org>`+test.param+`\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 354 ...
				S: 250 2.0.0 OK queued as ID
			`)
			m := b.only(t)
			wantReceived(t, m, "with "+test.want+" id")
			if m.env.Peer.Protocol != test.want {
				t.Errorf("Peer.Protocol is %q", m.env.Peer.Protocol)
			}
		})
	}
}

// A line that begins with white space is no header, and must not go on with ours.
func TestContentDoesNotContinueTheReceivedField(t *testing.T) {
	for name, read := range map[string]func(io.Reader) io.Reader{
		"at once":  func(r io.Reader) io.Reader { return r },
		"by octet": iotest.OneByteReader,
	} {
		for _, text := range []string{" evil: yes\r\n", "\tevil\r\n\r\nhello\r\n", " \r\n", "\r\n evil\r\n", "A: b\r\n c\r\n\r\n d\r\n"} {
			b := new(inbox)
			r := deliver(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
				tx, _ := b.Mail(ctx, env)
				return tx.Data(ctx, read(msg))
			})
			// The empty line is ours, and does not count.
			c := dialServer(t, &smtp.Server{Receiver: r, MaxMessageBytes: int64(len(text))})
			c.play(t, toData)
			c.send(t, text)
			c.play(t, `
				C: .
				S: 250 2.0.0 OK queued as ID
			`)
			want := text
			if text[0] == ' ' || text[0] == '\t' {
				want = "\r\n" + text
			}
			if got := b.only(t).content(t); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
	}
}

// A unix socket has no address to tell of.
func TestReceivedFieldWithoutAddress(t *testing.T) {
	b := new(inbox)
	l := startServer(t, &smtp.Server{Receiver: b, LMTP: true})
	nc, err := l.DialFrom(context.Background(), netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	c := newWire(t, nc)
	c.play(t, `
		G: LHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n.
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 354 ...
		S: 250 2.0.0 OK queued as ID
	`)
	m := b.only(t)
	wantReceived(t, m, "Received: from client.example.org\r\n\tby mx.example.com with LMTP id")
	if m.env.Peer.Addr.IsValid() {
		t.Errorf("address %v", m.env.Peer.Addr)
	}
}
