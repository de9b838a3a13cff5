package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A user submits a message to another one, who reads it, and the server stops
// when it is told to.
func TestMailserver(t *testing.T) {
	data := t.TempDir()
	args := []string{"-data", data, "-user", "alice:first", "-user", "bob:second"}
	for _, name := range []string{"smtp", "submission", "submissions", "lmtp", "pop3", "pop3s", "imap", "imaps"} {
		args = append(args, "-"+name, "127.0.0.1:0")
	}
	c, err := parseConfig(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready := make(readyHandler, 1)
	done := make(chan error, 1)
	var out bytes.Buffer
	go func() { done <- run(ctx, c, &out, slog.New(ready)) }()
	var addrs map[string]string
	select {
	case addrs = <-ready:
	case err := <-done:
		t.Fatal(err)
	}

	pem, err := os.ReadFile(filepath.Join(data, "tls.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	tlsConfig := &tls.Config{RootCAs: roots, ServerName: "localhost"}

	nc, err := tls.Dial("tcp", addrs["submissions"], tlsConfig)
	if err != nil {
		t.Fatal(err)
	}
	send(t, nc, smtp.PlainAuth("", "alice@example.test", "first", "localhost"))
	if got := fetch(t, addrs["pop3s"], tlsConfig, "bob", "second"); !strings.Contains(got, "Subject: hello") || !strings.Contains(got, "Message-ID: ") {
		t.Errorf("bob's message is\n%s", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "Read mail") {
		t.Errorf("it does not say how to try it:\n%s", &out)
	}
}

func send(t *testing.T, nc net.Conn, auth smtp.Auth) {
	t.Helper()
	c, err := smtp.NewClient(nc, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(c.Auth(auth))
	check(c.Mail("alice@example.test"))
	check(c.Rcpt("bob@example.test"))
	w, err := c.Data()
	check(err)
	io.WriteString(w, "From: alice@example.test\r\nSubject: hello\r\n\r\nhello\r\n")
	check(w.Close())
	check(c.Quit())
}

// fetch returns the first message of a maildrop, once it has one.
func fetch(t *testing.T, addr string, cfg *tls.Config, user, password string) string {
	t.Helper()
	for {
		nc, err := tls.Dial("tcp", addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		c := textproto.NewConn(nc)
		defer c.Close()
		if _, err := c.ReadLine(); err != nil {
			t.Fatal(err)
		}
		var reply string
		for _, command := range []string{"USER " + user, "PASS " + password, "STAT"} {
			c.PrintfLine("%s", command)
			if reply, err = c.ReadLine(); err != nil || !strings.HasPrefix(reply, "+OK") {
				t.Fatalf("%s: %s %v", command, reply, err)
			}
		}
		if !strings.HasPrefix(reply, "+OK 0 ") {
			c.PrintfLine("RETR 1")
			c.ReadLine()
			b, err := io.ReadAll(c.DotReader())
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		c.PrintfLine("QUIT")
		c.ReadLine()
	}
}

// readyHandler is a log that passes on the addresses of the line "ready".
type readyHandler chan map[string]string

func (readyHandler) Enabled(context.Context, slog.Level) bool { return true }
func (h readyHandler) WithAttrs([]slog.Attr) slog.Handler     { return h }
func (h readyHandler) WithGroup(string) slog.Handler          { return h }

func (h readyHandler) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "ready" {
		addrs := map[string]string{}
		r.Attrs(func(a slog.Attr) bool {
			addrs[a.Key] = a.Value.String()
			return true
		})
		h <- addrs
	}
	return nil
}
