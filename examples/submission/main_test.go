package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl/passwd"
)

func Example() {
	dir, err := os.MkdirTemp("", "submission")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	users, err := passwd.OpenOrCreate(filepath.Join(dir, "users"))
	if err == nil {
		err = users.Set("alice@example.org", "secret")
	}
	if err != nil {
		log.Fatal(err)
	}
	test := httptest.NewTLSServer(nil) // has a certificate for example.com, and a client that trusts it
	defer test.Close()
	// Stands for the queue.
	sent := mailparts.DelivererFunc(func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
		text, err := io.ReadAll(msg)
		if err == nil {
			fmt.Println(env.From, "to", env.To[0].Addr, "has a Message-ID:", strings.Contains(string(text), "\r\nMessage-ID: <"))
		}
		return err
	})
	s := newServer(test.TLS.Certificates[0], users, sent)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()

	roots := x509.NewCertPool()
	roots.AddCert(test.Certificate())
	submit := func(from, header string) error {
		c, err := smtp.Dial(l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.StartTLS(&tls.Config{RootCAs: roots, ServerName: "example.com"}); err != nil {
			return err
		}
		if err := c.Auth(smtp.PlainAuth("", "alice@example.org", "secret", "127.0.0.1")); err != nil {
			return err
		}
		if err := cmp.Or(c.Mail(from), c.Rcpt("bob@example.net")); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		io.WriteString(w, header+"\r\n\r\nhello\r\n")
		return w.Close()
	}
	fmt.Println(submit("alice@example.org", "From: Alice <alice@example.org>"))
	fmt.Println(submit("boss@example.org", "From: Alice <alice@example.org>"))
	fmt.Println(submit("alice@example.org", "From: The Boss <boss@example.org>"))
	// Output:
	// alice@example.org to bob@example.net has a Message-ID: true
	// <nil>
	// 550 "5.7.1 You may not send as this address"
	// 550 "5.7.1 You may not send as this address"
}
