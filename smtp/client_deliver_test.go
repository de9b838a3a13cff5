package smtp_test

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
)

func itoa(n int) string { return strconv.Itoa(n) }

// delivery is a dialogue of one Deliver.
type deliveryTest struct {
	name   string
	script string
	env    *mailparts.Envelope // nil: to b@example.com
	msg    io.Reader           // nil: a short one
	lmtp   bool
	want   string // codes
}

func TestDeliver(t *testing.T) {
	const data = "C: Subject: hi\nC:\nC: hello\nC: .\n"
	three := letter("b@example.com", "c@example.com", "d@example.com")
	tests := []deliveryTest{{
		name: "one command after the other without PIPELINING",
		script: ready() + mailDialogue + data + `
			S: 250 2.0.0 queued as 17
			C: QUIT
			S: 221 bye`,
		want: "ok",
	}, {
		name: "in one group with PIPELINING",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 251 will forward
			S: 250-a reply of
			S: 250 two lines
			S: 354 go
			` + data + `
			S: 250 ok`,
		env:  three,
		want: "ok, ok, ok",
	}, {
		name: "each recipient its own result",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no such user
			S: 250 ok
			S: 451 4.7.1 greylisted
			S: 354 go
			` + data + `
			S: 250 ok`,
		env:  three,
		want: "550 5.1.1, ok, 451 4.7.1",
	}, {
		name: "the message refused: only for those who were accepted",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no such user
			S: 250 ok
			S: 354 go
			` + data + `
			S: 554 5.7.1 spam`,
		env:  letter("b@example.com", "c@example.com"),
		want: "550 5.1.1, 554 5.7.1",
	}, {
		name: "DATA refused",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 451 4.3.0 not now`,
		want: "451 4.3.0",
	}, {
		name: "the sender refused: what follows in the group says nothing",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 550 5.7.1 not you
			S: 503 5.5.1 MAIL first
			S: 503 5.5.1 RCPT first`,
		want: "550 5.7.1",
	}, {
		name: "the sender refused without PIPELINING",
		script: ready() + `
			C: MAIL FROM:<a@example.org>
			S: 450 4.7.1 later
			C: QUIT
			S: 221 bye`,
		want: "450 4.7.1",
	}, {
		name: "nobody accepted without PIPELINING: no DATA",
		script: ready() + `
			C: MAIL FROM:<a@example.org>
			S: 250 ok
			C: RCPT TO:<b@example.com>
			S: 550 no
			C: QUIT
			S: 221 bye`,
		want: "550",
	}, {
		name: "354 for nobody: a dot alone (RFC 2920 section 3.1)",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no such user
			S: 354 go
			C: .
			S: 554 5.5.1 nobody to send it to
			C: QUIT
			S: 221 bye`,
		want: "550 5.1.1",
	}, {
		name: "354 after MAIL was refused and RCPT was not: nothing is sent",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 550 5.7.1 not you
			S: 250 ok
			S: 354 go
			C!`,
		want: "550 5.7.1",
	}, {
		name: "a 552 after others is too many recipients (RFC 5321 section 4.5.3.1.10)",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 552 too many
			S: 552 5.2.2 mailbox full
			S: 354 go
			` + data + `
			S: 250 ok`,
		env:  three,
		want: "ok, 452 4.5.3, 552 5.2.2",
	}, {
		name: "421 at RCPT is for everyone",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: DATA
			S: 250 ok
			S: 421 4.3.2 shutting down
			C!`,
		env:  letter("b@example.com", "c@example.com"),
		want: "421 4.3.2, 421 4.3.2",
	}, {
		name: "421 in the place of the answer to the message",
		script: ready() + mailDialogue + data + `
			S: 421 4.3.2 shutting down
			C!`,
		want: "421 4.3.2",
	}, {
		name: "gone after RCPT: what it said of recipients stands",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no such user`,
		env:  letter("b@example.com", "c@example.com"),
		want: "550 5.1.1, 451 4.4.2",
	}, {
		name: "LMTP: one answer for each accepted recipient",
		script: `
			S: 220 mx.example.com LMTP
			C: LHLO client.example
			S: 250-mx.example.com
			S: 250 PIPELINING
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 550 5.1.1 no such user
			S: 250 ok
			S: 354 go
			` + data + `
			S: 250 2.0.0 saved
			S: 452 4.2.2 full`,
		env: three, lmtp: true,
		want: "ok, 550 5.1.1, 452 4.2.2",
	}, {
		name: "LMTP: gone between two answers",
		script: `
			S: 220 mx.example.com LMTP
			C: LHLO client.example
			S: 250-mx.example.com
			S: 250 PIPELINING
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 354 go
			` + data + `
			S: 250 2.0.0 saved`,
		env: three, lmtp: true,
		want: "ok, 451 4.4.2, 451 4.4.2",
	}, {
		name: "LMTP: 421 between two answers is for the rest",
		script: `
			S: 220 mx.example.com LMTP
			C: LHLO client.example
			S: 250-mx.example.com
			S: 250 PIPELINING
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: RCPT TO:<c@example.com>
			C: RCPT TO:<d@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 250 ok
			S: 354 go
			` + data + `
			S: 250 2.0.0 saved
			S: 421 4.3.2 shutting down
			C!`,
		env: three, lmtp: true,
		want: "ok, 421 4.3.2, 421 4.3.2",
	}, {
		name: "LMTP: 354 for nobody is in doubt, and so the end",
		script: `
			S: 220 mx.example.com LMTP
			C: LHLO client.example
			S: 250-mx.example.com
			S: 250 PIPELINING
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<b@example.com>
			C: DATA
			S: 250 ok
			S: 550 5.1.1 no such user
			S: 354 go
			C!`,
		lmtp: true,
		want: "550 5.1.1",
	}, {
		name: "dots are doubled, and a last line without an end gets one",
		script: ready() + mailDialogue + `
			C: ..
			C: ...two
			C: x.
			C: ..end
			C: .
			S: 250 ok`,
		msg:  text(".\r\n..two\r\nx.\r\n.end"),
		want: "ok",
	}, {
		name: "an empty message",
		script: ready() + mailDialogue + `
			C: .
			S: 250 ok`,
		msg:  text(""),
		want: "ok",
	}, {
		name: "the null sender and postmaster",
		script: ready() + `
			C: MAIL FROM:<>
			S: 250 ok
			C: RCPT TO:<postmaster>
			S: 250 ok
			C: DATA
			S: 354 go
			` + data + `
			S: 250 ok`,
		env:  &mailparts.Envelope{To: []mailparts.Rcpt{{Addr: "postmaster"}}},
		want: "ok",
	}, {
		name: "a hand-made recipient is refused, the others are served",
		script: ready("PIPELINING") + `
			C: MAIL FROM:<a@example.org>
			C: RCPT TO:<"odd> one"@example.com>
			C: DATA
			S: 250 ok
			S: 250 ok
			S: 354 go
			` + data + `
			S: 250 ok`,
		env:  letter("b@example.com>\r\nRCPT TO:<c@example.com", `"odd> one"@example.com`, "", "d@example.com> NOTIFY=NEVER"),
		want: "553 5.1.3, ok, 553 5.1.3, 553 5.1.3",
	}, {
		name:   "nobody to send it to",
		script: ready(),
		env:    letter(),
		want:   "",
	}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t) })
	}
}

func (test *deliveryTest) run(t *testing.T) {
	f := newFake(t, test.script)
	d := f.dialer()
	d.LMTP = test.lmtp
	c := f.connect(d)
	env, msg := test.env, test.msg
	if env == nil {
		env = letter("b@example.com")
	}
	if msg == nil {
		msg = text("Subject: hi\r\n\r\nhello\r\n")
	}
	err := c.Deliver(t.Context(), env, msg)
	if got := codes(err, len(env.To)); got != test.want {
		t.Errorf("got  %s\nwant %s\n(%v)", got, test.want, err)
	}
	if len(env.To) == 0 && err == nil {
		t.Error("a message for nobody was delivered")
	}
	if strings.Contains(test.script, "C: QUIT") {
		if err := c.Quit(t.Context()); err != nil {
			t.Error(err)
		}
	}
	c.Close()
	f.wait()
}
