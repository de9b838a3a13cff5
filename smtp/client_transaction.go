package smtp

import (
	"context"

	"github.com/mailparts/mailparts"
)

// clientTransaction is one transaction of a Deliver.
type clientTransaction struct {
	*clientDelivery
	needs clientNeeds
	rcpts []int // whom it names
	taken []int // whom of them the server accepted
	mail  bool  // MAIL was accepted
	stray bool  // a RCPT was accepted without it
	open  bool  // DATA was
}

// maxClientText is how much room for commands a connection keeps.
const maxClientText = 16 << 10

// clientCommand is a command of the envelope.
type clientCommand struct {
	verb string
	text []byte // with its CRLF
	rcpt int    // of RCPT: index into Envelope.To
}

// commands are those of the envelope, for as many of rcpts as the server takes at
// once; rest are the others. There are none if nobody can be named.
func (t *clientTransaction) commands(rcpts []int) (cmds []clientCommand, rest []int, err error) {
	c := t.c
	cmds = make([]clientCommand, 0, len(rcpts)+3)
	if c.inMail {
		cmds = append(cmds, clientCommand{verb: "RSET", text: []byte("RSET\r\n")})
	}
	t.needs = t.clientDelivery.needs
	text, err := c.appendMail(c.text[:0], &t.needs)
	if err != nil {
		return nil, nil, err
	}
	text = append(text, "\r\n"...)
	cmds = append(cmds, clientCommand{verb: "MAIL", text: text})
	for len(rcpts) > 0 && (c.limits.rcpts == 0 || len(t.rcpts) < c.limits.rcpts) {
		i, start := rcpts[0], len(text)
		rcpts = rcpts[1:]
		to := &t.env.To[i]
		if text, t.errs[i] = c.appendRcpt(text, to, &t.needs); t.errs[i] == nil && !c.enter(to.Addr.Domain()) {
			t.errs[i] = errClientDomains(c.host)
		}
		if t.errs[i] != nil { // what text has of it belongs to no command
			continue
		}
		text = append(text, "\r\n"...)
		cmds = append(cmds, clientCommand{verb: "RCPT", text: text[start:], rcpt: i})
		t.rcpts = append(t.rcpts, i)
	}
	if c.text = text; cap(text) > maxClientText {
		c.text = nil
	}
	if len(t.rcpts) == 0 {
		return nil, rcpts, nil
	}
	if !c.chunks(&t.needs) {
		cmds = append(cmds, clientCommand{verb: "DATA", text: []byte("DATA\r\n")})
	}
	return cmds, rcpts, nil
}

// run is the whole transaction. Its error is the message's: there is none.
func (t *clientTransaction) run(ctx context.Context, cmds []clientCommand) error {
	t.c.startMail(t.needs)
	err := t.envelope(cmds)
	switch {
	case err != nil:
		t.fail(t.rcpts, err)
	case t.mail && len(t.taken) > 0 && (t.open || t.c.chunks(&t.needs)):
		return t.data(ctx)
	case t.open:
		t.empty()
	}
	return nil
}

// envelope runs the commands in groups, until one of them makes the rest of no
// use. Its error ends the connection.
func (t *clientTransaction) envelope(cmds []clientCommand) error {
	pipelining := t.c.offers("PIPELINING")
	for first := true; len(cmds) > 0; first = false {
		if !first && !t.mail && cmds[0].verb != "MAIL" || cmds[0].verb == "DATA" && len(t.taken) == 0 {
			return nil
		}
		n := t.write(cmds, pipelining)
		if err := t.c.flush(inEnvelope); err != nil {
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
	w := t.c.w
	for n, cmd := range cmds {
		if n > 0 && (!pipelining || w.Available() < len(cmd.text)) {
			return n
		}
		w.Write(cmd.text)
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
			t.fail(t.rcpts, t.c.refused(r))
		}
	case "RCPT":
		switch {
		case bad:
			t.refuseRcpt(cmd.rcpt, r)
		case t.mail:
			t.taken = append(t.taken, cmd.rcpt)
		default:
			t.stray = true
		}
	case "DATA":
		t.fail(t.rcpts, t.c.refused(r))
	}
	return nil
}

// refuseRcpt notes a refused recipient, unless MAIL was refused and that is why.
// RFC 5321 section 4.5.3.1.10: after others a 552 means too many of them, which is
// temporary.
func (t *clientTransaction) refuseRcpt(i int, r clientReply) {
	if r.code == 552 && len(t.taken) > 0 && (r.status == "" || r.status == "5.5.3") {
		r.code, r.status = 452, "4.5.3"
	}
	if t.errs[i] == nil {
		t.errs[i] = t.c.refused(r)
	}
}

// data sends the message to those who are to have it. Its error is the message's.
func (t *clientTransaction) data(ctx context.Context) error {
	for _, i := range t.taken {
		t.sent[i] = true
	}
	bad, failed := t.c.content(t.msg)
	if failed != nil {
		t.fail(t.rcpts, failed)
	}
	if bad != nil || failed != nil {
		return bad
	}
	t.c.results(len(t.taken), func(n int, r clientReply, err error) {
		i := t.taken[n]
		if t.errs[i] = err; err == nil {
			mailparts.Report(ctx, t.env.To[i], t.c.receipt(t.env, r))
		}
	})
	return nil
}

func (c *Client) receipt(env *mailparts.Envelope, r clientReply) mailparts.Receipt {
	return mailparts.Receipt{
		Host: c.host, Reply: r.String(), TLS: c.secured,
		DSN: c.offers("DSN"),
		By:  !env.By.Time.IsZero() && c.offers("DELIVERBY"),
	}
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
