package smtp_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts/smtp"
)

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
