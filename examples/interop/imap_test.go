package interop_test

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mbox"
	"github.com/mailparts/mailparts/sasl"
)

// imapServer is an imap.Server of ours on alice's mailboxes. Her password is password.
type imapServer struct {
	testing.TB
	store       mailparts.Store
	addr        string // STARTTLS, or passwords as they are
	tlsAddr     string
	certificate string
}

// startIMAP serves Maildirs.
func startIMAP(t testing.TB) *imapServer {
	t.Helper()
	return serveIMAP(t, &maildir.Backend{Root: filepath.Join(folder(t), "mail")})
}

// imapStores are the kinds of stores that clients are tried with.
var imapStores = map[string]func(root string) mailparts.Backend{
	"maildir": func(root string) mailparts.Backend { return &maildir.Backend{Root: root} },
	"mbox":    func(root string) mailparts.Backend { return &mbox.Backend{Root: root} },
}

func serveIMAP(t testing.TB, backend mailparts.Backend) *imapServer {
	t.Helper()
	log := newBuffer()
	server := &imap.Server{
		Hostname: "imap.example.test", Backend: backend, TLSConfig: serverTLS(), AllowInsecureAuth: true,
		Auth: sasl.AuthenticatorFunc(func(_ context.Context, c *sasl.Credentials) (string, error) {
			if c.User != "alice" || c.Password != password {
				return "", sasl.ErrDenied
			}
			return c.User, nil
		}),
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	store, err := backend.Open(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	s := &imapServer{TB: t, store: store}
	s.certificate, _ = certificate(t, "root")
	for _, l := range []struct {
		serve func(net.Listener) error
		addr  *string
	}{{server.Serve, &s.addr}, {server.ServeTLS, &s.tlsAddr}} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*l.addr = listener.Addr().String()
		go l.serve(listener)
	}
	t.Cleanup(func() {
		server.Close()
		if t.Failed() {
			t.Logf("the IMAP server logged:\n%s", log)
		}
	})
	return s
}

// mailbox opens one, and makes it if need be.
func (s *imapServer) mailbox(name string) mailparts.Mailbox {
	s.Helper()
	mb, err := s.store.Mailbox(s.Context(), name)
	if err != nil {
		if err = s.store.(mailparts.Manager).Create(s.Context(), name); err == nil {
			mb, err = s.store.Mailbox(s.Context(), name)
		}
	}
	if err != nil {
		s.Fatal(err)
	}
	return mb
}

// numbered appends messages with subjects, which their bodies name.
func (s *imapServer) numbered(name string, subjects ...string) mailparts.Mailbox {
	s.Helper()
	mb := s.mailbox(name)
	for _, subject := range subjects {
		appendTo(s, mb, letterNamed(subject))
	}
	return mb
}

func letterNamed(subject string) string {
	return "From: Carol <carol@example.net>\r\nTo: alice@example.test\r\nDate: Thu, 2 Jan 2020 03:04:05 +0000\r\n" +
		"Message-ID: <" + subject + "@example.net>\r\nSubject: " + subject + "\r\n\r\nthis is " + subject + "\r\n"
}

// want compares a mailbox with "subject: flags" in any order.
func (s *imapServer) want(who, name string, want ...string) {
	s.Helper()
	wantSorted(s, who+", "+name, s.mailbox(name), want...)
}

// wantText fails the test for each word that is not in what a program printed.
func wantText(t testing.TB, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("%q is missing in:\n%s", w, got)
		}
	}
}
