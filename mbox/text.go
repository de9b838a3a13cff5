package mbox

import (
	"bytes"
	"context"
	"io"

	"github.com/mailparts/mailparts/internal/crlf"
)

// The store writes mboxcl: quoted as in mboxrd, so that no program ever takes a line
// of a message for a From_ line, and with a Content-Length, so that it can be skipped.
// A message is on disk
//
//	a From_ line
//	fields of the mbox's own: X-UID, Status, …, Content-Length, and X-Mbox-Added
//	if writing added anything, last
//	the message, without such fields of its own
//	a blank line
//
// and comes back to the octet.

// textRules say how a message becomes text.
type textRules struct {
	take         fieldSet // fields that no message keeps
	header, body change
	blank        bool   // a header without a blank line gets one
	last         []byte // a line to put at the end of the header, if it has a blank line
}

// textWriter makes of messages the text that is on disk. Its fields tell of the last
// one, once copy has returned.
type textWriter struct {
	size  int64 // octets on disk
	body  int64 // of these behind the header: the Content-Length
	wire  int64 // octets of the message, had no field been taken out
	added added

	rules  textRules
	lines  crlf.Writer
	header headerFilter
	quotes quoter
	to     io.Writer
	head   []byte // of one Write, without the fields that are taken out
	out    []byte // of one Write, as it is on disk
	begun  bool   // there was an octet
	lf     bool   // all that was written ends with LF, or is nothing
}

// copy writes the text of msg, up to io.EOF, as the store has it.
func (t *textWriter) copy(ctx context.Context, to io.Writer, msg io.Reader) error {
	return t.write(ctx, to, msg, textRules{take: ownFields, header: quoteAll, body: quoteAll, blank: true})
}

func (t *textWriter) write(ctx context.Context, to io.Writer, msg io.Reader, rules textRules) error {
	*t = textWriter{rules: rules, lines: t.lines, head: t.head, out: t.out, to: to, lf: true}
	t.header.take = rules.take
	t.quotes.do = rules.header
	t.lines.Reset((*lfText)(t))
	if err := t.lines.Copy(ctx, msg); err != nil {
		return err
	}
	t.wire = t.lines.Wire()
	return t.finish()
}

// lfText is the side of a textWriter where LF comes in.
type lfText textWriter

func (l *lfText) Write(p []byte) (int, error) {
	t := (*textWriter)(l)
	if !t.begun && len(p) > 0 {
		t.begun = true
		if p[0] == ' ' || p[0] == '\t' {
			t.added |= addedStart
		}
	}
	inHeader := !t.header.body
	var body []byte
	t.head, body = t.header.append(t.head[:0], p)
	if inHeader {
		if err := t.putHeader(); err != nil {
			return 0, err
		}
	}
	if len(body) == 0 {
		return len(p), nil
	}
	before := t.size
	err := t.put(t.quotes.append(t.out[:0], body))
	t.body += t.size - before
	return len(p), err
}

// putHeader writes what the filter gave of the header, which is all there is left of
// it if the filter is behind it.
func (t *textWriter) putHeader() error {
	head := t.head
	if !t.header.body {
		return t.put(t.quotes.append(t.out[:0], head))
	}
	blank := head[len(head)-1:]
	if bytes.HasSuffix(head, []byte("\r\n")) {
		blank = head[len(head)-2:]
	}
	out := t.quotes.append(t.out[:0], head[:len(head)-len(blank)])
	t.quotes.do = t.rules.body
	return t.put(append(append(out, t.rules.last...), blank...))
}

// finish writes what was held back, and what the text lacks.
func (t *textWriter) finish() error {
	inHeader := !t.header.body
	t.head = t.header.finish(t.head[:0])
	out := t.quotes.finish(t.quotes.append(t.out[:0], t.head))
	lf := t.lf
	if len(out) > 0 {
		lf = out[len(out)-1] == '\n'
	}
	if !lf {
		out = append(out, '\n')
		t.added |= addedNewline
	}
	if inHeader && t.rules.blank {
		out = append(out, '\n')
		t.added |= addedBlank
	}
	if t.quotes.changed {
		t.added |= addedQuotes
	}
	before := t.size
	err := t.put(out)
	if !inHeader {
		t.body += t.size - before
	}
	return err
}

func (t *textWriter) put(p []byte) error {
	t.out = p
	if len(p) == 0 {
		return nil
	}
	n, err := t.to.Write(p)
	t.size += int64(n)
	t.lf = p[len(p)-1] == '\n'
	return err
}
