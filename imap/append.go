package imap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// appendMessages is APPEND of one message or more (RFC 9051 section 6.3.12, RFC 3502).
func (s *session) appendMessages(p *wire.Parser) error {
	p.SP()
	name := s.mailboxName(p)
	a := &appending{session: s}
	a.parse(p)
	if err := p.End(); err != nil {
		return err
	}
	placed, err := a.into(name)
	if err != nil {
		return err
	}
	s.code = appendUID(placed)
	return nil
}

// appendUID is the response code of RFC 4315 section 3.
func appendUID(placed mailparts.Placed) string {
	return fmt.Sprintf("APPENDUID %d %v", placed.UIDValidity, placed.UIDs)
}

// appending is messages on their way from the client into a mailbox.
type appending struct {
	*session
	next     incoming
	replaces mailparts.UID
	lost     error // of the connection
	refused  error // what a message was refused for, as stores may wrap it
	n        int
}

// incoming is what stands before a message.
type incoming struct {
	flags    []mailparts.Flag
	received time.Time
	lit      wire.Literal
	utf8     bool // in "UTF8 (…)" (RFC 9755 section 4)
}

// What a message cannot be.
var (
	errTooBig = &refusal{"TOOBIG", "The message is too large"}
	errEmpty  = &refusal{"", "A message cannot be empty"} // also how MULTIAPPEND is called off (RFC 3502 section 6.3.11)
	errMany   = &refusal{"LIMIT", "Too many messages at once"}

	// RFC 9755 section 4.
	errHeader8bit = &refusal{"CANNOT", "A header that is not US-ASCII is for who has enabled UTF8=ACCEPT"}
)

var errUnread = errors.New("imap: the store has not read a message to its end")

const errUTF8 badCommand = "UTF8 is for who has enabled UTF8=ACCEPT"

// maxAppends bounds the messages of one APPEND.
const maxAppends = 10000

// parse reads flags, date and literal of the next message.
func (a *appending) parse(p *wire.Parser) {
	a.next = incoming{}
	p.SP()
	if p.Peek() == '(' {
		a.next.flags = parseFlags(p)
		p.SP()
	}
	if p.Peek() == '"' {
		a.next.received = p.DateTime()
		p.SP()
	}
	if p.TryText("UTF8 (") {
		a.next.utf8 = true
		if !a.enabled.utf8 {
			p.Fail(errUTF8)
		}
	}
	a.next.lit = p.Message()
}

// into appends all messages.
func (a *appending) into(asked string) (placed mailparts.Placed, err error) {
	name := a.existing(asked)
	mb, err := a.store.Mailbox(a.ctx, name)
	if err != nil {
		return placed, tryCreate(err)
	}
	placed, err = mb.Append(a.ctx, a.messages())
	a.receiving = false
	switch {
	case a.lost != nil:
		return placed, &lostConnection{a.lost}
	case err != nil && a.refused != nil:
		err = a.refused
	}
	a.conn.Within(a.timeout())
	if err == nil {
		a.tellOldName("", asked, name)
	}
	return placed, tryCreate(err)
}

// messages reads them, one after the other.
func (a *appending) messages() iter.Seq2[mailparts.Incoming, error] {
	return func(yield func(mailparts.Incoming, error) bool) {
		refuse := func(err error) {
			a.refused = err
			yield(mailparts.Incoming{}, err)
		}
		for {
			if err := a.admit(); err != nil {
				refuse(err)
				return
			}
			a.receiving = true
			a.conn.Rolling(a.timeout())
			body := &appended{Message: a.in.Message(), to: a}
			in := mailparts.Incoming{Body: body, Size: a.next.lit.Size, Flags: a.next.flags, Received: a.next.received, Replaces: a.replaces}
			if !yield(in, nil) {
				return
			}
			if body.Left() > 0 { // which a Mailbox may not leave
				refuse(errUnread)
				return
			}
			again, err := a.more()
			if err != nil {
				refuse(err)
				return
			}
			if !again {
				return
			}
		}
	}
}

// admit refuses what need not be read.
func (a *appending) admit() error {
	limit := a.in.Limits.Message
	switch a.n++; {
	case a.next.lit.Size == 0:
		return errEmpty
	case limit > 0 && a.next.lit.Size > limit:
		return errTooBig
	case a.n > maxAppends:
		return errMany
	}
	return nil
}

// more reads what follows a message, and reports whether that is another one.
func (a *appending) more() (again bool, err error) {
	a.conn.Within(a.timeout())
	text, err := a.in.More(isAnyMessage)
	if isRefused(err) {
		return false, refusedCommand(err)
	}
	if err != nil {
		a.lost = err
		return false, err
	}
	p := wire.NewParser(text)
	if a.next.utf8 {
		p.Expect(')')
	}
	if p.Err() != nil || !p.More() {
		return false, p.End()
	}
	if a.replaces != 0 {
		return false, wire.Error("Expected one message")
	}
	a.parse(p)
	return true, p.End()
}

// isAnyMessage is for literals that can only be messages.
func isAnyMessage([]byte) bool { return true }

// appended is a message. It notes whether the connection is lost in the midst of it, and
// refuses a header that its client has not been let to send.
type appended struct {
	*wire.Message
	to     *appending
	header headerOctets
}

// Read implements io.Reader.
func (b *appended) Read(p []byte) (int, error) {
	n, err := b.Message.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.to.lost = err
	}
	if !b.to.enabled.utf8 && !b.to.enabled.rev2 && !b.to.srv.AcceptRawHeaders && b.header.has8bit(p[:n]) {
		b.to.refused = errHeader8bit
		return 0, errHeader8bit
	}
	return n, err
}

// isMessage says whether the literal at the end of text is a message, which is streamed:
// the last argument of APPEND and REPLACE, but not the mailbox before it. So is what nobody
// will read, for a command that is refused by its name.
func (s *session) isMessage(text []byte) bool {
	_, rest, _ := bytes.Cut(text, []byte(" "))
	p := wire.NewParser(rest)
	_, verb, _, err := s.begin(p)
	if err != nil {
		return true
	}
	p.SP()
	switch verb {
	case "APPEND":
	case "REPLACE":
		p.Set()
		p.SP()
	default:
		return false
	}
	p.AString()
	return p.Err() == nil
}
