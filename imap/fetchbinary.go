package imap

import (
	"bytes"
	"errors"
	"io"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// maxHeld is how much of one message is in memory for one FETCH: what has to be decoded
// or filtered before its size is known.
const maxHeld = 64 << 20

var (
	errEncoding = &refusal{"UNKNOWN-CTE", "Unknown content-transfer-encoding"}
	errHeld     = &refusal{"LIMIT", "Too much of a message is to be decoded"}
)

// measureBinary decodes a part for BINARY[…] (RFC 3516 section 4.3).
func (f *fetching) measureBinary(sec *section, tree *mime.Part) error {
	part := tree.Find(sec.path)
	if part == nil {
		sec.nil_ = true
		sec.octets.Size = 0
		return nil
	}
	if len(sec.path) == 0 { // the message as it is
		sec.octets = mime.Range{Size: f.m.Size}
		return f.body.open()
	}
	r, err := f.body.section(part.Body)
	if err != nil {
		return err
	}
	if !part.IsMultipart() && !part.IsMessage() {
		if r, err = mime.NewBinaryReader(r, part.Encoding); err != nil {
			if errors.Is(err, mime.ErrUnknownEncoding) {
				return errEncoding
			}
			return err
		}
	}
	if sec.size {
		sec.octets.Size, err = io.Copy(io.Discard, r)
		return err
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, maxHeld-f.held+1)); err != nil {
		return err
	}
	return f.hold(sec, b.Bytes())
}

// hold keeps the content of a section until it is sent.
func (f *fetching) hold(sec *section, content []byte) error {
	if f.held += int64(len(content)); f.held > maxHeld {
		return errHeld
	}
	if sec.content = content; content == nil {
		sec.content = []byte{}
	}
	return nil
}
