package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/dns"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/queue"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// system is the whole mail system, wired.
type system struct {
	config  *config
	log     *slog.Logger
	spool   *queue.FileSpool
	queue   *queue.Queue
	relay   *smtp.Relay
	servers []server
}

// server is one door.
type server struct {
	name     string // of its flag
	addr     listenAddr
	serve    func(net.Listener) error // blocks
	listener net.Listener
	shutdowner
}

type shutdowner interface {
	Shutdown(ctx context.Context) error
}

// newSystem wires the parts. Nothing runs yet.
func newSystem(ctx context.Context, c *config, out io.Writer, log *slog.Logger) (*system, error) {
	if err := makeData(c.data); err != nil {
		return nil, err
	}
	// First, because a second process on the data folder is refused here.
	spool, err := queue.Open(filepath.Join(c.data, "spool"))
	if err != nil {
		return nil, err
	}
	spool.Logger = log
	s := &system{config: c, log: log, spool: spool}
	if err := s.wire(ctx, out); err != nil {
		spool.Close()
		return nil, err
	}
	return s, nil
}

// wire makes the parts and puts them together.
func (s *system) wire(ctx context.Context, out io.Writer) error {
	c, log, host := s.config, s.log, string(s.config.hostname)
	tlsConfig, err := loadTLS(c)
	if err != nil {
		return err
	}
	users, err := openAccounts(ctx, c, out, log)
	if err != nil {
		return err
	}

	// The store, and what leads to it.
	mail := &maildir.Backend{Root: filepath.Join(c.data, "mail"), Logger: log}
	local := &lmtp.Local{Backend: mail, Lookup: users.Lookup, Domains: c.domains, Postmaster: users.Names()[0], Logger: log}

	// Outward: the queue delivers what is ours to the store, the rest to others.
	resolver := &dns.Client{}
	if c.resolver != "" {
		resolver.Servers = []string{string(c.resolver)}
	}
	relay := &smtp.Relay{Hostname: host, Smarthost: string(c.smarthost), Resolver: resolver, Dialer: smtp.Dialer{Logger: log}}
	routes := queue.Routes{"postmaster": local, "*": relay}
	for _, domain := range c.domains {
		routes[domain] = local
	}
	q := &queue.Queue{Spool: s.spool, Routes: routes, Hostname: host, Logger: log}

	// Inward: two doors to the queue, one to the store, one out of it.
	filters, err := s.filters(ctx, local, resolver)
	if err != nil {
		return err
	}
	mta := &smtp.Server{Hostname: host, TLSConfig: tlsConfig, Receiver: mailparts.Chain(q, filters...), Logger: log}
	rules := &smtp.Submission{Own: users.Own, Hostname: host, SingleLabel: true}
	auth := &sasl.Brake{Auth: users} // one for all doors that take a password
	msa := &smtp.Server{Hostname: host, TLSConfig: tlsConfig, Auth: auth, RequireAuth: true, RequireTLS: true,
		Receiver: mailparts.Chain(q, mailparts.OnRcpt(local.Check), rules.Filter), Logger: log}
	mda := &lmtp.Server{Hostname: host, Receiver: local, Logger: log}
	mailboxes := &imap.Server{Hostname: host, TLSConfig: tlsConfig, Backend: mail, Auth: auth, Logger: log,
		ID: map[string]string{"name": "mailparts"}}
	pop := &pop3.Server{Hostname: host, TLSConfig: tlsConfig, Backend: mail, Auth: auth, Logger: log}
	s.queue, s.relay, s.servers = q, relay, []server{
		{name: "smtp", addr: c.smtp, serve: mta.Serve, shutdowner: mta},
		{name: "submission", addr: c.submission, serve: msa.Serve, shutdowner: msa},
		{name: "submissions", addr: c.submissions, serve: msa.ServeTLS, shutdowner: msa},
		{name: "lmtp", addr: c.lmtp, serve: mda.Serve, shutdowner: mda},
		{name: "pop3", addr: c.pop3, serve: pop.Serve, shutdowner: pop},
		{name: "pop3s", addr: c.pop3s, serve: pop.ServeTLS, shutdowner: pop},
		{name: "imap", addr: c.imap, serve: mailboxes.Serve, shutdowner: mailboxes},
		{name: "imaps", addr: c.imaps, serve: mailboxes.ServeTLS, shutdowner: mailboxes},
	}
	return nil
}

// listen opens the doors that are not off.
func (s *system) listen() error {
	open := s.servers[:0]
	for _, srv := range s.servers {
		if srv.addr.addr == "" {
			continue
		}
		l, err := s.listenAt(srv.name, srv.addr)
		if err != nil {
			for _, srv := range open {
				srv.listener.Close()
			}
			return fmt.Errorf("%s: %w", srv.name, err)
		}
		srv.listener = l
		open = append(open, srv)
	}
	s.servers = open
	return nil
}

// listenAt takes another port if a default one is taken: a first look at the
// server should not fail because of it. Asked for by name, it must be that one.
func (s *system) listenAt(name string, a listenAddr) (net.Listener, error) {
	l, err := net.Listen("tcp", a.addr)
	if a.given || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	s.log.Warn("the default port is in use, taking another", "server", name, "addr", a.addr)
	return net.Listen("tcp", "127.0.0.1:0")
}

// addresses are the doors' addresses, for the log.
func (s *system) addresses() []any {
	var a []any
	for _, srv := range s.servers {
		a = append(a, srv.name, srv.listener.Addr().String())
	}
	return a
}

// howToTry tells a newcomer what to type.
func (s *system) howToTry(out io.Writer) {
	addr := map[string]string{}
	for _, srv := range s.servers {
		addr[srv.name] = srv.listener.Addr().String()
	}
	domain := s.config.domains[0]
	cert := cmp.Or(s.config.tlsCert, filepath.Join(s.config.data, "tls.crt"))
	var b strings.Builder
	if addr["smtp"] != "" {
		fmt.Fprintf(&b, "\nSend as another mail server would:\n  curl smtp://%s --mail-from you@example.net --mail-rcpt alice@%s --crlf -T README.md\n", addr["smtp"], domain)
	}
	if addr["submission"] != "" {
		fmt.Fprintf(&b, "Send as a user:\n  curl --ssl-reqd --cacert %s -u alice smtp://%s --mail-from alice@%s --mail-rcpt bob@%s --crlf -T README.md\n", cert, addr["submission"], domain, domain)
	}
	if addr["imaps"] != "" {
		fmt.Fprintf(&b, "Read mail by IMAP:\n  curl --cacert %s -u alice 'imaps://%s/INBOX;MAILINDEX=1'\n", cert, addr["imaps"])
	}
	if addr["pop3s"] != "" {
		fmt.Fprintf(&b, "Read mail by POP3:\n  curl --cacert %s -u alice pop3s://%s/1\n", cert, addr["pop3s"])
	}
	b.WriteString("Stop: Ctrl-C.\n")
	io.WriteString(out, b.String())
}
