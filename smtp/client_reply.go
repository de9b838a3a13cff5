package smtp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailparts/mailparts/internal/line"
)

// ErrBadReply is the cause of a *mailparts.Error when the far side did not speak
// SMTP: a malformed or endless reply, or one that its command cannot have.
var ErrBadReply = errors.New("not a reply of SMTP")

// Bounds of a reply. RFC 5321 section 4.5.3.1.5 has 512 octets for a line.
const (
	maxClientReplyLine  = 2048
	maxClientReplyLines = 128
)

// clientReply is what a server answered to one command.
type clientReply struct {
	code   int
	status string // RFC 3463, "" if it gave none
	text   string // "\n" between lines, printable US-ASCII otherwise
}

// String is the reply on one line.
func (r clientReply) String() string {
	s := fmt.Sprint(r.code)
	if r.status != "" {
		s += " " + r.status
	}
	return strings.TrimRight(s+" "+strings.ReplaceAll(r.text, "\n", " / "), " ")
}

// readClientReply reads a reply of one line or more: RFC 5321 section 4.2. Its
// error is a read error, or ErrBadReply.
func readClientReply(r *line.Reader) (clientReply, error) {
	var reply clientReply
	for range maxClientReplyLines {
		l, err := r.ReadLine(maxClientReplyLine)
		if errors.Is(err, line.ErrBare) || errors.Is(err, line.ErrTooLong) || errors.Is(err, line.ErrEndless) {
			return reply, fmt.Errorf("%w: %w", ErrBadReply, err)
		}
		if err != nil {
			return reply, err
		}
		last, err := reply.add(l)
		if last || err != nil {
			return reply, err
		}
	}
	return reply, fmt.Errorf("%w: more than %d lines", ErrBadReply, maxClientReplyLines)
}

// add adds a line to the reply, and reports whether it is the last one.
func (r *clientReply) add(l []byte) (last bool, err error) {
	code, ok := clientReplyCode(l)
	if !ok || len(l) > 3 && l[3] != ' ' && l[3] != '-' {
		return false, fmt.Errorf("%w: %.80q", ErrBadReply, l)
	}
	if r.code != 0 && code != r.code {
		return false, fmt.Errorf("%w: code %d in a reply of code %d", ErrBadReply, code, r.code)
	}
	text := clientReplyText(l[min(4, len(l)):])
	status, rest := cutClientStatus(text, code)
	if r.code == 0 {
		r.code, r.status, r.text = code, status, rest
		return len(l) == 3 || l[3] == ' ', nil
	}
	if status != r.status {
		rest = text
	}
	r.text += "\n" + rest
	return len(l) == 3 || l[3] == ' ', nil
}

// clientReplyCode reads Reply-code = %x32-35 %x30-35 %x30-39, but for a second
// digit that RFC 5321 section 4.2 forbids and the world uses.
func clientReplyCode(l []byte) (code int, ok bool) {
	if len(l) < 3 || l[0] < '2' || l[0] > '5' {
		return 0, false
	}
	for _, c := range l[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = code*10 + int(c-'0')
	}
	return code, true
}

// clientReplyText makes text fit for a mailparts.Error's Message.
func clientReplyText(l []byte) string {
	return strings.Map(func(c rune) rune {
		if c == '\t' {
			return ' '
		}
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, string(l))
}

// cutClientStatus cuts an enhanced status code of code's class (RFC 2034 section
// 4) off text.
func cutClientStatus(text string, code int) (status, rest string) {
	if text == "" || int(text[0]-'0') != code/100 {
		return "", text
	}
	status, rest, _ = strings.Cut(text, " ")
	if !validStatus(status, code) {
		return "", text
	}
	return status, strings.TrimLeft(rest, " ")
}
