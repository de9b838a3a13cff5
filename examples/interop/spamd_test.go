package interop_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/filter/spamd"
)

// gtube is the Generic Test for Unsolicited Bulk Email: SpamAssassin gives it
// 1000 points.
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

func spamMessage(text string) string {
	return "Received: from client.example.net (client.example.net [192.0.2.1])\r\n\tby mx.example.org with ESMTP; Mon, 06 Jan 2025 10:00:00 +0000\r\n" +
		"X-Spam-Status: No, score=-100 required=5.0\r\n" +
		"From: A <a@example.net>\r\nTo: B <b@example.org>\r\nSubject: hello\r\n" +
		"Date: Mon, 06 Jan 2025 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n\r\n" + text + "\r\n\r\n.\r\nX-Spam-Flag: in the body\r\n"
}

// startSpamd starts SpamAssassin's spamd without network tests and user
// preferences. It returns HOST:PORT and the path of a socket.
func startSpamd(t *testing.T) (addr, socket string) {
	program := need(t, "spamd")[0]
	needRoot(t)
	dir := folder(t)
	write(t, filepath.Join(dir, "site", "init.pre"), 0o644, "loadplugin Mail::SpamAssassin::Plugin::Check")
	write(t, filepath.Join(dir, "site", "local.cf"), 0o644, "use_bayes 0", "report_safe 1", "rewrite_header Subject ***SPAM***",
		"required_score 5.0", "add_header all Score _SCORE_")
	addr, socket = freeAddr(t), filepath.Join(dir, "spamd.sock")
	d := start(t, program, "--local", "--nouser-config", "--username=nobody", "--max-children=2", "--min-children=1",
		"--listen="+addr, "--listen="+socket, "--socketmode=0666", "--siteconfigpath="+filepath.Join(dir, "site"),
		"--helper-home-dir="+dir, "--pidfile="+filepath.Join(dir, "pid"), "--syslog=stderr")
	d.log.await(t, "server started")
	return addr, socket
}

// Our client asks a real spamd by TCP and by its socket.
func TestSpamd(t *testing.T) {
	addr, socket := startSpamd(t)
	var got string
	var env mailparts.Envelope
	inbox := mailparts.DelivererFunc(func(_ context.Context, e *mailparts.Envelope, msg io.Reader) error {
		text, err := io.ReadAll(msg)
		got, env = string(text), *e
		return err
	})
	deliver := func(c *spamd.Client, msg string) error {
		c.FailClosed = true
		got, env = "", mailparts.Envelope{}
		return c.Wrap(inbox).Deliver(t.Context(), &mailparts.Envelope{From: "a@example.net"}, strings.NewReader(msg))
	}
	// body is what follows spamd's own fields: the message without the forged one.
	body := func(msg string) string {
		return strings.Replace(msg, "X-Spam-Status: No, score=-100 required=5.0\r\n", "", 1)
	}

	for _, where := range []string{addr, "unix:" + socket} {
		ham, spam := spamMessage("We meet at ten."), spamMessage(gtube)
		if err := deliver(&spamd.Client{Addr: where}, ham); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		fields, ok := strings.CutSuffix(got, body(ham))
		if !ok || !strings.Contains(fields, "X-Spam-Status: No, score=") || strings.Contains(got, "score=-100") ||
			strings.Contains(fields, "X-Spam-Flag: YES") || env.Attrs[spamd.AttrFlag] != "NO" {
			t.Errorf("%s: ham became %q with %v", where, got, env.Attrs)
		}

		if err := deliver(&spamd.Client{Addr: where, User: "alice"}, spam); err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		fields, ok = strings.CutSuffix(got, body(spam))
		if !ok || !strings.Contains(fields, "X-Spam-Flag: YES\r\n") || !strings.Contains(fields, "X-Spam-Score: 1") ||
			env.Attrs[spamd.AttrFlag] != "YES" {
			t.Errorf("%s: spam became %q with %v", where, got, env.Attrs)
		}

		err := deliver(&spamd.Client{Addr: where, RejectAt: 100}, spam)
		if e, ok := errors.AsType[*mailparts.Error](err); !ok || e.Code != 550 || got != "" {
			t.Errorf("%s: spam was answered %v, delivered %q", where, err, got)
		}
	}

	// Where nobody listens any more, mail passes by default.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	ham := spamMessage("We meet at ten.")
	err = (&spamd.Client{Addr: l.Addr().String()}).Wrap(inbox).Deliver(t.Context(), new(mailparts.Envelope), strings.NewReader(ham))
	if err != nil || got != body(ham) {
		t.Errorf("spamd down: %v, delivered %q", err, got)
	}
}
