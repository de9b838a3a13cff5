package mailtest

import (
	"bytes"
	"mime"
	"net/mail"

	"github.com/mailparts/mailparts"
)

// Message is what a Sink received. Nobody changes it after that.
type Message struct {
	// Envelope is who sent it, to whom, and how.
	Envelope mailparts.Envelope
	// Data is the message as the client sent it, without the dots of its transparency
	// and with CRLF line ends.
	Data []byte
	// Received is the field that the Sink's server would put before Data.
	Received []byte
}

// Parse parses Data: the header, and Body to be read.
func (m *Message) Parse() (*mail.Message, error) { return mail.ReadMessage(bytes.NewReader(m.Data)) }

// Header is the first field of that name, in any case, with its encoded words
// (RFC 2047) decoded. "" is for a message without such a field, and for one whose
// header net/mail cannot parse.
func (m *Message) Header(name string) string {
	parsed, err := m.Parse()
	if err != nil {
		return ""
	}
	raw := parsed.Header.Get(name)
	if text, err := new(mime.WordDecoder).DecodeHeader(raw); err == nil {
		return text
	}
	return raw
}

// receivedField is the length of the field, with its folded lines, that data
// begins with.
func receivedField(data []byte) int {
	n := 0
	for {
		i := bytes.IndexByte(data[n:], '\n')
		if i < 0 {
			return len(data)
		}
		if n += i + 1; n == len(data) || data[n] != ' ' && data[n] != '\t' {
			return n
		}
	}
}
