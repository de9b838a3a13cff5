package sasl

import (
	"encoding/base64"
	"strings"
)

// Find returns the mechanism of that name, which is matched without regard to
// case (RFC 4422 section 3.1 registers upper case only).
func Find(mechanisms []Mechanism, name string) (m Mechanism, ok bool) {
	for _, m := range mechanisms {
		if strings.EqualFold(m.Name, name) {
			return m, true
		}
	}
	return Mechanism{}, false
}

// Run runs x to its end and returns whom it admits: what every protocol does
// between AUTH and its outcome. response is the initial one, nil for none. ask
// sends a challenge and returns the client's response; neither is in base64. The
// errors are those of x and of ask, and ErrDenied for an x that is done and names
// nobody.
func Run(x Exchange, response []byte, ask func(challenge []byte) (response []byte, err error)) (user string, err error) {
	for {
		challenge, done, err := x.Next(response)
		switch {
		case err != nil:
			return "", err
		case done && x.User() == "":
			return "", ErrDenied
		case done:
			return x.User(), nil
		}
		if response, err = ask(challenge); err != nil {
			return "", err
		}
	}
}

// Decode decodes a response from the base64 that SMTP, POP3 and IMAP have it in,
// without its line end. Anything else is ErrMalformed (RFC 4648 section 3.3). What
// it returns is not nil.
func Decode(text []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(b, text)
	if err != nil {
		return nil, malformed("not base64") // err may quote a secret
	}
	return b[:n], nil
}

// DecodeInitial is Decode for an initial response, which is "=" if it is empty
// (RFC 4954 section 4, RFC 5034 section 4). An empty text is malformed.
func DecodeInitial(text []byte) ([]byte, error) {
	switch string(text) {
	case "=":
		return []byte{}, nil
	case "":
		return nil, malformed("empty initial response")
	}
	return Decode(text)
}
