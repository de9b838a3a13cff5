package interop_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/lmtp"
)

// Our LMTP client delivers to Dovecot's LMTP server, and both recipients have it.
func TestLMTPClientToDovecot(t *testing.T) {
	curl := need(t, "curl")[0]
	mail := filepath.Join(folder(t), "mail")
	write(t, filepath.Join(mail, "README"), 0o644, "Maildirs")
	d := dovecot(t, mail)
	c := &lmtp.Client{Addr: d.lmtp}
	env := &mailparts.Envelope{ID: "1", From: "carol@example.net", To: []mailparts.Rcpt{{Addr: "alice@example.test"}, {Addr: "bob@example.test"}}}
	if err := c.Deliver(t.Context(), env, strings.NewReader(letter)); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"alice", "bob"} {
		wantLetter(t, run(t, "", curl, "-s", "-S", "-u", user+":secret", "pop3://"+d.pop3+"/1"))
	}
}
