package smtp_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/smtp"
)

func TestPanic(t *testing.T) {
	for _, stage := range []string{"MAIL", "RCPT", "DATA", "Close"} {
		t.Run(stage, func(t *testing.T) {
			p := &panics{stage: stage}
			c := dialServer(t, &smtp.Server{Receiver: p})
			c.play(t, "G: EHLO\nC: MAIL FROM:<a@example.org>\\r\\nRCPT TO:<b@example.com>\\r\\nDATA\\r\\nhello\\r\\n.")
			for {
				l := c.line(t)
				if strings.HasPrefix(l, "421 4.3.0 Internal error") {
					break
				}
				if l[0] != '2' && l[0] != '3' {
					t.Fatalf("got %q", l)
				}
			}
			c.play(t, "S!")
			if p.closed > 1 || p.closed == 0 && stage != "MAIL" {
				t.Errorf("closed %d times", p.closed)
			}
		})
	}
}

// panics panics at one stage.
type panics struct {
	stage  string
	closed int
}

func (p *panics) at(stage string) {
	if p.stage == stage {
		panic("at " + stage)
	}
}

func (p *panics) Mail(context.Context, *mailparts.Envelope) (mailparts.Transaction, error) {
	p.at("MAIL")
	return p, nil
}

func (p *panics) Rcpt(context.Context, *mailparts.Rcpt) error {
	p.at("RCPT")
	return nil
}

func (p *panics) Data(_ context.Context, msg io.Reader) error {
	msg.Read(make([]byte, 1))
	p.at("DATA")
	return nil
}

func (p *panics) Close() {
	p.closed++
	p.at("Close")
}

// A goroutine that a panic of Data left behind reads nothing of the session's, not
// even where that is over and its buffers are another's.
func TestReadAfterPanic(t *testing.T) {
	over, read := make(chan struct{}), make(chan error)
	r := deliver(func(_ context.Context, _ *mailparts.Envelope, msg io.Reader) error {
		msg.Read(make([]byte, 1)) // asks for the message
		go func() {
			<-over
			_, err := io.Copy(io.Discard, msg)
			read <- err
		}()
		panic("at DATA")
	})
	c := dialServer(t, &smtp.Server{Receiver: r})
	c.play(t, toData+`
		S: 421 4.3.0 Internal error, closing the connection
		S!
	`)
	close(over)
	if err := <-read; err == nil {
		t.Error("read on")
	}
}
