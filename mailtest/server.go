package mailtest

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/lmtp"
	"github.com/mailparts/mailparts/pop3"
	"github.com/mailparts/mailparts/queue"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// What every Server has.
const (
	Domain   = "example.test" // its users' addresses are NAME@Domain
	Password = "secret"       // of each user
)

// Server is a whole mail system in-process, on random ports of 127.0.0.1: MTA,
// MSA, queue, MDA, POP3 and IMAP server on a Memory. NewServer starts one.
type Server struct {
	SMTPAddr        string // MTA: takes mail for the users from anyone; no TLS
	SubmissionAddr  string // MSA: takes mail for anywhere from users, STARTTLS and AUTH required
	SubmissionsAddr string // the same under TLS from the first octet (RFC 8314)
	LMTPAddr        string // MDA
	POP3Addr        string // STLS
	POP3SAddr       string // TLS from the first octet
	IMAPAddr        string // STARTTLS
	IMAPSAddr       string // TLS from the first octet

	// TLSConfig is for clients: it trusts the server's certificate, which is for
	// 127.0.0.1 and localhost.
	TLSConfig *tls.Config
	// Backend holds the users' mail.
	Backend *Memory
	// DNS is all that Relay knows of the world, empty at first: mail for other
	// domains bounces as their names do not exist. With a domain's MX at a
	// loopback address and Relay.Port set, it goes to a server of the test.
	DNS *DNS
	// Relay takes the mail for other domains. Set its fields before any is sent.
	Relay *smtp.Relay
	// Queue runs until the test ends.
	Queue *queue.Queue
}

// NewServer starts a mail system with these users, and stops it when t ends.
// What goes wrong inside is in t's log.
func NewServer(t testing.TB, users ...string) *Server {
	t.Helper()
	spool, err := queue.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { spool.Close() })
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	spool.Logger = log
	s := &Server{Backend: &Memory{Users: slices.Clone(users)}, DNS: NewDNS()}
	cert, trust := certificate(t)
	s.TLSConfig = trust
	s.Relay = &smtp.Relay{Hostname: Domain, Resolver: s.DNS, Dialer: smtp.Dialer{Logger: log}}
	local := &lmtp.Local{Backend: s.Backend, Lookup: s.lookup, Domains: []string{Domain}, Logger: log}
	if len(users) > 0 {
		local.Postmaster = users[0]
	}
	s.Queue = &queue.Queue{Spool: spool, Hostname: Domain, Logger: log,
		Routes: queue.Routes{Domain: local, "postmaster": local, "*": s.Relay}}

	check := mailparts.OnRcpt(local.Check)
	// Without STARTTLS: net/smtp.SendMail uses it where it is offered, and cannot
	// be told to trust cert.
	mta := &smtp.Server{Hostname: Domain, Logger: log, Receiver: mailparts.Chain(s.Queue, check)}
	msa := &smtp.Server{Hostname: Domain, TLSConfig: cert, Logger: log, Auth: s, RequireAuth: true, RequireTLS: true,
		Receiver: mailparts.Chain(s.Queue, check, mailparts.OnData(smtp.FixUp))}
	mda := &lmtp.Server{Hostname: Domain, Logger: log, Receiver: local}
	pop := &pop3.Server{Hostname: Domain, TLSConfig: cert, Logger: log, Backend: s.Backend, Auth: s}
	mailboxes := &imap.Server{Hostname: Domain, TLSConfig: cert, Logger: log, Backend: s.Backend, Auth: s}

	run := func(addr *string, serve func(net.Listener) error, stop func() error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*addr = l.Addr().String()
		go serve(l)
		t.Cleanup(func() { stop() })
	}
	// Cleanups run last in, first out: the queue stops after the doors.
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Queue.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		s.Queue.Shutdown(ctx)
		<-stopped
		s.Relay.Close()
	})
	run(&s.SMTPAddr, mta.Serve, mta.Close)
	run(&s.SubmissionAddr, msa.Serve, msa.Close)
	run(&s.SubmissionsAddr, msa.ServeTLS, msa.Close)
	run(&s.LMTPAddr, mda.Serve, mda.Close)
	run(&s.POP3Addr, pop.Serve, pop.Close)
	run(&s.POP3SAddr, pop.ServeTLS, pop.Close)
	run(&s.IMAPAddr, mailboxes.Serve, mailboxes.Close)
	run(&s.IMAPSAddr, mailboxes.ServeTLS, mailboxes.Close)
	return s
}

// lookup finds a user by local part, in any case.
func (s *Server) lookup(_ context.Context, to mailparts.Address) (string, error) {
	for _, user := range s.Backend.Users {
		if strings.EqualFold(user, to.Local()) {
			return user, nil
		}
	}
	return "", mailparts.ErrNoUser
}

// Authenticate implements sasl.Authenticator: every user has Password, and logs
// in by name or address.
func (s *Server) Authenticate(_ context.Context, c *sasl.Credentials) (string, error) {
	user := strings.TrimSuffix(c.User, "@"+Domain)
	ok := subtle.ConstantTimeCompare([]byte(c.Password), []byte(Password)) == 1
	if !ok || !slices.Contains(s.Backend.Users, user) || c.Authzid != "" && c.Authzid != c.User {
		return "", sasl.ErrDenied
	}
	return user, nil
}

// Messages waits until user's INBOX holds n messages, and returns all that it
// holds. It fails t if they are not there after ten seconds.
func (s *Server) Messages(t testing.TB, user string, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	inbox, err := s.inbox(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan struct{}, 1)
	err = inbox.(mailparts.Watcher).Watch(ctx, func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for {
		msgs, err := readAll(ctx, inbox)
		if err != nil {
			t.Fatal(err)
		}
		if len(msgs) >= n {
			return msgs
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%s has %d messages, want %d", user, len(msgs), n)
		}
	}
}

func (s *Server) inbox(ctx context.Context, user string) (mailparts.Mailbox, error) {
	store, err := s.Backend.Open(ctx, user)
	if err != nil {
		return nil, err
	}
	return store.Mailbox(ctx, "INBOX")
}

func readAll(ctx context.Context, mb mailparts.Mailbox) (msgs []string, err error) {
	for m, err := range mb.Messages(ctx, mailparts.AllUIDs(), mailparts.Query{}) {
		if err != nil {
			return nil, err
		}
		body, err := mb.Body(ctx, m.UID)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(body)
		body.Close()
		if err != nil {
			return nil, err
		}
		msgs = append(msgs, string(b))
	}
	return msgs, nil
}
