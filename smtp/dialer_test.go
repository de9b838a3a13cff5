package smtp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/smtp"
)

// dialTest is a dialogue up to where the connection is ready for mail, or not.
type dialTest struct {
	name    string
	scripts []string // a connection each
	dialer  smtp.Dialer
	far     bool   // the server is not on this machine
	want    string // code and status of the error, "ok" for none
	secured string // of a receipt
}

func (test *dialTest) run(t *testing.T) {
	f := newFake(t, test.scripts...)
	if test.far {
		f.from = netip.Addr{}
	}
	d := test.dialer
	d.Hostname, d.NetDial = "client.example", f.dial
	c, err := d.Dial(t.Context(), fakeAddr)
	if got := codes(err, 1); got != test.want {
		t.Errorf("got %s, want %s (%v)", got, test.want, err)
	}
	if err == nil {
		if got := tlsName(c.TLS()); got != test.secured {
			t.Errorf("TLS: got %q, want %q", got, test.secured)
		}
		c.Close()
	}
	f.wait()
}

func tlsName(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	return tls.VersionName(s.Version)
}

func TestDial(t *testing.T) {
	tests := []dialTest{{
		name:    "EHLO",
		scripts: []string{ready("SIZE 1000", "PIPELINING")},
		want:    "ok",
	}, {
		name:    "a greeting of many lines",
		scripts: []string{"S: 220-mx\nS: 220-no\nS: 220 spam\nC: EHLO client.example\nS: 250 mx"},
		want:    "ok",
	}, {
		name:    "HELO for an old server",
		scripts: []string{"S: 220 mx\nC: EHLO client.example\nS: 500 what?\nC: HELO client.example\nS: 250 mx"},
		want:    "ok",
	}, {
		name:    "no HELO when EHLO is put off",
		scripts: []string{"S: 220 mx\nC: EHLO client.example\nS: 451 4.3.0 later\nC!"},
		want:    "451 4.3.0",
	}, {
		name:    "no HELO in LMTP",
		scripts: []string{"S: 220 mx\nC: LHLO client.example\nS: 500 what?\nC!"},
		dialer:  smtp.Dialer{LMTP: true},
		want:    "500",
	}, {
		name:    "no mail here (RFC 7504)",
		scripts: []string{"S: 554 5.3.2 no mail here\nC!"},
		want:    "554 5.3.2",
	}, {
		name:    "too busy",
		scripts: []string{"S: 421 4.3.2 later\nC!"},
		want:    "421 4.3.2",
	}, {
		name:    "gone before the greeting",
		scripts: []string{""},
		want:    "451 4.4.2",
	}, {
		name:    "another protocol",
		scripts: []string{"S: SSH-2.0-OpenSSH_9.7\nC!"},
		want:    "451 4.5.0",
	}, {
		name:    "354 for a greeting",
		scripts: []string{"S: 354 go\nC!"},
		want:    "451 4.5.0",
	}}
	for _, test := range tests {
		t.Run(test.name, test.run)
	}
}

func TestDialErrors(t *testing.T) {
	refused := errors.New("connection refused")
	d := smtp.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, refused }}
	for addr, want := range map[string]string{
		"mx.example.com:25":   "451 4.4.1",
		"mx.example.com":      "451 4.3.5",
		"unix:/no/such/path":  "451 4.4.1",
		"[2001:db8::1]:25":    "451 4.4.1",
		"2001:db8::1:without": "451 4.3.5",
	} {
		_, err := d.Dial(t.Context(), addr)
		if got := codes(err, 1); got != want {
			t.Errorf("%s: got %v, want %s", addr, err, want)
		}
		if want == "451 4.4.1" && !errors.Is(err, refused) {
			t.Errorf("%s: the cause of %v is lost", addr, err)
		}
	}
}

func TestDialUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lmtp")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no unix sockets here: ", err)
	}
	defer l.Close()
	go func() {
		if nc, err := l.Accept(); err == nil {
			io.WriteString(nc, "220 mx\r\n250 mx\r\n")
			io.Copy(io.Discard, nc)
			nc.Close()
		}
	}()
	d := smtp.Dialer{LMTP: true}
	c, err := d.Dial(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestExtension(t *testing.T) {
	c := newFake(t, ready("SIZE 1000", "8bitmime", "AUTH PLAIN LOGIN")).connect(nil)
	for _, test := range []struct {
		keyword, params string
		ok              bool
	}{
		{"SIZE", "1000", true},
		{"size", "1000", true},
		{"8BITMIME", "", true},
		{"AUTH", "PLAIN LOGIN", true},
		{"DSN", "", false},
		{"MX.EXAMPLE.COM", "", false}, // the first line names the server
	} {
		if params, ok := c.Extension(test.keyword); params != test.params || ok != test.ok {
			t.Errorf("%s: got %q, %v", test.keyword, params, ok)
		}
	}
	if got := strings.Join(c.Extensions(), " "); got != "8BITMIME AUTH SIZE" {
		t.Errorf("got %s", got)
	}
}

// The defects of go-smtp's client that dependencies.md lists, each with the test
// that shows that this client does not have it.
//
//	EHLO says "localhost" before STARTTLS           TestGoSMTPDefectHelloBeforeSTARTTLS
//	no opportunistic STARTTLS on one connection     TestGoSMTPDefectOpportunisticSTARTTLS
//	no pipelining                                   TestDeliverWrites, TestDeliverManyRecipients
//	no context, no deadline while writing DATA      TestCancel, TestStalledMessage
func TestGoSMTPDefectHelloBeforeSTARTTLS(t *testing.T) {
	f := newFake(t, `
		S: 220 mx.example.com
		C: EHLO client.example
		S: 250-mx.example.com
		S: 250 STARTTLS
		C: STARTTLS
		S: 220 go
		T:
		C: EHLO client.example
		S: 250 mx.example.com`)
	f.connect(nil).Close()
	f.wait()
}

func TestGoSMTPDefectOpportunisticSTARTTLS(t *testing.T) {
	f := newFake(t, ready("STARTTLS")+`
		C: STARTTLS
		S: 454 4.7.0 no TLS today
		C: NOOP
		S: 250 ok`)
	c := f.connect(nil)
	if err := c.Noop(t.Context()); err != nil {
		t.Error(err)
	}
	f.wait()
}
