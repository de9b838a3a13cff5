package smtp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

const clientChunk = 128 << 10 // as the client cuts

// chunked is a server that takes messages by BDAT.
type chunked struct {
	extensions []string
	lmtp       bool
	reply      func(n int, last bool) string // to chunk n of a message; nil: 250
	done       chan struct{}

	said     []string // commands
	content  strings.Builder
	messages []string
}

func (s *chunked) start(t testing.TB) *smtp.Dialer {
	l := mailtest.NewListener()
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		if err := s.serve(nc); err != nil && err != io.EOF {
			t.Errorf("server: %v", err)
		}
	}()
	t.Cleanup(func() { l.Close(); <-s.done })
	return &smtp.Dialer{NetDial: l.Dial, LMTP: s.lmtp}
}

func (s *chunked) serve(nc net.Conn) error {
	r := bufio.NewReader(nc)
	io.WriteString(nc, "220 mx\r\n")
	n, rcpts := 0, 0
	for {
		l, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		l = strings.TrimSuffix(l, "\r\n")
		s.said = append(s.said, l)
		verb, arg, _ := strings.Cut(l, " ")
		reply := "250 ok\r\n"
		switch verb {
		case "EHLO", "LHLO":
			reply = "250-mx\r\n250-CHUNKING\r\n250 " + strings.Join(append([]string{"SIZE"}, s.extensions...), "\r\n250 ") + "\r\n"
			reply = strings.Replace(reply, "250 SIZE\r\n250 ", "250-SIZE\r\n250 ", 1)
		case "MAIL", "RSET":
			s.content.Reset()
			n, rcpts = 0, 0
		case "RCPT":
			rcpts++
		case "BDAT":
			size, last := 0, strings.HasSuffix(arg, " LAST")
			fmt.Sscan(arg, &size)
			if _, err := io.CopyN(&s.content, r, int64(size)); err != nil {
				return err
			}
			if s.reply != nil {
				reply = s.reply(n, last) + "\r\n"
			}
			if n++; last && strings.HasPrefix(reply, "250") {
				s.messages = append(s.messages, s.content.String())
			}
			if last && s.lmtp {
				reply = strings.Repeat(reply, rcpts)
			}
		}
		if _, err := io.WriteString(nc, reply); err != nil {
			return err
		}
	}
}

// lines is a message of n octets.
func lines(n int) string {
	const l = "a line of a message, and then one more, and so on until it is enough.\r\n"
	return strings.Repeat(l, n/len(l)+1)[:n-2] + "\r\n"
}

// RFC 3030 section 4.1.
func TestSimpleChunking(t *testing.T) {
	f := newFake(t, ready("CHUNKING")+`
		C: MAIL FROM:<Sam@Random.com>
		S: 250 <Sam@Random.com> Sender ok
		C: RCPT TO:<Susan@Random.com>
		S: 250 <Susan@random.com> Recipient ok
		C: BDAT 86 LAST
		C: To: Susan@random.com
		C: From: Sam@random.com
		C: Subject: This is a bodyless test message
		S: 250 Message OK, 86 octets received
		C: QUIT
		S: 221 Goodbye`)
	env := letter("Susan@Random.com")
	env.From = "Sam@Random.com"
	c := f.connect(nil)
	err := c.Deliver(t.Context(), env, text("To: Susan@random.com\r\nFrom: Sam@random.com\r\nSubject: This is a bodyless test message\r\n"))
	if err != nil {
		t.Error(err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}

// RFC 3030 section 4.2, but for the sizes of its chunks: the replies to the
// envelope come first, and those to the chunks when all are sent.
func TestBinaryMIME(t *testing.T) {
	content := "\x00\r\n.\r\n\n\r" + strings.Repeat("x", clientChunk)
	c, nc := cannedClient(t, strings.Repeat("250 ok\r\n", 5), "PIPELINING", "BINARYMIME", "CHUNKING")
	env := letter("gvaudre@cnri.reston.va.us", "jstewart@cnri.reston.va.us")
	env.From, env.Body = "ned@ymir.claremont.edu", "BINARYMIME"
	if err := c.Deliver(t.Context(), env, text(content)); err != nil {
		t.Fatal(err)
	}
	want := "MAIL FROM:<ned@ymir.claremont.edu> BODY=BINARYMIME\r\n" +
		"RCPT TO:<gvaudre@cnri.reston.va.us>\r\nRCPT TO:<jstewart@cnri.reston.va.us>\r\n" +
		"BDAT 131072\r\n" + content[:clientChunk] + "BDAT 8 LAST\r\n" + content[clientChunk:]
	if got := nc.written.String(); got != want {
		t.Errorf("got  %.200q\nwant %.200q", got, want)
	}
}

func TestChunks(t *testing.T) {
	for _, size := range []int{2, 1000, clientChunk - 1, clientChunk, clientChunk + 1, clientChunk + 2, 2 * clientChunk, 12*clientChunk + 17} {
		for _, extensions := range [][]string{nil, {"PIPELINING"}} {
			for _, lmtp := range []bool{false, true} {
				s := &chunked{extensions: extensions, lmtp: lmtp}
				c, err := s.start(t).Dial(t.Context(), fakeAddr)
				if err != nil {
					t.Fatal(err)
				}
				msg := lines(size)
				for range 2 {
					if err := c.Deliver(t.Context(), letter("b@example.com", "c@example.com"), strings.NewReader(msg)); err != nil {
						t.Fatalf("%d octets, %v: %v", size, extensions, err)
					}
				}
				c.Close()
				<-s.done
				if len(s.messages) != 2 || s.messages[0] != msg || s.messages[1] != msg {
					t.Errorf("%d octets, %v: %d messages, not what was sent", size, extensions, len(s.messages))
				}
			}
		}
	}
}

// What arrives does not depend on whether BDAT or DATA was used.
func TestChunksEndTheLastLine(t *testing.T) {
	s := &chunked{}
	c, err := s.start(t).Dial(t.Context(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	full := strings.Repeat("x", clientChunk)
	for _, msg := range []string{"", "x", "x\r\n", ".\r\n", full, full + "\r\n", full[1:] + "\r\n"} {
		if err := c.Deliver(t.Context(), letter("b@example.com"), text(msg)); err != nil {
			t.Error(err)
		}
	}
	c.Close()
	<-s.done
	want := []string{"", "x\r\n", "x\r\n", ".\r\n", full + "\r\n", full + "\r\n", full[1:] + "\r\n"}
	if !slices.Equal(s.messages, want) {
		t.Errorf("got %d messages, and not what was sent", len(s.messages))
	}
}

// A refused chunk ends the message and not the connection: no chunk follows it but
// those under way, and RSET comes next.
func TestRefusedChunk(t *testing.T) {
	for _, extensions := range [][]string{nil, {"PIPELINING"}} {
		for _, at := range []int{0, 1, 5, 11, 12} {
			for _, lmtp := range []bool{false, true} {
				s := &chunked{extensions: extensions, lmtp: lmtp}
				failed := false
				s.reply = func(n int, last bool) string {
					if failed = failed && n > 0 || n == at; failed {
						return "552 5.3.4 too big"
					}
					return "250 ok"
				}
				c, err := s.start(t).Dial(t.Context(), fakeAddr)
				if err != nil {
					t.Fatal(err)
				}
				msg := strings.NewReader(lines(12*clientChunk + 17))
				if err := c.Deliver(t.Context(), letter("b@example.com", "c@example.com"), msg); codes(err, 2) != "552 5.3.4, 552 5.3.4" {
					t.Errorf("%v, chunk %d: got %v", extensions, at, err)
				}
				s.reply = nil
				if err := c.Deliver(t.Context(), letter("b@example.com", "c@example.com"), text("hello\r\n")); err != nil {
					t.Errorf("%v, chunk %d: then %v", extensions, at, err)
				}
				c.Close()
				<-s.done
				if len(s.messages) != 1 || s.messages[0] != "hello\r\n" {
					t.Errorf("%v, chunk %d: %d messages", extensions, at, len(s.messages))
				}
				sent := 0
				for _, l := range s.said {
					if strings.HasPrefix(l, "BDAT 131072") {
						sent++
					}
				}
				if most := at + 8; sent > most || len(extensions) == 0 && sent > at+1 {
					t.Errorf("%v, chunk %d: %d chunks sent", extensions, at, sent)
				}
				if reset := slices.Contains(s.said, "RSET"); reset != (at < 12) {
					t.Errorf("%v, chunk %d: RSET %v", extensions, at, reset)
				}
			}
		}
	}
}

func TestChunkReplies(t *testing.T) {
	const envelope = `
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		C: RCPT TO:<c@example.com>
		S: 250 ok
		S: 550 5.1.1 no
		S: 250 ok
		`
	tests := []deliveryTest{{
		name:   "one answer for all",
		script: ready("PIPELINING", "CHUNKING") + envelope + "C: BDAT 7 LAST\nC: hello\nS: 554 5.7.1 spam\nC: QUIT\nS: 221 bye",
		want:   "550 5.1.1, 554 5.7.1",
	}, {
		name:   "421",
		script: ready("PIPELINING", "CHUNKING") + envelope + "C: BDAT 7 LAST\nC: hello\nS: 421 4.3.2 bye\nC!",
		want:   "550 5.1.1, 421 4.3.2",
	}, {
		name:   "an answer that it cannot have",
		script: ready("PIPELINING", "CHUNKING") + envelope + "C: BDAT 7 LAST\nC: hello\nS: 354 go\nC!",
		want:   "550 5.1.1, 451 4.5.0",
	}, {
		name:   "gone",
		script: ready("PIPELINING", "CHUNKING") + envelope + "C: BDAT 7 LAST\nC: hello\n",
		want:   "550 5.1.1, 451 4.4.2",
	}, {
		name: "nobody accepted: no BDAT",
		script: ready("PIPELINING", "CHUNKING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			S: 250 ok
			S: 550 5.1.1 no
			S: 550 5.1.1 no
			C: QUIT
			S: 221 bye`,
		want: "550 5.1.1, 550 5.1.1",
	}, {
		name: "MAIL refused: no BDAT, whatever is said of RCPT",
		script: ready("PIPELINING", "CHUNKING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			S: 550 5.7.1 not you
			S: 250 ok
			S: 250 ok
			C: QUIT
			S: 221 bye`,
		want: "550 5.7.1, 550 5.7.1",
	}, {
		name: "LMTP: an answer for each",
		lmtp: true,
		script: `
			S: 220 mx.example.com LMTP
			C: LHLO client.example
			S: 250-mx.example.com
			S: 250-PIPELINING
			S: 250 CHUNKING
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			S: 250 ok
			S: 250 ok
			S: 250 ok
			C: BDAT 7 LAST
			C: hello
			S: 452 4.2.2 full
			S: 250 2.0.0 saved
			C: QUIT
			S: 221 bye`,
		want: "452 4.2.2, ok",
	}}
	for _, test := range tests {
		test.env, test.msg = letter("b@example.com", "c@example.com"), text("hello\r\n")
		t.Run(test.name, test.run)
	}
}

// Nobody knows what a server has that accepts the end of what it has refused.
func TestLastChunkAcceptedAfterRefusedOne(t *testing.T) {
	s := &chunked{extensions: []string{"PIPELINING"}}
	s.reply = func(n int, last bool) string {
		if n == 0 {
			return "452 4.3.1 full"
		}
		return "250 ok"
	}
	c, err := s.start(t).Dial(t.Context(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), letter("b@example.com"), text(lines(clientChunk+2))); codes(err, 1) != "452 4.3.1" {
		t.Errorf("got %v", err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, smtp.ErrBadReply) {
		t.Errorf("the connection: %v", err)
	}
}

// What is no message is not sent, and the connection stays.
func TestChunksOfNoMessage(t *testing.T) {
	broken := errors.New("disk on fire")
	full := lines(3 * clientChunk)
	tests := []struct {
		name string
		msg  string
		end  error // of the reader, nil: io.EOF
	}{
		{"read error", full, broken},
		{"read error at once", "", broken},
		{"unexpected EOF", full, io.ErrUnexpectedEOF},
		{"LF alone", "one\r\ntwo\n.\nthree\r\n", nil},
		{"LF alone first", "\none\r\n", nil},
		{"CR alone", "one\r\ntwo\r.\rthree\r\n", nil},
		{"CR alone first", "\rone\r\n", nil},
		{"CR at the end", "one\r\ntwo\r", nil},
		{"CR CR LF", "one\r\r\n", nil},
		{"LF CR", "one\n\r", nil},
		{"CR at the end of a chunk", strings.Repeat("x", clientChunk-1) + "\rx\r\n", nil},
		{"CR at the end of the last chunk", strings.Repeat("x", clientChunk-1) + "\r", nil},
		{"LF at the start of a chunk", strings.Repeat("x", clientChunk) + "\n", nil},
		{"LF alone in another chunk", full + "\n", nil},
	}
	for _, test := range tests {
		for _, extensions := range [][]string{nil, {"PIPELINING"}} {
			s := &chunked{extensions: extensions}
			c, err := s.start(t).Dial(t.Context(), fakeAddr)
			if err != nil {
				t.Fatal(err)
			}
			msg := text(test.msg)
			if test.end != nil {
				msg = io.MultiReader(msg, iotest.ErrReader(test.end))
			}
			err = c.Deliver(t.Context(), letter("b@example.com"), msg)
			if test.end != nil && err != test.end || test.end == nil && codes(err, 1) != "554 5.6.0" {
				t.Errorf("%s: got %v", test.name, err)
			}
			if err := c.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")); err != nil {
				t.Errorf("%s: then %v", test.name, err)
			}
			c.Close()
			<-s.done
			if len(s.messages) != 1 || s.messages[0] != "hello\r\n" {
				t.Errorf("%s: %d messages", test.name, len(s.messages))
			}
		}
	}
}

func TestNoChunking(t *testing.T) {
	for body, want := range map[string]string{"": "DATA", "BINARYMIME": "BDAT 7 LAST"} {
		f := newFake(t, ready("CHUNKING", "BINARYMIME")+`
			C: MAIL FROM:...
			S: 250 ok
			C: RCPT TO:<b@example.com>
			S: 250 ok
			C: `+want+`
			S: 550 stop`)
		d := f.dialer()
		d.NoChunking = true
		env := letter("b@example.com")
		env.Body = body
		f.connect(d).Deliver(t.Context(), env, text("hello\r\n"))
	}
}

// The step of a transaction that sends the message.
func TestDataByBDAT(t *testing.T) {
	s := &chunked{}
	c, err := s.start(t).Dial(t.Context(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	err = errors.Join(c.Mail(ctx, letter()), c.Rcpt(ctx, &mailparts.Rcpt{Addr: "b@example.com"}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Data(ctx, text("no\nmessage")); codes(err, 1) != "554 5.6.0" {
		t.Errorf("got %v", err)
	}
	if _, err := c.Data(ctx, text("hello\r\n")); codes(err, 1) != "554 5.5.1" {
		t.Errorf("after a message that was none: %v", err)
	}
	err = errors.Join(c.Mail(ctx, letter()), c.Rcpt(ctx, &mailparts.Rcpt{Addr: "b@example.com"}))
	if reply, derr := c.Data(ctx, text("hello\r\n")); err != nil || derr != nil || reply != "250 ok" {
		t.Errorf("got %q, %v, %v", reply, err, derr)
	}
	c.Close()
	<-s.done
	if len(s.messages) != 1 || s.messages[0] != "hello\r\n" || !slices.Contains(s.said, "RSET") {
		t.Errorf("got %q, after %q", s.messages, s.said)
	}
}

// A server that takes no more has three minutes for each block, and five for the
// reply to a chunk.
func TestStalledChunks(t *testing.T) {
	for script, want := range map[string]time.Duration{
		ready("CHUNKING", "PIPELINING") + "C: MAIL...\nS: 250 ok\nC: RCPT...\nS: 250 ok":                                             3 * time.Minute,
		ready("CHUNKING") + "C: MAIL...\nS: 250 ok\nC: RCPT...\nS: 250 ok\nC: BDAT 131072\n" + strings.Repeat("C: ...\n", 131072/74): 5 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := silent(t, script)
			start := time.Now()
			err := session(t.Context(), d, text(strings.Repeat(strings.Repeat("x", 72)+"\r\n", 1<<15)))
			if took := time.Since(start); took != want || codes(err, 1) != "451 4.4.2" {
				t.Errorf("took %v, want %v: %v", took, want, err)
			}
		})
	}
}

// A server that goes away in the middle of a message may have said why, after what
// it said of earlier chunks.
func TestChunksLastWords(t *testing.T) {
	const envelope = "C: MAIL...\nC: RCPT...\nS: 250 ok\nS: 250 ok\n"
	for _, words := range []string{"S: 421 4.3.2 shutting down", "S: 250 ok\nS: 250 ok\nS: 421 4.3.2 shutting down"} {
		f := newFake(t, ready("PIPELINING", "CHUNKING")+envelope+words)
		err := f.connect(nil).Deliver(t.Context(), letter("b@example.com"), io.LimitReader(endless{}, 10<<20))
		if got := codes(err, 1); got != "421 4.3.2" {
			t.Errorf("got %v", err)
		}
	}
}

// A whole message is two writes by BDAT too.
func TestChunkWrites(t *testing.T) {
	f := newFake(t, ready("PIPELINING", "CHUNKING")+`
		C: MAIL FROM:<a@example.org>
		C: RCPT TO:<b@example.com>
		S: 250 ok
		S: 250 ok
		C: BDAT 7 LAST
		C: hello
		S: 250 ok`)
	c := f.connect(nil)
	f.writes.Store(0)
	if err := c.Deliver(t.Context(), letter("b@example.com"), text("hello\r\n")); err != nil {
		t.Fatal(err)
	}
	if n := f.writes.Load(); n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

// Each block of a chunk has DataTimeout, not the chunk: a slow line takes 128 KB in
// more than three minutes.
func TestChunkBlocks(t *testing.T) {
	s := &chunked{}
	d := s.start(t)
	dial, largest := d.NetDial, 0
	d.NetDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := dial(ctx, network, addr)
		return &measuredConn{nc, &largest}, err
	}
	c, err := d.Dial(t.Context(), fakeAddr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Deliver(t.Context(), letter("b@example.com"), text(lines(3*clientChunk))); err != nil {
		t.Error(err)
	}
	c.Close()
	if largest != 64<<10 {
		t.Errorf("a write of %d octets", largest)
	}
}

type measuredConn struct {
	net.Conn
	largest *int
}

func (c *measuredConn) Write(p []byte) (int, error) {
	*c.largest = max(*c.largest, len(p))
	return c.Conn.Write(p)
}

// The Server of this package takes what the Client sends.
func TestChunksToServer(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		var got []string
		s := smtp.Server{LMTP: lmtp, Extensions: []string{"BINARYMIME"}, Receiver: mailparts.AsReceiver(mailparts.DelivererFunc(
			func(_ context.Context, env *mailparts.Envelope, msg io.Reader) error {
				b, err := io.ReadAll(msg)
				got = append(got, env.Body+" "+string(b))
				return err
			}))}
		l := mailtest.NewListener()
		done := make(chan error)
		go func() { done <- s.Serve(l) }()
		d := smtp.Dialer{NetDial: l.Dial, LMTP: lmtp}
		c, err := d.Dial(t.Context(), fakeAddr)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(c.Extensions(), "CHUNKING") {
			t.Fatal("the server offers no CHUNKING")
		}
		for _, m := range []struct{ body, content string }{
			{"", "hello\r\n"}, {"8BITMIME", lines(9*clientChunk + 17)}, {"BINARYMIME", "\n.\n\x00" + strings.Repeat("\xff", 2*clientChunk)},
		} {
			env := letter("b@example.com", "c@example.com")
			env.Body = m.body
			if err := c.Deliver(t.Context(), env, strings.NewReader(m.content)); err != nil {
				t.Errorf("%s: %v", m.body, err)
			}
			last := got[max(0, len(got)-1):]
			if len(last) != 1 || !strings.HasPrefix(last[0], m.body+" Received: ") || !strings.HasSuffix(last[0], "\r\n"+m.content) {
				t.Errorf("%s: not what was sent", m.body)
			}
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
		s.Close()
		<-done
	}
}
