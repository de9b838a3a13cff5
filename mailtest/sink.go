package mailtest

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/sasl"
	"github.com/mailparts/mailparts/smtp"
)

// Sink is an SMTP server in the process that takes every message and keeps it, for
// the tests of programs that send mail. NewSink makes one. It starts at the first
// call of Addr or Dial, and stops with its test; no field may be set after that.
//
// In a bubble of testing/synctest connect with Dial: the clock of a bubble stands
// still while somebody waits for a real socket, such as Addr's.
type Sink struct {
	// Users are the passwords by user name. With any, MAIL needs AUTH. PLAIN and
	// LOGIN need TLS if there is TLS, as real servers have it; else they do not, so
	// that net/smtp.PlainAuth, which takes a server on 127.0.0.1 to be safe, works.
	Users map[string]string
	// TLS offers STARTTLS. Not everything that sends mail can be told to trust
	// TLSConfig: net/smtp.SendMail uses STARTTLS where it is offered, and cannot.
	TLS bool
	// TLSConfig is for clients: it trusts the certificate, which is for 127.0.0.1
	// and localhost.
	TLSConfig *tls.Config
	// Filters take part in each transaction, the first one outermost, and may refuse,
	// defer or hold it: mailparts.OnMail, OnRcpt and OnData make them of functions.
	Filters []mailparts.Filter
	// Config is the rest of the server: LMTP, Hostname, Extensions, limits, …. The
	// Sink sets Receiver, and what Users and TLS stand for.
	Config *smtp.Server

	t      testing.TB
	cert   *tls.Config // of the server
	start  sync.Once
	memory *Listener
	addr   func() string

	mu       sync.Mutex
	messages []*Message
	next     int           // index of Next's
	more     chan struct{} // closed and replaced when a message comes
}

// NewSink makes a Sink that anyone may send mail to.
func NewSink(t testing.TB) *Sink {
	t.Helper()
	s := &Sink{
		Config: &smtp.Server{
			Hostname: "localhost",

			MaxConnsPerAddr: -1, // a test is from one
			Logger:          slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		},
		t:      t,
		memory: NewListener(),
		more:   make(chan struct{}),
	}
	s.cert, s.TLSConfig = certificate(t)
	s.addr = sync.OnceValue(s.listen)
	return s
}

// Addr is where the Sink listens, "127.0.0.1:port".
func (s *Sink) Addr() string { return s.addr() }

func (s *Sink) listen() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.begin()
	s.serve(l)
	return l.Addr().String()
}

// Dial connects in memory. Its parameters after ctx are ignored: it stands in for
// a net.Dialer's DialContext.
func (s *Sink) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.begin()
	return s.memory.Dial(ctx, network, addr)
}

// begin sets the server up and serves the memory.
func (s *Sink) begin() {
	s.start.Do(func() {
		s.Config.Receiver = mailparts.Chain(mailparts.AsReceiver(mailparts.DelivererFunc(s.keep)), s.Filters...)
		if s.TLS {
			s.Config.TLSConfig = s.cert
		}
		if len(s.Users) > 0 {
			s.Config.RequireAuth = true
			s.Config.Mechanisms = sasl.Mechanisms(sasl.AuthenticatorFunc(s.authenticate))
			for i := range s.Config.Mechanisms {
				s.Config.Mechanisms[i].Plaintext = s.TLS
			}
		}
		s.serve(s.memory)
	})
}

// serve serves l until the test ends.
func (s *Sink) serve(l net.Listener) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Config.Serve(l); err != mailparts.ErrServerClosed {
			s.t.Errorf("mailtest: Sink: %v", err)
		}
	}()
	s.t.Cleanup(func() {
		s.Config.Close()
		<-done
	})
}

func (s *Sink) authenticate(_ context.Context, c *sasl.Credentials) (user string, err error) {
	password, known := s.Users[c.User]
	if same := subtle.ConstantTimeCompare([]byte(c.Password), []byte(password)) == 1; !known || !same {
		return "", sasl.ErrDenied
	}
	return c.User, nil
}

// keep is the Deliverer at the end of the chain.
func (s *Sink) keep(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
	data, err := io.ReadAll(msg)
	if err != nil {
		return err
	}
	m := &Message{Envelope: *env, Received: data[:receivedField(data)]}
	m.Data = data[len(m.Received):]
	m.Envelope.To = slices.Clone(env.To)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	close(s.more)
	s.more = make(chan struct{})
	return nil
}

// Messages are all that came so far, in the order in which they were accepted.
func (s *Sink) Messages() []*Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Next waits for a message that it has not returned yet. The error is the end of
// ctx.
func (s *Sink) Next(ctx context.Context) (*Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.wait(ctx, s.next+1); err != nil {
		return nil, err
	}
	s.next++
	return s.messages[s.next-1], nil
}

// Wait waits until n messages have come since the beginning, and returns all there
// are. The error is the end of ctx; then they are fewer.
func (s *Sink) Wait(ctx context.Context, n int) ([]*Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.wait(ctx, n)
	return slices.Clone(s.messages), err
}

// wait is called with the lock, which it gives up while it waits.
func (s *Sink) wait(ctx context.Context, n int) error {
	for len(s.messages) < n {
		more := s.more
		s.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if len(s.messages) < n && ctx.Err() != nil {
			return fmt.Errorf("mailtest: %d messages came, want %d: %w", len(s.messages), n, context.Cause(ctx))
		}
	}
	return nil
}
