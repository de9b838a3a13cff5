package interop_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
)

// wire is what came over connections without TLS, piece by piece: what one read
// or one write had, with the client's pieces marked.
type wire struct {
	mu     sync.Mutex
	cond   *sync.Cond
	pieces []piece
}

type piece struct {
	client bool
	text   string
}

func newWire() *wire {
	w := new(wire)
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *wire) add(client bool, text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pieces = append(w.pieces, piece{client, string(text)})
	w.cond.Broadcast()
}

// await waits until the client has said words.
func (w *wire) await(ctx context.Context, words string) error {
	defer context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cond.Broadcast()
	})()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !slices.ContainsFunc(w.pieces, func(p piece) bool { return p.client && strings.Contains(p.text, words) }) {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.cond.Wait()
	}
	return nil
}

// client is all that the client said.
func (w *wire) client() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, p := range w.pieces {
		if p.client {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// together reports whether the client said all of words in one piece.
func (w *wire) together(words ...string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.pieces, func(p piece) bool { return p.client && containsAll(p.text, words) })
}

// dial is a smtp.Dialer's NetDial that records.
func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &dialled{c, w}, nil
}

// dialled is the client's end of a connection.
type dialled struct {
	net.Conn
	wire *wire
}

func (c *dialled) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wire.add(true, p[:n])
	return n, err
}

// listen makes a listener on loopback that records.
func (w *wire) listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &recording{l, w}, nil
}

type recording struct {
	net.Listener
	wire *wire
}

func (l *recording) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	a := &accepted{c, r, l.wire}
	go a.pump(w)
	return a, nil
}

// accepted is the server's end of a connection. It reads ahead of the server: the
// record has what the client sent while the server was busy.
type accepted struct {
	net.Conn
	r    *io.PipeReader
	wire *wire
}

func (c *accepted) pump(w *io.PipeWriter) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Conn.Read(buf)
		c.wire.add(true, buf[:n])
		if _, werr := w.Write(buf[:n]); werr != nil {
			return
		}
		if err != nil {
			w.CloseWithError(err)
			return
		}
	}
}

func (c *accepted) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *accepted) Write(p []byte) (int, error) {
	c.wire.add(false, p)
	return c.Conn.Write(p)
}

func (c *accepted) Close() error {
	c.r.Close()
	return c.Conn.Close()
}
