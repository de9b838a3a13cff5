package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/sasl"
)

// A mail program lists the folders, and finds, sorts and reads the articles; it can change
// nothing.
func TestApp(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := &imap.Server{Hostname: "app.example.com", AllowInsecureAuth: true,
		Backend: app{"INBOX": {}, "News": {articles: []article{{"Open", "We are.", at}, {"Cake", "On Friday.", at.AddDate(0, 0, 1)}}}},
		Auth:    sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) { return c.User, nil })}
	l := mailtest.NewListener()
	go s.Serve(l)
	defer s.Close()
	nc, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	if _, err := r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for _, turn := range []struct{ command, want string }{
		{"LOGIN alice alice", "a OK "},
		{`LIST "" *`, "* LIST (\\HasNoChildren) \"/\" INBOX\r\n* LIST (\\HasNoChildren) \"/\" News\r\n"},
		{"STATUS News (MESSAGES UIDNEXT)", "* STATUS News (MESSAGES 2 UIDNEXT 3)\r\n"},
		{"SELECT News", "* 2 EXISTS\r\n"},
		{"UID FETCH 2:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "Subject: Cake\r\n"},
		{"FETCH 1 BODY[TEXT]", "{9}\r\nWe are.\r\n"},
		{"SEARCH TEXT friday", "* SEARCH 2\r\n"},
		{"SORT (REVERSE DATE) UTF-8 ALL", "* SORT 2 1\r\n"},
		{"NOOP", "a OK "},
		{`STORE 1 +FLAGS (\Seen)`, "a NO [NOPERM] "},
		{`COPY 1 INBOX`, "a NO [NOPERM] "},
		{"CREATE Notes", "a NO [CANNOT] "},
		{"LOGOUT", "* BYE "},
	} {
		got := exchange(t, nc, r, turn.command)
		if !strings.Contains(got, turn.want) {
			t.Errorf("%s: got\n%s\nwant %s", turn.command, got, turn.want)
		}
	}
}

// exchange sends a command and returns what it is answered.
func exchange(t *testing.T, nc net.Conn, r *bufio.Reader, command string) string {
	t.Helper()
	io.WriteString(nc, "a "+command+"\r\n")
	var all strings.Builder
	for {
		l, err := r.ReadString('\n')
		all.WriteString(l)
		if err != nil {
			t.Fatalf("%s: %v after %s", command, err, all.String())
		}
		if strings.HasPrefix(l, "a ") {
			return all.String()
		}
	}
}
