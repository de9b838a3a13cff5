package interop_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// wire stands between a client and a server and keeps what the client says, which
// wants a connection without TLS. It passes on what it reads at once, whatever
// the server does meanwhile: the record has what the client did not wait with.
type wire struct {
	addr string // where the client connects

	mu     sync.Mutex
	cond   *sync.Cond
	pieces []string // what one read had
}

// newWire starts a wire to the server at addr.
func newWire(t testing.TB, addr string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String()}
	w.cond = sync.NewCond(&w.mu)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { w.join(client, addr) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		group.Wait()
	})
	return w
}

// join passes on between client and the server at addr until both have ended:
// Exim ends its direction first, with QUIT, and then waits for replies.
func (w *wire) join(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	var group sync.WaitGroup
	group.Go(func() {
		io.Copy(client, server)
		client.(*net.TCPConn).CloseWrite()
	})
	io.Copy(io.MultiWriter(w, server), client)
	server.(*net.TCPConn).CloseWrite()
	group.Wait()
}

// Write keeps a piece.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.cond.Broadcast()
	w.pieces = append(w.pieces, string(p))
	return len(p), nil
}

// await waits until the client has said words.
func (w *wire) await(ctx context.Context, words string) error {
	defer context.AfterFunc(ctx, w.cond.Broadcast)()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !strings.Contains(strings.Join(w.pieces, ""), words) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.cond.Wait()
	}
	return nil
}

// String is all that the client said.
func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.pieces, "")
}

// together reports whether the client said all of words at once.
func (w *wire) together(words ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pieces {
		if containsAll(p, words) {
			return true
		}
	}
	return false
}
