package mailtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// stages are what G: goes through, in this order.
var stages = []string{"EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"}

// conversation is how far the two have come, as seen by who plays.
type conversation struct {
	greeted bool     // the server has
	stage   int      // number of stages behind us
	rcpts   int      // of the transaction
	lmtp    bool     // the client said LHLO
	content bool     // the client's lines are a message
	reply   []string // lines of the last that G: read
}

// verbOf is a line's command as stages names it.
func verbOf(line string) string {
	verb, _, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); verb {
	case "HELO", "LHLO":
		return "EHLO"
	}
	return verb
}

// note takes account of a line of the server's, or of the client's.
func (c *conversation) note(server bool, line string) {
	switch {
	case server:
		c.greeted = true
		c.content = c.content || strings.HasPrefix(line, "354")
		return
	case c.content && line != ".":
		return
	}
	verb := verbOf(line)
	switch verb {
	case ".":
		if !c.content {
			return
		}
		c.content, c.stage = false, 1
		return
	case "RSET":
		c.stage, c.rcpts = min(c.stage, 1), 0
	case "EHLO":
		c.lmtp = strings.EqualFold(line[:4], "LHLO")
	case "MAIL":
		c.rcpts = 0
	case "RCPT":
		c.rcpts++
	}
	if i := slices.Index(stages, verb); i >= 0 {
		c.stage = i + 1
	}
}

// call is G: of a client.
func (p *Player) call(ctx context.Context, last string) error {
	end := slices.Index(stages, verbOf(last))
	if end < 0 {
		return errors.New("no stage of a client's")
	}
	if !p.talk.greeted {
		if err := p.reply(ctx); err != nil {
			return err
		}
	}
	for i := min(p.talk.stage, end); i <= end; i++ {
		line := p.command(stages[i])
		if stages[i] == "EHLO" && end == i && last != "EHLO" {
			line = last + line[4:]
		}
		text := line
		if line == "." {
			text = "Subject: a message\r\n\r\nHello.\r\n."
		}
		p.talk.note(false, line)
		if err := p.send(text + "\r\n"); err != nil {
			return err
		}
		if err := p.reply(ctx); err != nil {
			return fmt.Errorf("%s: %w", stages[i], err)
		}
	}
	return nil
}

// command is what a client says at a stage.
func (p *Player) command(stage string) string {
	switch stage {
	case "EHLO":
		verb := "EHLO "
		if p.LMTP {
			verb = "LHLO "
		}
		return verb + cmp.Or(p.Hello, "client.example.org")
	case "MAIL":
		return "MAIL FROM:<" + string(cmp.Or(p.From, "alice@example.org")) + ">"
	case "RCPT":
		return "RCPT TO:<" + string(cmp.Or(p.To, "bob@example.com")) + ">"
	}
	return stage
}

// reply reads a positive reply.
func (p *Player) reply(ctx context.Context) error {
	p.talk.reply = nil
	for {
		p.arm(ctx)
		l, err := p.line()
		p.talk.reply = append(p.talk.reply, l)
		if err != nil || l == "" || l[0] != '2' && l[0] != '3' {
			return mismatch(l, err)
		}
		if len(l) < 4 || l[3] != '-' {
			return nil
		}
	}
}

// serve is G: of a server.
func (p *Player) serve(ctx context.Context, last string) error {
	if !p.talk.greeted {
		if err := p.answer("220 mx.example.com ESMTP"); err != nil {
			return err
		}
	}
	last = verbOf(last)
	for {
		p.arm(ctx)
		content, rcpts := p.talk.content, p.talk.rcpts
		l, err := p.line()
		if err != nil {
			return mismatch(l, err)
		}
		if content && l != "." {
			continue
		}
		verb := verbOf(l)
		if verb == last && (content || verb != ".") {
			return nil
		}
		switch verb {
		case "QUIT":
			p.answer("221 2.0.0 Bye")
			return errors.New("the client has quit")
		case "EHLO":
			err = p.answer(helloReply(l)...)
		case "DATA":
			err = p.answer("354 Go ahead")
		case "MAIL", "RCPT", "RSET", "NOOP":
			err = p.answer("250 2.0.0 OK")
		case ".":
			if !content {
				err = p.answer("500 5.5.2 Unknown command")
			}
			for range resultsOf(content, p.talk.lmtp, rcpts) {
				err = cmp.Or(err, p.answer("250 2.0.0 OK"))
			}
		default:
			err = p.answer("502 5.5.1 Not implemented")
		}
		if err != nil {
			return err
		}
	}
}

// resultsOf is the number of replies to a message: RFC 2033 section 4.2.
func resultsOf(content, lmtp bool, rcpts int) int {
	switch {
	case !content:
		return 0
	case lmtp:
		return rcpts
	}
	return 1
}

func helloReply(line string) []string {
	if strings.EqualFold(line[:4], "HELO") {
		return []string{"250 mx.example.com"}
	}
	return []string{"250-mx.example.com", "250-PIPELINING", "250 8BITMIME"}
}

// answer sends the lines of a reply.
func (p *Player) answer(lines ...string) error {
	for _, l := range lines {
		p.talk.note(true, l)
	}
	return p.send(strings.Join(lines, "\r\n") + "\r\n")
}
