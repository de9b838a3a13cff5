package mbox

import (
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

// textWriter makes of messages the text that is on disk. Its fields tell of the last
// one, once copy has returned.
type textWriter struct {
	size  int64 // octets on disk
	body  int64 // of these behind the header: the Content-Length
	wire  int64 // octets of the message, had no field been taken out
	added added

	lines  crlf.Writer
	header headerFilter
	quotes quoter
	to     io.Writer
	head   []byte // of one Write, without the fields that are taken out
	out    []byte // of one Write, as it is on disk
	lf     bool   // all that was written ends with LF, or is nothing
}

// copy writes the text of msg, up to io.EOF.
func (t *textWriter) copy(ctx context.Context, to io.Writer, msg io.Reader) error {
	*t = textWriter{lines: t.lines, head: t.head, out: t.out, to: to, lf: true}
	t.quotes.do = quoteAll
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
	var body []byte
	if t.head, body = t.header.append(t.head[:0], p); len(t.head) > 0 {
		if t.size == 0 && (t.head[0] == ' ' || t.head[0] == '\t') {
			t.added |= addedStart
		}
		if err := t.write(t.quotes.append(t.out[:0], t.head)); err != nil {
			return 0, err
		}
	}
	if len(body) > 0 {
		before := t.size
		if err := t.write(t.quotes.append(t.out[:0], body)); err != nil {
			return 0, err
		}
		t.body += t.size - before
	}
	return len(p), nil
}

// finish writes what was held back, and what the text lacks.
func (t *textWriter) finish() error {
	t.head = t.header.finish(t.head[:0])
	if err := t.write(t.quotes.append(t.out[:0], t.head)); err != nil {
		return err
	}
	before := t.size
	if err := t.write(t.quotes.finish(t.out[:0])); err != nil {
		return err
	}
	if t.quotes.changed {
		t.added |= addedQuotes
	}
	end := t.out[:0]
	if !t.lf {
		end = append(end, '\n')
		t.added |= addedNewline
	}
	if err := t.write(end); err != nil || t.header.body {
		t.body += t.size - before
		return err
	}
	t.added |= addedBlank
	return t.write([]byte{'\n'})
}

func (t *textWriter) write(p []byte) error {
	t.out = p
	if len(p) == 0 {
		return nil
	}
	n, err := t.to.Write(p)
	t.size += int64(n)
	t.lf = p[len(p)-1] == '\n'
	return err
}
