package imap

import (
	"errors"
	"io"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

var errEncoding = &refusal{"UNKNOWN-CTE", "Unknown content-transfer-encoding"}

// measureBinary decodes a part for BINARY[…] (RFC 3516 section 4.3).
func (f *fetching) measureBinary(sec *section, tree *mime.Part) error {
	if sec.part = tree.Find(sec.path); sec.part == nil {
		sec.nil_ = true
		return nil
	}
	return f.measureMade(sec)
}

// decoded reads what a section of BINARY is of f.m: the message as it is, if it has no
// number.
func (f *fetching) decoded(sec *section) (io.Reader, error) {
	if len(sec.path) == 0 {
		return f.body.section(mime.Range{Size: f.m.Size})
	}
	r, err := f.body.section(sec.part.Body)
	if err != nil || sec.part.IsMultipart() || sec.part.IsMessage() {
		return r, err
	}
	if r, err = mime.NewBinaryReader(r, sec.part.Encoding); errors.Is(err, mime.ErrUnknownEncoding) {
		return nil, errEncoding
	}
	return r, err
}
