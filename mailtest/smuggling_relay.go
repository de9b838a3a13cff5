package mailtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// TestSmugglingRelay has send send a message for every vector, a subtest for each,
// and looks at what it writes: none of it may be an end of data, to any server,
// before the true end. send connects with dial, as often as it likes and to any
// address, sends msg from anyone to one recipient, and returns when it is delivered
// or is not. It may refuse a message with CR or LF alone, or make them CRLF; it must
// deliver one without.
//
// Each message is sent to a server that offers CHUNKING, and to one that does not.
func TestSmugglingRelay(t *testing.T, send func(ctx context.Context, dial DialFunc, msg string) error) {
	for _, v := range SmugglingVectors() {
		if v.Begin != "DATA" {
			continue
		}
		t.Run(v.Kind.String()+"/"+v.Name, func(t *testing.T) {
			if err := v.TrySend(t.Context(), send); err != nil {
				t.Errorf("%s: %v", v.About, err)
			}
		})
	}
}

// DialFunc is a net.Dialer's DialContext.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// TrySend is [TestSmugglingRelay] for one vector. It returns what is wrong with
// what send wrote.
func (v SmugglingVector) TrySend(ctx context.Context, send func(ctx context.Context, dial DialFunc, msg string) error) error {
	msg := firstText + v.End + smuggledMail
	for _, chunking := range []bool{false, true} {
		r := &recorder{chunking: chunking}
		err := send(ctx, r.dial, msg)
		r.close()
		if err := r.judge(msg, err); err != nil {
			return fmt.Errorf("CHUNKING %v: %w", chunking, err)
		}
	}
	return nil
}

// recorder is a server that takes everything, and remembers how it came.
type recorder struct {
	chunking bool
	serving  sync.WaitGroup

	mu       sync.Mutex
	clients  []net.Conn
	commands []string
	contents []string // of DATA with its dots, or of chunks
	whole    []string // messages, as a strict server sees them
}

func (r *recorder) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l := NewListener()
	client, err := l.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	server, err := l.Accept()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients = append(r.clients, client)
	r.serving.Go(func() {
		defer server.Close()
		r.serve(server, bufio.NewReader(server))
	})
	return client, nil
}

// close ends what the client left open, and waits until all that it wrote is read.
func (r *recorder) close() {
	r.mu.Lock()
	for _, c := range r.clients {
		c.Close()
	}
	r.mu.Unlock()
	r.serving.Wait()
}

func (r *recorder) serve(nc net.Conn, in *bufio.Reader) {
	reply := "220 mx.example.com"
	var chunks strings.Builder
	for {
		io.WriteString(nc, reply+"\r\n")
		l, err := in.ReadString('\n')
		if l != "" {
			r.note(&r.commands, l)
		}
		if err != nil {
			return
		}
		reply = "250 2.0.0 OK"
		verb, arg, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(l)), " ")
		switch verb {
		case "EHLO", "LHLO":
			reply = "250-mx.example.com\r\n250-PIPELINING\r\n250 8BITMIME"
			if r.chunking {
				reply += "\r\n250 CHUNKING"
				reply = strings.Replace(reply, "250 8BITMIME", "250-8BITMIME", 1)
			}
		case "QUIT":
			reply = "221 2.0.0 Bye"
		case "DATA":
			io.WriteString(nc, "354 go\r\n")
			text, whole := readDots(in)
			r.note(&r.contents, text)
			if !whole {
				return
			}
			r.note(&r.whole, strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n")[2:])
		case "BDAT":
			size, last, _ := strings.Cut(arg, " ")
			n, err := strconv.ParseInt(size, 10, 32)
			if err == nil {
				_, err = io.CopyN(&chunks, in, n)
			}
			if err != nil {
				r.note(&r.contents, chunks.String())
				return
			}
			if last == "LAST" {
				r.note(&r.contents, chunks.String())
				r.note(&r.whole, chunks.String())
				chunks.Reset()
			}
		}
	}
}

func (r *recorder) note(list *[]string, s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, s)
}

// readDots reads up to CRLF.CRLF, which is not part of text. whole is whether it
// came.
func readDots(in *bufio.Reader) (text string, whole bool) {
	b := []byte("\r\n")
	for {
		c, err := in.ReadByte()
		if err != nil {
			return string(b[2:]), false
		}
		b = append(b, c)
		if c == '\n' && strings.HasSuffix(string(b[max(0, len(b)-len(trueEnd)):]), trueEnd) {
			return string(b[2:max(2, len(b)-3)]), true
		}
	}
}

// judge says what is wrong with what came of msg, for which send returned sent.
func (r *recorder) judge(msg string, sent error) error {
	for _, c := range r.commands {
		if strings.Contains(c, "smuggl") || !strings.HasSuffix(c, "\r\n") || hasBare(c) {
			return fmt.Errorf("a part of the message came as a command: %q", c)
		}
	}
	for _, c := range r.contents {
		if hasBare(strings.TrimSuffix(c, "\r")) { // the CR of a CRLF whose LF never came
			return fmt.Errorf("what was sent has CR or LF alone: %.200q", c)
		}
	}
	switch {
	case sent != nil && len(r.whole) > 0:
		return fmt.Errorf("a message was delivered, and said not to be: %w", sent)
	case sent != nil && !hasBare(msg):
		return fmt.Errorf("a legal message was not sent: %w", sent)
	case sent != nil:
		return nil
	case len(r.whole) != 1:
		return fmt.Errorf("%d messages came", len(r.whole))
	case !hasBare(msg) && !strings.HasSuffix(r.whole[0], msg):
		return fmt.Errorf("the message was changed: %.200q", r.whole[0])
	case !strings.HasSuffix(r.whole[0], smuggledText):
		return errors.New("the message was cut")
	}
	return nil
}
