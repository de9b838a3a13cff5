package mbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/mailparts/mailparts"
)

// Writer writes messages to an mbox, one after the other. What it writes no program
// takes for more messages or fewer; but for CL2, where all must go by the
// Content-Length.
//
// What comes back from a Reader is what was given, to the octet, but for this: each
// bare LF is CRLF, the last line has its end, in O "From " at the start of a line is
// ">From ", in CL and CL2 there is no Content-Length field, and in CL2 a line of the
// header that begins with "From ", and so is none, begins with ">From ".
type Writer struct {
	// Location is where From_ lines have their date from; they tell the zone too, but
	// not all programs look at it. Nil: time.Local.
	Location *time.Location

	w      *bufio.Writer
	format Format
	text   textWriter
	err    error
}

// NewWriter writes to w, which is at the end of a file whose last line is blank, or
// of an empty one.
func NewWriter(w io.Writer, f Format) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), format: f}
}

// WriteMessage writes what msg has, up to io.EOF: its sender, empty for the null
// reverse-path, when it was received, and the message, with CRLF or LF at the ends of
// its lines. If msg does not seek, CL and CL2 need a copy of it (mailparts.Buffer).
//
// After an error there may be a part of the message in the file, and nothing can be
// written after it.
func (w *Writer) WriteMessage(from string, date time.Time, msg io.Reader) error {
	if w.err == nil {
		w.err = w.write(from, date, msg)
	}
	return w.err
}

func (w *Writer) write(from string, date time.Time, msg io.Reader) error {
	if !w.format.isKnown() {
		return fmt.Errorf("mbox: %v", w.format)
	}
	rules := w.format.rules()
	if w.format.hasLengths() {
		buffered, err := mailparts.Buffer(msg)
		if err != nil {
			return err
		}
		defer buffered.Close()
		if rules.last, err = w.measure(buffered, rules); err != nil {
			return err
		}
		msg = buffered
	}
	loc := w.Location
	if loc == nil {
		loc = time.Local
	}
	if _, err := w.w.Write(appendFrom(w.w.AvailableBuffer(), from, date, loc)); err != nil {
		return err
	}
	if err := w.text.write(context.Background(), w.w, msg, rules); err != nil {
		return err
	}
	w.w.WriteByte('\n')
	return w.w.Flush()
}

// measure returns the Content-Length field of msg, and goes back to where it began.
func (w *Writer) measure(msg io.ReadSeeker, rules textRules) ([]byte, error) {
	start, err := msg.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if err := w.text.write(context.Background(), io.Discard, msg, rules); err != nil {
		return nil, err
	}
	if _, err := msg.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	field := strconv.AppendInt([]byte("Content-Length: "), w.text.body, 10)
	return append(field, '\n'), nil
}
