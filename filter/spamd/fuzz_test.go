package spamd_test

import (
	"context"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/spamd"
)

// answer is a connection to a spamd that says this, whatever it is asked.
type answer struct {
	net.Conn
	*strings.Reader
}

func (answer) Write(b []byte) (int, error)     { return len(b), nil }
func (a answer) Read(b []byte) (int, error)    { return a.Reader.Read(b) }
func (answer) SetDeadline(time.Time) error     { return nil }
func (answer) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }
func (answer) Close() error                    { return nil }

var spamFields = regexp.MustCompile(`\A((?i:X-Spam-)[!-9;-~]+:[\t -~]*\r\n([ \t][\t -~]*\r\n)*)*\z`)

// FuzzResponse: whatever spamd says, the message stays whole, and what is put on
// top of it are X-Spam fields.
func FuzzResponse(f *testing.F) {
	f.Add(response("True ; 15.0 / 5.0", marked+"\r\n"))
	f.Add(response("False ; -1 / 5.0", "Subject: a\nX-Spam-Level: *\n\tb\n\n"))
	f.Add(response("True ; 15.0 / 5.0", "X-Spam-Report: \xff\x00\r\n \r\n\r\n"))
	f.Add("SPAMD/1.0 79 Timeout: too long\r\n")
	f.Add("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1 / 5\r\nContent-length: 5\r\n\r\nX-S")
	f.Fuzz(func(t *testing.T, said string) {
		c := &spamd.Client{Dial: func(context.Context, string, string) (net.Conn, error) {
			return answer{Reader: strings.NewReader(said)}, nil
		}}
		var to inbox
		if err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(message)); err != nil {
			t.Fatal(err)
		}
		fields, ok := strings.CutSuffix(to.msg, message)
		if !ok || !spamFields.MatchString(fields) {
			t.Errorf("delivered %q", to.msg)
		}
	})
}

// FuzzStrip: no X-Spam field passes, and what is no such field does.
func FuzzStrip(f *testing.F) {
	f.Add(message)
	f.Add("X-Spam-Flag: NO\r\n a\r\nSubject: a\r\n\r\nX-Spam-Flag: body")
	f.Add("x-spam-a\n\nb")
	f.Add("Subject: a\r\n\tX-Spam-Flag: NO\r\n")
	f.Fuzz(func(t *testing.T, msg string) {
		c := &spamd.Client{MaxSize: 1, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrClosed }}
		var to inbox
		if err := c.Wrap(&to).Deliver(t.Context(), &mailparts.Envelope{}, strings.NewReader(msg)); err != nil {
			t.Fatal(err)
		}
		if want := strip(msg); to.msg != want {
			t.Errorf("%q became %q, want %q", msg, to.msg, want)
		}
	})
}

// strip is the stripper in the plainest words.
func strip(msg string) string {
	var kept strings.Builder
	spam, at := false, 0
	for line := range strings.Lines(msg) {
		if line == "\n" || line == "\r\n" {
			return kept.String() + msg[at:]
		}
		at += len(line)
		if line[0] != ' ' && line[0] != '\t' {
			spam = len(line) >= 7 && strings.EqualFold(line[:7], "X-Spam-")
		}
		if !spam {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
