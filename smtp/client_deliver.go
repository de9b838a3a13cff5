package smtp

import (
	"context"
	"io"

	"github.com/mailparts/mailparts"
)

var _ mailparts.Deliverer = (*Client)(nil)

// Deliver sends msg to all of env.To in one transaction, pipelined where the
// server offers it (RFC 2920): one write for the envelope, one or more for the
// message. It may be called again and again, and after it Mail.
//
// The result is a Deliverer's: mailparts.RcptErrors where it differs by
// recipient. It refuses what Mail and Data refuse; the size is msg's own if it
// can seek, and a message declared as 8BITMIME goes to a server without it if it
// can seek and turns out to be of 7 bits. Receipts are reported.
func (c *Client) Deliver(ctx context.Context, env *mailparts.Envelope, msg io.Reader) error {
	return c.transact(ctx, env, msg).err()
}

// clientTransaction is one Deliver.
type clientTransaction struct {
	c     *Client
	env   *mailparts.Envelope
	whole error                // not nil: nobody's but the message's
	errs  mailparts.RcptErrors // by env.To
	taken []int                // indexes of the recipients that the server accepted
	mail  bool                 // MAIL was accepted
	stray bool                 // a RCPT was accepted without it
	open  bool                 // DATA was
	sent  bool                 // and then content, for those in taken
}

func (t *clientTransaction) err() error {
	if t.whole != nil {
		return t.whole
	}
	return uniform(t.errs)
}

// rcptError is recipient i's outcome.
func (t *clientTransaction) rcptError(i int) error { return mailparts.RcptError(t.err(), i) }

// begun reports, by recipient, to whom content was sent: nobody knows what became
// of it unless the server said so.
func (t *clientTransaction) begun() []bool {
	begun := make([]bool, len(t.errs))
	if t.sent {
		for _, i := range t.taken {
			begun[i] = true
		}
	}
	return begun
}

// fail is the outcome of those that have none yet.
func (t *clientTransaction) fail(err error) {
	for i := range t.errs {
		if t.errs[i] == nil {
			t.errs[i] = err
		}
	}
}

func (c *Client) transact(ctx context.Context, env *mailparts.Envelope, msg io.Reader) *clientTransaction {
	t := &clientTransaction{c: c, env: env, errs: make(mailparts.RcptErrors, len(env.To))}
	cmds, err := t.commands(msg)
	if err != nil {
		t.whole = err
		return t
	}
	release, err := c.begin(ctx)
	if err != nil {
		t.whole = err
		return t
	}
	defer release()
	if err := t.envelope(cmds); err != nil {
		t.fail(err)
		return t
	}
	switch {
	case t.open && len(t.taken) > 0:
		t.data(ctx, msg)
	case t.open:
		t.empty()
	}
	return t
}

// clientCommand is a command of the envelope.
type clientCommand struct {
	verb string
	text string // MAIL: the whole command
	rcpt int    // RCPT: its index
}

// commands is the envelope as commands, without the recipients that are refused
// here.
func (t *clientTransaction) commands(msg io.Reader) ([]clientCommand, error) {
	if len(t.env.To) == 0 {
		return nil, refusal(554, "5.5.1", "No valid recipients")
	}
	size, body, err := t.c.measure(t.env, msg)
	if err != nil {
		return nil, err
	}
	mail, err := t.c.mailCommand(t.env, size, body)
	if err != nil {
		return nil, err
	}
	cmds := make([]clientCommand, 0, len(t.env.To)+3)
	if t.c.inMail {
		cmds = append(cmds, clientCommand{verb: "RSET"})
	}
	cmds = append(cmds, clientCommand{verb: "MAIL", text: mail})
	rcpts := 0
	for i, to := range t.env.To {
		if err := checkClientRcpt(to.Addr); err != nil {
			t.errs[i] = err
			continue
		}
		cmds = append(cmds, clientCommand{verb: "RCPT", rcpt: i})
		rcpts++
	}
	if rcpts == 0 {
		return nil, uniform(t.errs)
	}
	return append(cmds, clientCommand{verb: "DATA"}), nil
}

// envelope runs the commands in groups, until one of them makes the rest of no
// use. Its error ends the connection.
func (t *clientTransaction) envelope(cmds []clientCommand) error {
	t.c.inMail, t.c.accepted = true, 0
	_, pipelining := t.c.Extension("PIPELINING")
	for first := true; len(cmds) > 0; first = false {
		if !first && !t.mail && cmds[0].verb != "MAIL" || cmds[0].verb == "DATA" && len(t.taken) == 0 {
			return nil
		}
		n := t.write(cmds, pipelining)
		if err := t.c.flush("envelope"); err != nil {
			return err
		}
		for _, cmd := range cmds[:n] {
			r, err := t.c.reply(cmd.verb, t.c.replyIn)
			if err == nil {
				err = t.took(cmd, r)
			}
			if err != nil {
				return err
			}
		}
		cmds = cmds[n:]
	}
	return nil
}

// write buffers a group of commands, what the buffer can hold, and returns how
// many they are. More at once might fill both directions of the connection before
// anybody reads (RFC 2920 section 3.1).
func (t *clientTransaction) write(cmds []clientCommand, pipelining bool) int {
	const rcpt, end = "RCPT TO:<", ">\r\n"
	w := t.c.w
	for n, cmd := range cmds {
		to := ""
		if cmd.verb == "RCPT" {
			to = string(t.env.To[cmd.rcpt].Addr)
		}
		if n > 0 && (!pipelining || w.Available() < len(rcpt)+len(to)+len(end)) {
			return n
		}
		switch cmd.verb {
		case "RCPT":
			w.WriteString(rcpt)
			w.WriteString(to)
			w.WriteString(end)
		case "MAIL":
			w.WriteString(cmd.text)
			w.WriteString("\r\n")
		default:
			w.WriteString(cmd.verb)
			w.WriteString("\r\n")
		}
	}
	return len(cmds)
}

// took notes the reply to cmd. Its error ends the connection.
func (t *clientTransaction) took(cmd clientCommand, r clientReply) error {
	good, bad := r.code/100 == 2, r.code/100 >= 4
	switch {
	case cmd.verb == "DATA" && r.code == 354:
		t.open = true
		return nil
	case !good && !bad, cmd.verb == "DATA" && good, cmd.verb == "RSET" && bad:
		return t.c.unexpected(cmd.verb, r)
	}
	switch cmd.verb {
	case "MAIL":
		if t.mail = good; bad {
			t.fail(t.c.refused(r))
		}
	case "RCPT":
		switch {
		case bad:
			t.refuse(cmd.rcpt, r)
		case t.mail:
			t.taken = append(t.taken, cmd.rcpt)
		default:
			t.stray = true
		}
	case "DATA":
		t.fail(t.c.refused(r))
	}
	return nil
}

// refuse notes a refused recipient, unless MAIL was refused and that is why. RFC
// 5321 section 4.5.3.1.10: after others a 552 means too many of them, which is
// temporary.
func (t *clientTransaction) refuse(i int, r clientReply) {
	if r.code == 552 && len(t.taken) > 0 && (r.status == "" || r.status == "5.5.3") {
		r.code, r.status = 452, "4.5.3"
	}
	if t.errs[i] == nil {
		t.errs[i] = t.c.refused(r)
	}
}

// data sends the message to those who are to have it.
func (t *clientTransaction) data(ctx context.Context, msg io.Reader) {
	t.sent = true
	bad, lost := t.c.send(msg)
	if bad != nil {
		t.whole = bad
		return
	}
	if lost != nil {
		t.fail(lost)
		return
	}
	t.c.results(len(t.taken), func(n int, r clientReply, err error) {
		i := t.taken[n]
		if t.errs[i] = err; err == nil {
			mailparts.Report(ctx, t.env.To[i], mailparts.Receipt{Host: t.c.host, Reply: r.String(), TLS: t.c.secured})
		}
	})
}

// empty ends a DATA that the server opened for nobody: with a dot alone, which it
// must not send to anyone (RFC 2920 section 3.2). Where even that is in doubt the
// connection goes.
func (t *clientTransaction) empty() {
	if t.stray || t.c.lmtp {
		t.c.abandon(ErrBadReply)
		return
	}
	if _, err := t.c.do("DATA", "."); err == nil {
		t.c.inMail = false
	}
}
