package smtp_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/mailtest"
	"github.com/mailparts/mailparts/smtp"
)

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
