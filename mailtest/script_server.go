package mailtest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// ScriptServer is a server that plays scripts to those who connect, for the tests
// of clients. NewScriptServer makes one that holds its clients to the scripts,
// BadServer.Start one that does not.
type ScriptServer struct {
	// TLSConfig is for clients: it trusts the certificate, which is for 127.0.0.1
	// and localhost.
	TLSConfig *tls.Config
	// Listener is where Dial connects to.
	Listener *Listener

	t       testing.TB
	cert    *tls.Config
	scripts []Script // by connection; one is for all if anything goes
	lenient bool     // anything goes
	ctx     context.Context
	cancel  context.CancelFunc
	release chan struct{}
	addr    func() string
	closing sync.Once
	playing sync.WaitGroup
	mu      sync.Mutex
	all     []net.Listener
	count   int // connections
}

// NewScriptServer starts a server that plays the first script to the first
// connection, the second to the second, and so on, and closes each at the end of
// its script. A client that does not keep to its script fails the test, and so do
// a connection too many and one that never came. The scripts must be over when the
// test ends, but for what waits for no one.
func NewScriptServer(t testing.TB, scripts ...Script) *ScriptServer {
	t.Helper()
	return startScripts(t, scripts, false)
}

func startScripts(t testing.TB, scripts []Script, lenient bool) *ScriptServer {
	t.Helper()
	for _, script := range scripts {
		if _, err := script.parse(); err != nil {
			t.Fatal(err)
		}
	}
	s := &ScriptServer{t: t, scripts: scripts, lenient: lenient, Listener: NewListener(), release: make(chan struct{})}
	s.cert, s.TLSConfig = certificate(t)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.addr = sync.OnceValue(s.listen)
	s.accept(s.Listener)
	t.Cleanup(s.Close)
	return s
}

// Dial connects in memory, as a net.Dialer's DialContext.
func (s *ScriptServer) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return s.Listener.Dial(ctx, network, addr)
}

// Addr is where the server listens, "127.0.0.1:port". It begins at the first call:
// in a bubble of testing/synctest use Dial, since a bubble's clock stands still
// while somebody waits for a real socket.
func (s *ScriptServer) Addr() string { return s.addr() }

func (s *ScriptServer) listen() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.accept(l)
	return l.Addr().String()
}

// patience is how long a client may take, once the test is over, for what its
// script still has for it.
const patience = 10 * time.Second

// Close stops listening, ends what waits for no one, and waits until all scripts
// are over. It is called when the test ends.
func (s *ScriptServer) Close() {
	s.closing.Do(func() {
		close(s.release)
		if s.lenient {
			s.cancel()
		}
		timer := time.AfterFunc(patience, s.cancel)
		s.mu.Lock()
		for _, l := range s.all {
			l.Close()
		}
		s.mu.Unlock()
		s.playing.Wait()
		timer.Stop()
		s.cancel()
		if missing := len(s.scripts) - s.count; missing > 0 && !s.lenient {
			s.t.Errorf("mailtest: %d connections came, %d scripts were not played", s.count, missing)
		}
	})
}

// accept plays to those who come to l.
func (s *ScriptServer) accept(l net.Listener) {
	s.mu.Lock()
	s.all = append(s.all, l)
	s.mu.Unlock()
	s.playing.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			s.playing.Go(func() { s.play(nc) })
		}
	})
}

// script is that of the next connection, and its number.
func (s *ScriptServer) script() (script Script, n int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	switch {
	case s.lenient:
		return s.scripts[0], s.count, true
	case s.count <= len(s.scripts):
		return s.scripts[s.count-1], s.count, true
	}
	return "", s.count, false
}

func (s *ScriptServer) play(nc net.Conn) {
	defer nc.Close()
	script, n, ok := s.script()
	if !ok {
		s.t.Errorf("mailtest: connection %d is one too many", n)
		return
	}
	p := &Player{Conn: nc, Server: true, TLSConfig: s.cert, release: s.release}
	if err := p.Play(s.ctx, script); err != nil && (!s.lenient || errors.Is(err, errFlooded)) {
		s.t.Errorf("connection %d: %v", n, err)
	}
}
