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

// toData is a script up to the message.
const toData = `
	G: EHLO
	C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA
	S: 250 2.1.0 OK
	S: 250 2.1.5 OK
	S: 354 End data with <CR><LF>.<CR><LF>
`

// deliver is a Receiver of one function.
func deliver(f mailparts.DelivererFunc) mailparts.Receiver { return mailparts.AsReceiver(f) }

// falseEnds is what a peer may hope to end a message with. What follows each is
// still the message: a server that runs it as commands sends mail in the name of
// anyone ("SMTP smuggling").
var falseEnds = []string{
	"\n.\n", "\n.\r\n", "\n.\r", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\n", "\r\n.\r",
	"\n\r.\n\r", "\r\r\n.\r\r\n", "\r\n.\r\r\n", "\r\n.\n\r\n", "\n\n.\n\n", "\r\r.\r\r",
	"\r\n.\x00\r\n", "\r\n\x00.\r\n", "\r\n. \r\n", "\r\n..\r\n",
}

const smuggled = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nevil\r\n"

func TestFalseEndOfDataIsRefused(t *testing.T) {
	for _, end := range falseEnds {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			text := "Subject: hello\r\n\r\na" + end + smuggled
			bare := strings.ContainsAny(strings.ReplaceAll(text, "\r\n", ""), "\r\n")
			for split := 15; split <= len(text); split++ {
				b := new(inbox)
				c := dialServer(t, &smtp.Server{Receiver: b})
				c.play(t, toData)
				c.send(t, text[:split])
				c.send(t, text[split:]+".\r\nNOOP\r\n")
				if bare {
					c.play(t, `S: 550 5.6.0 CR or LF alone in the message: ...`)
				} else {
					c.play(t, `S: 250 2.0.0 OK queued as ID`)
				}
				c.play(t, `S: 250 2.0.0 OK`)
				if want := map[bool]int{true: 0, false: 1}[bare]; b.count() != want || b.closed != 1 {
					t.Fatalf("split at %d: %d messages from %d transactions", split, b.count(), b.closed)
				}
			}
		})
	}
}

func TestFalseEndOfDataIsNormalized(t *testing.T) {
	for _, end := range falseEnds {
		t.Run(fmt.Sprintf("%q", end), func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, NormalizeLines: true})
			c.play(t, toData)
			c.send(t, "Subject: hello\r\n\r\na"+end+smuggled+".\r\nNOOP\r\n")
			c.play(t, `
				S: 250 2.0.0 OK queued as ID
				S: 250 2.0.0 OK
			`)
			got := b.only(t).content(t)
			if strings.ContainsAny(strings.ReplaceAll(got, "\r\n", ""), "\r\n") {
				t.Errorf("CR or LF alone in %q", got)
			}
			if !strings.HasSuffix(got, smuggled) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A CR alone before the true end does not hide it from us, as it does from go-smtp.
func TestTrueEndOfDataAfterBareCR(t *testing.T) {
	b := new(inbox)
	play(t, &smtp.Server{Receiver: b}, toData+`
		C: hello\r\r\n.
		S: 550 5.6.0 CR or LF alone in the message: ...
		C: NOOP
		S: 250 2.0.0 OK
	`)
	if b.count() != 0 {
		t.Error("the message is there")
	}
}

// A peer that goes away inside a message leaves nothing, and no line of the message
// is run, wherever it stops.
func TestDisconnectInsideData(t *testing.T) {
	text := "a\r\n..\r\nRSET\r\nMAIL FROM:<evil@example.org>\r\n.\r\n"
	for stop := range len(text) {
		synctest.Test(t, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b})
			c.play(t, toData)
			c.send(t, text[:stop])
			c.Close()
			synctest.Wait()
			if b.count() != 0 || b.open != 0 || b.closed != 1 {
				t.Fatalf("stopped at %d: %d messages, %d transactions open, %d closed", stop, b.count(), b.open, b.closed)
			}
			if len(b.failed) != 1 || !errors.Is(b.failed[0], io.ErrUnexpectedEOF) {
				t.Fatalf("stopped at %d: Read said %v", stop, b.failed)
			}
		})
	}
}

// The same, but the peer holds the connection. go-smtp runs the rest of the message
// as commands once its timeout has passed.
func TestTimeoutInsideData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(inbox)
		c := dialServer(t, &smtp.Server{Receiver: b})
		c.wait = time.Hour
		c.play(t, toData+`
			C: RSET
			C> MAIL FROM:<evil
			S: 421 4.4.2 Timeout, closing the connection
			S!
		`)
		synctest.Wait()
		if b.count() != 0 || b.open != 0 || b.closed != 1 {
			t.Fatalf("%d messages, %d transactions open, %d closed", b.count(), b.open, b.closed)
		}
	})
}

func TestMessageSize(t *testing.T) {
	line := strings.Repeat("x", 98) + "\r\n"
	dotted := "." + line[1:]
	for _, test := range []struct {
		name, text, reply string
	}{
		{"exactly the limit", strings.Repeat(line, 10), "250 2.0.0 OK queued as ID"},
		// RFC 1870 section 3: dots that are put in for transparency do not count.
		{"exactly the limit with dots", strings.Repeat("."+dotted, 10), "250 2.0.0 OK queued as ID"},
		{"one octet more", strings.Repeat(line, 9) + "x" + line, "552 5.3.4 The message is too big"},
		{"far more", strings.Repeat(line, 10000), "552 5.3.4 The message is too big"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := new(inbox)
			c := dialServer(t, &smtp.Server{Receiver: b, MaxMessageBytes: 1000})
			c.play(t, toData)
			go io.WriteString(c, test.text+".\r\nNOOP\r\n")
			c.play(t, "S: "+test.reply+"\nS: 250 2.0.0 OK")
			if ok := strings.HasPrefix(test.reply, "250"); ok != (b.count() == 1) {
				t.Errorf("%d messages", b.count())
			} else if ok && len(b.only(t).content(t)) != 1000 {
				t.Errorf("%d octets", len(b.only(t).content(t)))
			}
		})
	}
}

// Whatever a Deliverer makes of Read's error, the peer learns that the message is
// too big, and does not come again.
func TestReadErrorIsNotMasked(t *testing.T) {
	for name, verdict := range map[string]error{"nil": nil, "unknown": errors.New("could not read")} {
		t.Run(name, func(t *testing.T) {
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				_, err := io.Copy(io.Discard, msg)
				if e, ok := errors.AsType[*mailparts.Error](err); !ok || e.Code != 552 {
					t.Errorf("Read: %v", err)
				}
				if _, again := msg.Read(make([]byte, 1)); again != err {
					t.Errorf("Read again: %v", again)
				}
				return verdict
			})
			play(t, &smtp.Server{Receiver: r, MaxMessageBytes: 10}, toData+`
				C: 0123456789\r\n.
				S: 552 5.3.4 The message is too big
				C: NOOP
				S: 250 2.0.0 OK
			`)
		})
	}
}

func TestMessageThatNeverEnds(t *testing.T) {
	spam := &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}
	for _, test := range []struct {
		name, reply string
		early       bool
		err         error
	}{
		{"read", "552 5.3.4 The message is too big", false, nil},
		{"accepted early", "552 5.3.4 The message is too big", true, nil},
		{"accepted early by recipient", "552 5.3.4 The message is too big", true, mailparts.RcptErrors{nil}},
		{"refused early", "554 5.6.0 Spam", true, spam},
		{"refused early by recipient", "554 5.6.0 Spam", true, mailparts.RcptErrors{spam}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				if test.early {
					msg.Read(make([]byte, 1))
				} else {
					io.Copy(io.Discard, msg)
				}
				return test.err
			})
			c := dialServer(t, &smtp.Server{Receiver: r, MaxMessageBytes: 1000})
			c.play(t, toData)
			go func() {
				block := []byte(strings.Repeat("MAIL FROM:<evil@example.org>\r\n", 1000))
				for range 4000 {
					if _, err := c.Write(block); err != nil {
						return
					}
				}
			}()
			c.play(t, "S: "+test.reply+"\nS!")
		})
	}
}

// 354 is written at the first Read: before it, an error refuses DATA itself.
func TestDataIsRefused(t *testing.T) {
	b := 0
	r := deliver(func(context.Context, *mailparts.Envelope, io.Reader) error {
		b++
		return &mailparts.Error{Code: 452, Status: "4.3.1", Message: "Disk full"}
	})
	play(t, &smtp.Server{Receiver: r}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 452 4.3.1 Disk full
		C: DATA
		S: 503 5.5.1 Need MAIL first
	`)
	// A peer that did not wait for 354 has its message not run as commands.
	play(t, &smtp.Server{Receiver: r}, `
		G: EHLO
		C: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nRSET\r\nMAIL FROM:<evil@example.org>
		S: 250 2.1.0 OK
		S: 250 2.1.5 OK
		S: 452 4.3.1 Disk full
		S: 421 4.5.0 Data before its 354, closing the connection
		S!
	`)
	if b != 2 {
		t.Errorf("delivered %d times", b)
	}
}

// What a Deliverer leaves unread is read for it, and is no command.
func TestDelivererReadsLittle(t *testing.T) {
	for _, test := range []struct {
		name  string
		read  int64
		err   error
		reply string
	}{
		{"accepted unread", 0, nil, "250 2.0.0 OK queued as ID"},
		{"accepted early", 150, nil, "250 2.0.0 OK queued as ID"},
		{"refused early", 150, &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}, "554 5.6.0 Spam"},
		{"refused at once", 1, &mailparts.Error{Code: 554, Status: "5.6.0", Message: "Spam"}, "554 5.6.0 Spam"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.CopyN(io.Discard, msg, test.read)
				return test.err
			})
			play(t, &smtp.Server{Receiver: r}, toData+`
				C: hello
				C: RSET
				C: MAIL FROM:<evil@example.org>
				C: .
				S: `+test.reply+`
				C: RCPT TO:<b@example.com>
				S: 503 5.5.1 Need MAIL first
			`)
		})
	}
}

// A Deliverer may have left a goroutine behind that reads. It gets nothing more.
func TestReadAfterDataHasReturned(t *testing.T) {
	read := make(chan error)
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		if _, err := io.Copy(io.Discard, msg); err != nil {
			return err
		}
		go func() {
			for {
				if _, err := msg.Read(make([]byte, 10)); err != io.EOF {
					read <- err
					return
				}
			}
		}()
		return nil
	})
	c := dialServer(t, &smtp.Server{Receiver: r})
	c.play(t, toData+`
		C: .
		S: 250 2.0.0 OK queued as ID
	`)
	if err := <-read; err == nil {
		t.Error("read more")
	}
}

func TestRepliesOfDeliver(t *testing.T) {
	custom := &mailparts.Error{Code: 550, Status: "5.7.1", Message: "No\r\nway,\x00 ü", Err: errors.New("secret")}
	for _, test := range []struct {
		name  string
		err   error
		reply string
	}{
		{"unknown", errors.New("open /var/secret: no such file"), "S: 451 4.3.0 Temporary failure, please try again later"},
		{"wrapped", fmt.Errorf("queue: %w", custom), "S: 550-5.7.1 No\nS: 550 5.7.1 way,? ?"},
		{"no status", &mailparts.Error{Code: 554, Message: "No"}, "S: 554 5.0.0 No"},
		{"status of another class", &mailparts.Error{Code: 451, Status: "5.1.1", Message: "No"}, "S: 451 4.0.0 No"},
		{"nonsense for a status", &mailparts.Error{Code: 554, Status: "5.1.1\r\n250 ok", Message: "No"}, "S: 554 5.0.0 No"},
		{"nonsense for a code", &mailparts.Error{Code: 250, Message: "secret"}, "S: 451 4.3.0 Temporary failure, please try again later"},
		{"closing", &mailparts.Error{Code: 421, Status: "4.3.2", Message: "Bye"}, "S: 421 4.3.2 Bye\nS!"},
		{"long", &mailparts.Error{Code: 554, Message: strings.Repeat("x", 501)}, "S: 554-5.0.0 " + strings.Repeat("x", 500) + "\nS: 554 5.0.0 x"},
		{"context", context.Canceled, "S: 451 4.3.0 Temporary failure, please try again later"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
				io.Copy(io.Discard, msg)
				return test.err
			})
			play(t, &smtp.Server{Receiver: r}, toData+"C: .\n"+test.reply)
		})
	}
}

func TestReceiptMakesTheReply(t *testing.T) {
	r := deliver(func(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
		_, err := io.Copy(io.Discard, msg)
		mailparts.Report(ctx, env.To[0], mailparts.Receipt{Host: "next.example.net", Reply: "250 2.0.0 queued as 4711"})
		return err
	})
	play(t, &smtp.Server{Receiver: r}, toData+`
		C: .
		S: 250 2.0.0 OK ID next.example.net said: 250 2.0.0 queued as 4711
	`)
}
