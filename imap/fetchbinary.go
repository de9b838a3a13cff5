package imap

import (
	"bytes"
	"errors"
	"io"

	"github.com/mailparts/mailparts/imap/internal/mime"
)

// maxDecoded is the longest part that BINARY decodes in memory: only then its size is
// known before it is sent.
const maxDecoded = 64 << 20

var (
	errEncoding = &refusal{"UNKNOWN-CTE", "Unknown content-transfer-encoding"}
	errDecoded  = &refusal{"LIMIT", "The part is too large to be decoded"}
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
	if n, err := io.Copy(&b, io.LimitReader(r, maxDecoded+1)); err != nil {
		return err
	} else if n > maxDecoded {
		return errDecoded
	}
	if sec.content = b.Bytes(); sec.content == nil {
		sec.content = []byte{}
	}
	return nil
}
