package mbox

import (
	"io"

	"github.com/mailparts/mailparts/internal/crlf"
)

// textReader reads messages from disk as they are on the wire: without the fields of
// the mbox's own, and without what was added.
type textReader struct {
	text   io.Reader
	header headerFilter
	quotes quoter
	cut    int // LFs at the end that are not the message's

	lines    crlf.Reader
	in       []byte
	head     []byte
	out      []byte // has the text that was not given yet
	given    int    // octets of out
	finished bool
	err      error
}

// reset begins a message: what is from m.header to m.end in a file.
func (t *textReader) reset(f io.ReaderAt, m *span) {
	t.begin(io.NewSectionReader(f, m.header, m.end-m.header), parseAdded(m.fields[fieldXMboxAdded].value))
}

// begin begins a message whose text is in r.
func (t *textReader) begin(r io.Reader, a added) {
	*t = textReader{text: r, cut: a.lineEnds(), lines: t.lines, in: t.in, head: t.head, out: t.out[:0]}
	t.header.take = ownFields
	t.header.keepStart = a&addedStart != 0
	if a&addedQuotes != 0 {
		t.quotes.do = unquote
	}
	t.lines.Reset((*lfReader)(t))
}

// Read implements io.Reader.
func (t *textReader) Read(p []byte) (int, error) { return t.lines.Read(p) }

// lfReader is the side of a textReader that has LF.
type lfReader textReader

func (l *lfReader) Read(p []byte) (int, error) {
	t := (*textReader)(l)
	for len(t.out)-t.given <= t.cut && !t.finished {
		t.fill()
	}
	have := t.out[t.given:]
	if !t.finished {
		have = have[:len(have)-t.cut]
	}
	n := copy(p, have)
	t.given += n
	if n == 0 && len(p) > 0 {
		return 0, t.err
	}
	return n, nil
}

// fill reads some more text.
func (t *textReader) fill() {
	if t.in == nil {
		t.in = make([]byte, 16<<10)
	}
	n, err := t.text.Read(t.in)
	t.out = t.out[:copy(t.out, t.out[t.given:])]
	t.given = 0
	var body []byte
	t.head, body = t.header.append(t.head[:0], t.in[:n])
	t.out = t.quotes.append(t.quotes.append(t.out, t.head), body)
	if err != nil {
		t.finish(err)
	}
}

// finish ends the text with what was held back, without what was added.
func (t *textReader) finish(err error) {
	t.err, t.finished = err, true
	t.head = t.header.finish(t.head[:0])
	t.out = t.quotes.finish(t.quotes.append(t.out, t.head))
	for ; t.cut > 0 && err == io.EOF && len(t.out) > 0 && t.out[len(t.out)-1] == '\n'; t.cut-- {
		t.out = t.out[:len(t.out)-1]
	}
}
