package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

const evil = `RSET\r\nMAIL FROM:<evil@example.org>\r\n` // 36 octets

// Where nobody knows how long a chunk is, the connection ends before a line of it
// is run. go-smtp parses what follows a size of more than 32 bits as commands.
func TestBDATWithoutASize(t *testing.T) {
	for _, arg := range []string{
		``, ` -1`, ` +1`, ` x`, ` 0x10`, ` 1_0`, ` 1.0`, ` 9223372036854775808`, ` 18446744073709551616 LAST`, ` 36  LAST`, `  36`,
		` LAST`, ` 36 FIRST`, ` 36 LAST LAST`, ` 36LAST`, ` 36\0`, ` \xff`, ` 36\tLAST`, `\t36`, ` 36\rLAST`, ` 36\n`,
		` 36 ` + strings.Repeat("x", 3000), ` 36 ` + strings.Repeat("x", 20000),
	} {
		for name, script := range map[string]string{
			"without MAIL": "G: EHLO\n", "first": toBDAT,
			"later": toBDAT + `C: BDAT 7\r\nhello` + "\nS: 250 2.0.0 OK, 7 octets received\n",
		} {
			t.Run(fmt.Sprintf("%.20q/%s", arg, name), func(t *testing.T) {
				b := new(inbox)
				c := dialServer(t, &smtp.Server{Receiver: b})
				c.play(t, script+"C: BDAT"+arg+`\r\n`+evil)
				if l := c.line(t); l[:2] != "50" {
					t.Errorf("got %q", l)
				}
				c.play(t, `
					S: 421 4.5.0 A chunk without a known end, closing the connection
					S!
				`)
				if b.count() != 0 || b.open != 0 {
					t.Errorf("%d messages, %d transactions open", b.count(), b.open)
				}
			})
		}
	}
}

// A chunk that belongs to no message is read and dropped before it is refused.
func TestBDATOutOfOrder(t *testing.T) {
	for _, test := range []struct{ name, script, reply string }{
		{"before EHLO", "S: 220 ...", "503 5.5.1 An extension needs EHLO first"},
		{"after HELO", "G: HELO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK", "503 5.5.1 An extension needs EHLO first"},
		{"before MAIL", "G: EHLO", "503 5.5.1 Need MAIL first"},
		{"before RCPT", "G: EHLO\nC: MAIL FROM:<a@example.org>\nS: 250 2.1.0 OK", "554 5.5.1 No valid recipients"},
		{"RCPT refused", "G: EHLO\nC: MAIL FROM:<a@example.org>\\r\\nRCPT TO:<unknown@example.com>\nS: 250 2.1.0 OK\nS: 550 5.1.1 No such user", "554 5.5.1 No valid recipients"},
		{"after RSET", toBDAT + "C: RSET\nS: 250 2.0.0 OK", "503 5.5.1 Need MAIL first"},
		{"after LAST", toBDAT + "C: BDAT 0 LAST\nS: 250 2.0.0 OK queued as ID", "503 5.5.1 Need MAIL first"},
	} {
		t.Run(test.name, func(t *testing.T) {
			play(t, &smtp.Server{Receiver: new(inbox)}, test.script+`
				C> BDAT 36\r\n`+evil+`BDAT 0\r\nBDAT 36 LAST\r\n`+evil+`NOOP\r\n
				S: `+test.reply+`
				S: `+test.reply+`
				S: `+test.reply+`
				S: 250 2.0.0 OK
			`)
		})
	}
}

// Whenever Data refuses, the chunk is dropped, and so are those that the peer sent
// before it knew. Many chunks of one message are one error.
func TestBDATIsRefusedByData(t *testing.T) {
	for _, test := range []struct {
		name string
		read int64 // of 7 for each chunk, and the Received field
	}{{"unread", 0}, {"at once", 1}, {"in the first chunk", 150}} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				calls++
				io.CopyN(io.Discard, msg, test.read)
				return spam
			})
			const no = "503 5.5.1 Not between two chunks of a message: need BDAT or RSET"
			play(t, &smtp.Server{Receiver: r, MaxErrors: 7}, toBDAT+`
				C> BDAT 36\r\n`+evil+strings.Repeat(`BDAT 36\r\n`+evil, 20)+`NOOP\r\n
				S: 554 5.6.0 Spam
			`+strings.Repeat("S: 554 5.6.0 Spam\n", 20)+`
				S: 250 2.0.0 OK
				C: RCPT TO:<b@example.com>
				S: `+no+`
				C: DATA
				S: `+no+`
				C> BDAT 36 LAST\r\n`+evil+`
				S: 554 5.6.0 Spam
				C> BDAT 36 LAST\r\n`+evil+`
				S: 503 5.5.1 Need MAIL first
				C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nBDAT 7\r\nhello
				S: 250 2.1.0 OK
				S: 250 2.1.5 OK
				S: 554 5.6.0 Spam
				# A new MAIL is as good as RSET after a refusal.
				C: MAIL FROM:<a@example.org>\r\nRSET\r\nBDAT 0
				S: 250 2.1.0 OK
				S: 250 2.0.0 OK
				S: 503 5.5.1 Need MAIL first
				S: 421 4.7.0 Too many errors, closing the connection
				S!
			`)
			if calls != 2 {
				t.Errorf("Data was called %d times", calls)
			}
		})
	}
}

// An error of the second chunk, of a bare LF there, and one that closes.
func TestBDATIsRefusedLater(t *testing.T) {
	const bare = "550 5.6.0 CR or LF alone in the message: lines end with CRLF (RFC 5321 section 2.3.8)"
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, toBDAT+`
		C> BDAT 7\r\nhello\r\nBDAT 7\r\nhel\nlo\nBDAT 7\r\nhello\r\nBDAT 7 LAST\r\nhello\r\n
		S: 250 2.0.0 OK, 7 octets received
		S: `+bare+`
		S: `+bare+`
		S: `+bare+`
		C: NOOP
		S: 250 2.0.0 OK
	`)
	if b.count() != 0 || b.closed != 1 {
		t.Errorf("%d messages from %d transactions", b.count(), b.closed)
	}
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		return &mailparts.Error{Code: 421, Status: "4.3.2", Message: "Going down"}
	})
	play(t, &smtp.Server{Receiver: r}, toBDAT+`
		C> BDAT 7\r\nhello\r\nBDAT 7 LAST\r\nhello\r\n
		S: 421 4.3.2 Going down
		S!
	`)
}

// What a Deliverer leaves unread of a message that it takes is read for it, through
// all the chunks.
func TestBDATIsAcceptedEarly(t *testing.T) {
	for _, read := range []int64{0, 1, 150} {
		r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
			io.CopyN(io.Discard, msg, read)
			return nil
		})
		play(t, &smtp.Server{Receiver: r}, toBDAT+`
			C> BDAT 36\r\n`+evil+`BDAT 36\r\n`+evil+`
			S: 250 2.0.0 OK, 36 octets received
			S: 250 2.0.0 OK, 36 octets received
			C: NOOP\r\nMAIL FROM:<a@example.org>
			S: 250 2.0.0 OK
			S: 503 ...
			C> BDAT 36 LAST\r\n`+evil+`
			S: 250 2.0.0 OK queued as ID
		`)
	}
}

// The classic vectors of SMTP smuggling: a chunk has no end but its size, and a
// text that another server might cut in two is refused.
func TestBDATFalseEnds(t *testing.T) {
	for _, end := range append([]string{"\r\n.\r\n"}, falseEnds...) {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			text := "Subject: hello\r\n\r\na" + end + smuggled
			bare := strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n")
			for _, normalize := range []bool{false, true} {
				for split := range len(text) + 1 {
					b := new(inbox)
					c := dialServer(t, &smtp.Server{Receiver: b, NormalizeLines: normalize})
					c.play(t, toBDAT)
					c.send(t, fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%sNOOP\r\n", split, text[:split], len(text)-split, text[split:]))
					if first := c.line(t); bare && !normalize {
						c.play(t, "S: 550 5.6.0 CR or LF alone in the message: ...\nS: 250 2.0.0 OK")
					} else if first[0] != '2' {
						t.Fatalf("split at %d: %q", split, first)
					} else {
						c.play(t, "S: 250 2.0.0 OK queued as ID\nS: 250 2.0.0 OK")
					}
					want := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(text)
					if bare && !normalize {
						if b.count() != 0 || b.closed != 1 {
							t.Fatalf("split at %d: %d messages from %d transactions", split, b.count(), b.closed)
						}
					} else if got := b.only(t).content(t); got != want {
						t.Fatalf("split at %d: got %q, want %q", split, got, want)
					}
					c.Close()
				}
			}
		})
	}
}

func TestBDATMessageSize(t *testing.T) {
	line := strings.Repeat("x", 98) + "\r\n"
	const tooBig = "552 5.3.4 The message is too big"
	for _, test := range []struct {
		name    string
		chunks  []int
		replies []string
	}{
		{"exactly the limit", []int{1000}, []string{"250 2.0.0 OK queued as ID"}},
		{"exactly the limit in two", []int{400, 600}, []string{"250 2.0.0 OK, 400 octets received", "250 2.0.0 OK queued as ID"}},
		{"one octet more", []int{1001}, []string{tooBig}},
		{"one octet more in the last of three", []int{500, 500, 1}, []string{"250 2.0.0 OK, 500 octets received", "250 2.0.0 OK, 500 octets received", tooBig}},
		{"far more", []int{500, 1000000, 500}, []string{"250 2.0.0 OK, 500 octets received", tooBig, tooBig}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, MaxMessageBytes: 1000})
			c.play(t, toBDAT)
			var all strings.Builder
			text := strings.Repeat(line, 10100)
			for i, n := range test.chunks {
				last := ""
				if i == len(test.chunks)-1 {
					last = " LAST"
				}
				fmt.Fprintf(&all, "BDAT %d%s\r\n%s", n, last, text[:n])
				text = text[n:]
			}
			go io.WriteString(c, all.String()+"NOOP\r\n")
			c.play(t, "S: "+strings.Join(test.replies, "\nS: ")+"\nS: 250 2.0.0 OK")
			if ok := test.replies[len(test.replies)-1] != tooBig; ok != (b.count() == 1) {
				t.Errorf("%d messages", b.count())
			}
		})
	}
}

// The CRLF that a text lacks counts.
func TestBDATMessageSizeWithCRLF(t *testing.T) {
	for n, reply := range map[int]string{998: "250 2.0.0 OK queued as ID", 999: "552 5.3.4 The message is too big"} {
		c := dialServer(t, &smtp.Server{Receiver: new(inbox), MaxMessageBytes: 1000})
		c.play(t, toBDAT)
		c.send(t, fmt.Sprintf("BDAT %d LAST\r\n%s", n, strings.Repeat("x", n)))
		c.play(t, "S: "+reply)
	}
}

// What is dropped has a bound, too, as one chunk and as many.
func TestBDATThatNeverEnds(t *testing.T) {
	const chunk = 1 << 20
	many := "BDAT 1048576\r\n" + strings.Repeat("x", chunk-2) + "\r\n"
	spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
	const tooBig = "552 5.3.4 The message is too big"
	for _, test := range []struct {
		name, script, send, reply string
		limit                     int64
		err                       error
	}{
		{"one chunk out of order", "G: EHLO", "BDAT 9223372036854775807\r\n", tooBig, 0, nil},
		{"one chunk", toBDAT, "BDAT 9223372036854775807\r\n", tooBig, 0, nil},
		{"one chunk without a limit, refused", toBDAT, "BDAT 9223372036854775807\r\n", "554 5.6.0 Spam", -1, spam},
		{"one chunk without a limit, accepted", toBDAT, "BDAT 9223372036854775807\r\n", tooBig, -1, nil},
		{"many chunks, refused", toBDAT, many, "554 5.6.0 Spam", 0, spam},
		{"many chunks, accepted", toBDAT, many, tooBig, 0, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(context.Context, *mailparts.Envelope, io.Reader) error { return test.err })
			c := dialServer(t, &smtp.Server{Receiver: r, MaxMessageBytes: test.limit})
			c.play(t, test.script)
			go func() {
				for range 100 {
					if _, err := io.WriteString(c, test.send); err != nil {
						return
					}
				}
			}()
			var lines []string
			for {
				c.SetDeadline(time.Now().Add(c.wait))
				l, err := c.r.ReadString('\n')
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Errorf("the connection ends with %v", err)
					}
					break
				}
				lines = append(lines, strings.TrimSpace(l))
			}
			if strings.HasPrefix(lines[len(lines)-1], "421 4.5.0 A chunk") {
				lines = lines[:len(lines)-1]
			}
			if last := lines[len(lines)-1]; last != test.reply || len(lines) > 52 {
				t.Errorf("%d replies, the last %q", len(lines), last)
			}
		})
	}
}

// A peer that goes away leaves nothing, wherever it stops: go-smtp accepts a last
// chunk that was cut short.
func TestBDATDisconnect(t *testing.T) {
	text := "BDAT 7\r\nhello\r\nNOOP\r\nBDAT 0\r\nBDAT 36 LAST\r\n" + unescape(evil)
	for stop := len("BDAT 7\r\n"); stop < len(text); stop++ {
		synctest.Test(t, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b})
			c.play(t, toBDAT)
			c.send(t, text[:stop])
			c.Close()
			synctest.Wait()
			if b.count() != 0 || b.open != 0 || b.closed != 1 {
				t.Fatalf("stopped at %d: %d messages, %d transactions open, %d closed", stop, b.count(), b.open, b.closed)
			}
			if len(b.failed) != 1 || errors.Is(b.failed[0], io.EOF) {
				t.Fatalf("stopped at %d: Read said %v", stop, b.failed)
			}
		})
	}
}

// DataTimeout holds in a chunk, CommandTimeout between two.
func TestBDATTimeout(t *testing.T) {
	for _, test := range []struct {
		name, script string
		after        time.Duration
	}{
		{"in a chunk", `C> BDAT 100\r\nRSET\r\n`, 3 * time.Minute},
		{"in the last", "C: BDAT 7\\r\\nhello\nS: 250 ...\nC> BDAT 100 LAST\\r\\nRSET\\r\\n", 3 * time.Minute},
		{"between chunks", "C: BDAT 7\\r\\nhello\nS: 250 ...\nC> BD", 5 * time.Minute},
		{"in one that is dropped", "C> BDAT 8\\r\\nhel\\nlo\\r\\nBDAT 100\\r\\nRSET\\r\\n\nS: 550 ...", 3 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(inbox)
				c := dialServer(t, &smtp.Server{Receiver: b})
				c.wait = time.Hour
				c.play(t, toBDAT+test.script)
				start := time.Now()
				c.play(t, `
					S: 421 4.4.2 Timeout, closing the connection
					S!
				`)
				if took := time.Since(start); took != test.after {
					t.Errorf("after %v", took)
				}
				if b.count() != 0 || b.open != 0 || b.closed != 1 {
					t.Errorf("%d messages, %d transactions open, %d closed", b.count(), b.open, b.closed)
				}
			})
		})
	}
}

// A chunk under way is taken, as a message is; a peer that has nothing to say
// between two is sent away, and its message with it.
func TestBDATShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, idle := new(inbox), new(inbox)
		s := &smtp.Server{Receiver: routed{"inside@example.org": inside, "idle@example.org": idle}}
		l := startServer(t, s)
		a, b := connectTo(t, l), connectTo(t, l)
		a.play(t, strings.ReplaceAll(toBDAT, "a@", "inside@")+`C> BDAT 14 LAST\r\nhello\r\n`)
		b.play(t, strings.ReplaceAll(toBDAT, "a@", "idle@")+"C: BDAT 7\\r\\nhello\nS: 250 2.0.0 OK, 7 octets received")
		synctest.Wait()
		done := make(chan error)
		go func() { done <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		b.play(t, goodbye)
		a.play(t, `
			C: world
			S: 250 2.0.0 OK queued as ID
			`+goodbye)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if got := inside.only(t).content(t); got != "hello\r\nworld\r\n" {
			t.Errorf("got %q", got)
		}
		if idle.count() != 0 || len(idle.failed) != 1 || idle.open != 0 {
			t.Errorf("%d messages, Read said %v, %d transactions open", idle.count(), idle.failed, idle.open)
		}
	})
}

// routed is a Receiver for each sender.
type routed map[mailparts.Address]mailparts.Receiver

func (r routed) Mail(ctx context.Context, env *mailparts.Envelope) (mailparts.Transaction, error) {
	return r[env.From].Mail(ctx, env)
}

// VRFY's hook runs inside of Data's Read, which a Receiver may call on a goroutine
// of its own: a panic must not end the program.
func TestBDATPanicBetweenChunks(t *testing.T) {
	read := make(chan error, 1)
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		go func() {
			_, err := io.Copy(io.Discard, msg)
			read <- err
		}()
		return <-read
	})
	s := &smtp.Server{Receiver: r}
	s.Verify = func(context.Context, *mailparts.Peer, string) (string, error) { panic("at VRFY") }
	play(t, s, toBDAT+`
		C: BDAT 7\r\nhello\r\nVRFY user
		S: 250 2.0.0 OK, 7 octets received
		S: 421 4.3.0 Internal error, closing the connection
		S!
	`)
}
