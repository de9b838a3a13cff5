package smtp_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

// wireAddress is an address as it stands between the angle brackets, and what it
// is to be: "" if it is refused.
type wireAddress struct{ path, want string }

// wireAddresses are those of this package's own.
func wireAddresses() []wireAddress {
	x := func(n int) string { return strings.Repeat("x", n) }
	labels := strings.Repeat(x(61)+".", 3) // of 62 octets each
	return []wireAddress{
		// A quoted local part is one word, whatever is in it.
		{`"a b"@example.com`, `"a b"@example.com`},
		{`"a> SIZE=1 <b"@example.com`, `"a> SIZE=1 <b"@example.com`},
		{`"> NOTIFY=NEVER"@example.com`, `"> NOTIFY=NEVER"@example.com`},
		{`"\"> RET=FULL"@example.com`, `"\"> RET=FULL"@example.com`},
		{`"a\\"@example.com`, `"a\\"@example.com`},
		{`"\\\">"@example.com`, `"\\\">"@example.com`},
		{`"RCPT TO:<eve@example.com>"@example.com`, `"RCPT TO:<eve@example.com>"@example.com`},
		{`"@one.example:a"@example.com`, `"@one.example:a"@example.com`},
		{`"\a\b"@example.com`, "ab@example.com"},
		{`""@example.com`, `""@example.com`},
		{`"plain"@example.com`, "plain@example.com"},
		{"\"a\r\nQUIT\r\n\"@example.com", ""},
		{"\"a\rb\"@example.com", ""},
		{"\"a\nb\"@example.com", ""},
		{"\"a\tb\"@example.com", ""},
		{"\"a\x00b\"@example.com", ""},
		{`"a"b@example.com`, ""},
		{`"a@example.com`, ""},
		{`a\@b@example.com`, ""},

		// RFC 5321 section 4.1.3
		{"a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
		{"a@[x-tag:content]", "a@[x-tag:content]"},
		{"a@[192.0.2.256]", ""},
		{"a@[192.0.2.1", ""},
		{"a@192.0.2.1]", ""},
		{"a@[IPv6:fe80::1%25eth0]", ""},

		// Source routes are ignored: RFC 5321 appendix C.
		{"@one.example:a@example.com", "a@example.com"},
		{"@one.example,@two.example:a@example.com", "a@example.com"},
		{"@[192.0.2.1]:\"a b\"@example.com", `"a b"@example.com`},
		{"@b\u00fccher.example:a@example.com", "a@example.com"},
		{"@one.example;a@example.com", ""},
		{"@one.example,a@example.com", ""},
		{"@one..example:a@example.com", ""},
		{"one.example:a@example.com", ""},
		{"a%example.com@one.example", "a%example.com@one.example"}, // not ours to take apart
		{"one.example!a@example.com", "one.example!a@example.com"},

		// A-labels and U-labels are what they are: RFC 6531 section 3.3.
		{"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
		{"j\u00f6rg@b\u00fccher.example", "j\u00f6rg@b\u00fccher.example"},
		{"\"j\u00f6rg m\"@b\u00fccher.example", "\"j\u00f6rg m\"@b\u00fccher.example"},
		{"\u4e2d\u6587@\u4e2d\u6587.example", "\u4e2d\u6587@\u4e2d\u6587.example"},
		{"a@b\xfccher.example", ""},
		{"\xff@example.com", ""},

		// RFC 5321 section 4.5.3.1, in octets
		{x(64) + "@example.com", x(64) + "@example.com"},
		{x(65) + "@example.com", ""},
		{`"` + x(62) + `"@example.com`, x(62) + "@example.com"},
		{`"` + x(63) + `"@example.com`, ""},
		{strings.Repeat("\u00fc", 32) + "@example.com", strings.Repeat("\u00fc", 32) + "@example.com"},
		{strings.Repeat("\u00fc", 33) + "@example.com", ""},
		{"a@" + x(63) + ".example", "a@" + x(63) + ".example"},
		{"a@" + x(64) + ".example", ""},
		{x(5) + "@" + labels + x(62), x(5) + "@" + labels + x(62)}, // 254, and its brackets
		{x(6) + "@" + labels + x(62), ""},
	}
}

// vectorAddresses are the third-party ones that the root's address_test runs.
func vectorAddresses(t *testing.T) (all []wireAddress) {
	data, err := os.ReadFile("../../shared/vectors/address/isemail-tests.xml")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the address test vectors are not beside this module")
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Address []string `xml:"test>address"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, a := range file.Address {
		// The file has U+2400 to U+241F for the control characters.
		path := strings.Map(func(r rune) rune {
			if 0x2400 <= r && r < 0x2420 {
				r -= 0x2400
			}
			return r
		}, a)
		want, _ := mailparts.ParseAddress(path)
		all = append(all, wireAddress{path, string(want)})
	}
	if len(all) < 100 {
		t.Fatalf("only %d addresses in the file", len(all))
	}
	return all
}

func TestAddressesOnTheWire(t *testing.T) {
	t.Run("own", func(t *testing.T) { onTheWire(t, wireAddresses()) })
	t.Run("vectors", func(t *testing.T) { onTheWire(t, vectorAddresses(t)) })
}

// onTheWire has each address as a sender and as a recipient accepted or refused,
// and with the ones that are accepted sends a message that our Client relays: the
// far server must get the same addresses, and not one parameter or command more.
func onTheWire(t *testing.T, all []wireAddress) {
	far := new(inbox)
	farServer := promising(far, "DSN", "DELIVERBY", "MT-PRIORITY", "FUTURERELEASE 600", "RRVS")
	farServer.MaxConnsPerAddr = -1
	relay := relayingTo(startServer(t, farServer))
	near := &smtp.Server{Receiver: mailparts.AsReceiver(relay), MaxConnsPerAddr: -1}
	l := startServer(t, near)
	for _, a := range all {
		sender := a.want
		if a.path == "" { // the null reverse-path
			sender = "<>"
		}
		utf8 := ""
		if strings.IndexFunc(a.path, func(r rune) bool { return r > '~' }) >= 0 {
			utf8 = " SMTPUTF8"
		}
		if !answers(t, l, "MAIL FROM:<"+a.path+">"+utf8, sender != "") {
			t.Errorf("sender %q: want %q", a.path, sender)
			continue
		}
		if !answers(t, l, "MAIL FROM:<a@example.org>"+utf8+"\r\nRCPT TO:<"+a.path+">", a.want != "") {
			t.Errorf("recipient %q: want %q", a.path, a.want)
			continue
		}
		if a.want == "" || strings.ContainsAny(a.want[strings.LastIndexByte(a.want, '@'):], "<>") {
			continue // no address, or one that our Client does not send: see isClientPath
		}
		c := connectTo(t, l)
		c.play(t, "G: EHLO")
		c.send(t, "MAIL FROM:<"+a.path+">"+utf8+"\r\nRCPT TO:<"+a.path+">\r\nDATA\r\nhello\r\n.\r\n")
		c.play(t, "S: 250 2.1.0 OK\nS: 250 2.1.5 OK\nS: 354 ...\nS: 250 ...")
		env := far.only(t).env
		far.messages = nil
		if string(env.From) != a.want || len(env.To) != 1 || env.To[0] != (mailparts.Rcpt{Addr: mailparts.Address(a.want)}) {
			t.Errorf("%q arrives from %q to %+v", a.path, env.From, env.To)
		}
		if env.Ret+env.EnvID != "" || env.AuthSender != nil || env.Priority != 0 || !env.Hold.IsZero() || env.By != (mailparts.Deadline{}) {
			t.Errorf("%q brings %+v", a.path, env)
		}
	}
}

// answers reports whether the last of commands is accepted as it should be.
func answers(t *testing.T, l *mailtest.Listener, commands string, accepted bool) bool {
	t.Helper()
	c := connectTo(t, l)
	c.play(t, "G: EHLO")
	c.send(t, commands+"\r\n")
	if strings.Contains(commands, "\r\nRCPT") {
		c.play(t, "S: 250 2.1.0 OK")
	}
	reply := c.line(t)
	c.Close()
	if accepted {
		return strings.HasPrefix(reply, "250 ")
	}
	return strings.HasPrefix(reply, "5")
}

// relayingTo sends each message on with our Client.
func relayingTo(l *mailtest.Listener) mailparts.Deliverer {
	d := &smtp.Dialer{Hostname: "near.example", NetDial: l.Dial}
	return mailparts.DelivererFunc(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		c, err := d.Dial(ctx, "mx.example.com:25")
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Deliver(ctx, env, msg)
	})
}
