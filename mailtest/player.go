package mailtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/mailparts/mailparts"
)

// Player plays one side of [Script]s on a connection, be it a server's or a
// client's under test at the other end: any of TCP, or in memory. One with a Conn
// is the client; the zero value of every other field works.
type Player struct {
	Conn   net.Conn // over TLS, after a handshake
	Server bool     // the player is the server

	// TLSConfig is for T:. nil: a client takes any certificate, a server has none.
	TLSConfig *tls.Config

	// What G: says, as a client to whom the server accepts mail.
	Hello    string            // [client.example.org]
	From, To mailparts.Address // [alice@example.org, bob@example.com]
	LMTP     bool              // it is LHLO

	// Timeout is what the other side may take for each line that it must send, and
	// for what it is sent to be taken. 0: until the context ends.
	Timeout time.Duration

	raw     net.Conn // Conn as it was at first
	r       *bufio.Reader
	release <-chan struct{} // ends the waits that have no other end
	talk    conversation
}

// Play plays s, and goes on where the last one ended. It returns an error if the
// other side does not keep to s, and when ctx ends, which interrupts it: then the
// connection is of no more use. It leaves the connection open unless s ends it.
func (p *Player) Play(ctx context.Context, s Script) error {
	steps, err := s.parse()
	if err != nil {
		return err
	}
	if p.r == nil {
		p.raw, p.r = p.Conn, bufio.NewReader(p.Conn)
	}
	raw := p.raw
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })()
	for _, st := range steps {
		if err := p.step(ctx, st); err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return st.wrong(err)
		}
	}
	return nil
}

// step plays one line.
func (p *Player) step(ctx context.Context, st step) error {
	p.arm(ctx)
	switch {
	case st.who == 'W':
		return p.sleep(ctx, st.wait)
	case st.who == 'G' && p.Server:
		return p.serve(ctx, st.text)
	case st.who == 'G':
		return p.call(ctx, st.text)
	case st.who == 'T':
		return p.handshake(ctx, st.how)
	case (st.who == 'S') == p.Server:
		return p.act(ctx, st)
	}
	return p.expect(ctx, st)
}

// arm gives the other side its time, unless ctx has ended.
func (p *Player) arm(ctx context.Context) {
	var until time.Time
	if p.Timeout > 0 {
		until = time.Now().Add(p.Timeout)
	}
	p.raw.SetDeadline(until)
	if ctx.Err() != nil { // perhaps in between
		p.raw.SetDeadline(time.Unix(1, 0))
	}
}

func (p *Player) sleep(ctx context.Context, d time.Duration) error {
	var wake <-chan time.Time
	if d != forever {
		timer := time.NewTimer(d)
		defer timer.Stop()
		wake = timer.C
	}
	select {
	case <-wake:
	case <-p.release: // nil blocks
		if d != forever {
			<-wake
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// act does what the script has for our side.
func (p *Player) act(ctx context.Context, st step) error {
	switch st.how {
	case ':':
		p.talk.note(p.Server, st.text)
		return p.send(st.text + "\r\n")
	case '>':
		return p.send(st.text)
	case '*':
		return p.flood(ctx, st.text)
	case '.':
		p.talk.note(p.Server, st.text)
		return p.drip(ctx, st)
	}
	return p.finish(st.text)
}

// send writes text. That the other side is gone is no error: what it was to say
// next shows it, or what it said before.
func (p *Player) send(text string) error {
	_, err := io.WriteString(p.Conn, text)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// MaxFlood is how many octets a server's S* sends to a client that does not go
// away, about: one that keeps them all costs the test some hundred megabytes, and
// not the machine.
const MaxFlood = 64 << 20

var errFlooded = fmt.Errorf("the client takes %d octets, and does not go away", MaxFlood)

// flood sends text until the connection is gone. What comes meanwhile is not read.
// A client's has no other end: a server must not put up with it, however long it
// is, and has no reason to keep it.
func (p *Player) flood(ctx context.Context, text string) error {
	if text == "" {
		return errors.New("nothing to repeat")
	}
	text = strings.Repeat(text, max(1, 32<<10/len(text)))
	for sent := 0; !p.Server || sent < MaxFlood; sent += len(text) {
		if _, err := io.WriteString(p.Conn, text); err != nil {
			return ctx.Err()
		}
		p.arm(ctx)
	}
	return errFlooded
}

// drip sends a line octet by octet, until the connection is gone.
func (p *Player) drip(ctx context.Context, st step) error {
	for _, c := range []byte(st.text + "\r\n") {
		if err := p.sleep(ctx, st.wait); err != nil {
			return err
		}
		p.arm(ctx)
		if _, err := p.Conn.Write([]byte{c}); err != nil {
			return ctx.Err()
		}
	}
	return nil
}

// finish ends the connection.
func (p *Player) finish(how string) error {
	switch how {
	case "half-close":
		half, ok := p.raw.(interface{ CloseWrite() error })
		if !ok {
			return fmt.Errorf("a %T has no CloseWrite", p.raw)
		}
		return half.CloseWrite()
	case "reset":
		lingering, ok := p.raw.(interface{ SetLinger(int) error })
		if !ok {
			return fmt.Errorf("a %T has no SetLinger", p.raw)
		}
		lingering.SetLinger(0)
	}
	p.raw.Close()
	return nil
}

// expect holds the other side to what the script has for it.
func (p *Player) expect(ctx context.Context, st step) error {
	switch st.how {
	case '>':
		got := make([]byte, len(st.text))
		n, err := io.ReadFull(p.r, got)
		if string(got[:n]) != st.text {
			return mismatch(string(got[:n]), err)
		}
		return nil
	case '*':
		return p.drain(ctx)
	case '!':
		if got, err := p.r.ReadString('\n'); err == nil || got != "" || errors.Is(err, os.ErrDeadlineExceeded) {
			return mismatch(got, err)
		}
		return nil
	}
	got, err := p.line()
	if err != nil || !matchLine(got, st.text) {
		return mismatch(got, err)
	}
	return nil
}

// drain drops all that comes, until the other side is gone.
func (p *Player) drain(ctx context.Context) error {
	stop := make(chan struct{})
	defer close(stop)
	if p.release != nil {
		raw := p.raw
		go func() {
			select {
			case <-p.release:
				raw.SetReadDeadline(time.Unix(1, 0))
			case <-stop:
			}
		}()
	}
	p.raw.SetReadDeadline(time.Time{})
	if ctx.Err() == nil {
		io.Copy(io.Discard, p.r)
	}
	return ctx.Err()
}

// line reads a line without its CRLF.
func (p *Player) line() (string, error) {
	l, err := p.r.ReadString('\n')
	if err != nil {
		return l, err
	}
	l, ok := strings.CutSuffix(l, "\r\n")
	if !ok {
		return l, errors.New("a line must end with CRLF")
	}
	p.talk.note(!p.Server, l)
	return l, nil
}

func mismatch(got string, err error) error {
	if err != nil {
		return fmt.Errorf("got %.200q, and then %w", got, err)
	}
	return fmt.Errorf("got %.200q", got)
}

// handshake goes over to TLS. Whoever spoils it speaks no version that is in use.
func (p *Player) handshake(ctx context.Context, how byte) error {
	cfg := p.TLSConfig.Clone()
	if cfg == nil {
		cfg = &tls.Config{InsecureSkipVerify: true}
	}
	if how == '!' && p.Server || how == '?' && !p.Server {
		cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	}
	conn := tls.Client(p.Conn, cfg)
	if p.Server {
		conn = tls.Server(p.Conn, cfg)
	}
	err := conn.HandshakeContext(ctx)
	switch {
	case how != ':' && err == nil:
		return errors.New("the handshake succeeds")
	case how != ':':
		return ctx.Err()
	case err != nil:
		return err
	}
	p.Conn, p.r = conn, bufio.NewReader(conn)
	return nil
}
