package smtp

import (
	"io"
	"mime"
	netmail "net/mail"
	"strings"

	"github.com/mailparts/mailparts"
)

// maxAuthors is how many octets the fields of all authors may have: who writes
// more of them wants to cost time.
const maxAuthors = 8 << 10

// authors are the fields From and Sender of a message on its way through
// Submission. Nil has none and no rule for them.
type authors struct {
	owns    func(mailparts.Address) error
	fields  []string // values, as they stand
	size    int
	taking  bool // the field under way is one of fields
	from    bool // there is a From
	refused error
}

// begin notes the first line of a field.
func (a *authors) begin(name string, value []byte) {
	if a == nil {
		return
	}
	if a.taking = name == "from" || name == "sender"; a.taking {
		a.from = a.from || name == "from"
		a.fields = append(a.fields, "")
		a.more(value)
	}
}

// more notes another line of the field, or another part of the line.
func (a *authors) more(value []byte) {
	if a == nil || !a.taking {
		return
	}
	if a.size += len(value) + 1; a.size <= maxAuthors {
		a.fields[len(a.fields)-1] += string(value)
	} else {
		a.taking = false
	}
}

// verify refuses the message unless all of its authors are the user. A From that
// comes twice is judged by all that it says.
func (a *authors) verify() error {
	if a == nil {
		return nil
	}
	a.refused = a.judge()
	return a.refused
}

func (a *authors) judge() error {
	if !a.from || a.size > maxAuthors {
		return errBadFrom
	}
	for _, field := range a.fields {
		addrs, err := parseAuthors(field)
		if err != nil {
			return err
		}
		for _, addr := range addrs {
			if err := a.owns(addr); err != nil {
				return err
			}
		}
	}
	return nil
}

// parseAuthors reads a mailbox-list (RFC 5322 section 3.6.2), names in any
// charset.
func parseAuthors(field string) (addrs []mailparts.Address, err error) {
	anyCharset := func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	parser := netmail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: anyCharset}}
	list, err := parser.ParseList(unfold.Replace(field))
	if err != nil || len(list) == 0 {
		return nil, errBadFrom
	}
	for _, m := range list {
		addr, err := quoted(m.Address)
		if err != nil {
			return nil, errBadFrom
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

var unfold = strings.NewReplacer("\r\n", "", "\n", "") // RFC 5322 section 2.2.3

// quoted makes an Address of one whose local part net/mail has unquoted.
func quoted(s string) (mailparts.Address, error) {
	i := strings.LastIndexByte(s, '@')
	if strings.HasSuffix(s, "]") {
		i = strings.LastIndex(s, "@[")
	}
	if i < 0 {
		return "", mailparts.ErrBadAddress
	}
	return mailparts.ParseAddress(`"` + quotedPairs.Replace(s[:i]) + `"` + s[i:])
}

var quotedPairs = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
