package mime

import (
	"bytes"
	"iter"
	"strings"
)

// Fields yields the fields of a header for SEARCH: names as spelled, and values
// unfolded and not decoded. Lines without a colon are passed over, as in a Scan.
func Fields(header []byte) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for len(header) > 0 && lineEnd(header[:1]) == 0 && !bytes.HasPrefix(header, []byte("\r\n")) {
			end := fieldEnd(header)
			folded := header[0] == ' ' || header[0] == '\t' // goes on with nothing
			name, value, ok := bytes.Cut(header[:end], []byte(":"))
			header = header[end:]
			if ok = ok && !folded && len(name) > 0 && bytes.IndexByte(name, '\n') < 0; !ok {
				continue
			}
			if !yield(string(bytes.TrimRight(name, " \t")), unfold(value)) {
				return
			}
		}
	}
}

// fieldEnd returns where the field ends that a header begins with.
func fieldEnd(header []byte) int {
	for end := 0; ; {
		i := bytes.IndexByte(header[end:], '\n')
		if i < 0 {
			return len(header)
		}
		if end += i + 1; end == len(header) || header[end] != ' ' && header[end] != '\t' {
			return end
		}
	}
}

// unfold takes the line ends out of a value, and the white space around it.
func unfold(value []byte) string {
	var b strings.Builder
	for len(value) > 0 {
		line := value
		if i := bytes.IndexByte(value, '\n'); i >= 0 {
			line = value[:i+1]
		}
		value = value[len(line):]
		b.Write(line[:len(line)-lineEnd(line)])
	}
	return strings.Trim(b.String(), " \t\r")
}

// AddressText writes an address list for SEARCH FROM and the like: "Name
// <mailbox@host>, group: mailbox@host;", decoded, without comments, routes and
// quoting, so that an address is found however it was written.
func AddressText(list string) string {
	var b strings.Builder
	afterComma := true
	Addresses(list, func(a *Address) bool {
		if a.Kind == GroupEnd {
			b.WriteByte(';')
			afterComma = false
			return true
		}
		if !afterComma {
			b.WriteString(", ")
		}
		if afterComma = a.Kind == GroupStart; afterComma {
			b.WriteString(DecodeHeader(a.Mailbox))
			b.WriteString(": ")
			return true
		}
		if b.WriteString(DecodeHeader(a.Name)); a.Name != "" {
			b.WriteString(" <")
		}
		if b.WriteString(a.Mailbox); a.Host != "" {
			b.WriteByte('@')
			b.WriteString(a.Host)
		}
		if a.Name != "" {
			b.WriteByte('>')
		}
		return true
	})
	return b.String()
}

// Parts yields the part and all that are in it, each before those within it.
func (p *Part) Parts() iter.Seq[*Part] {
	return func(yield func(*Part) bool) { p.walk(yield) }
}

func (p *Part) walk(yield func(*Part) bool) bool {
	if !yield(p) {
		return false
	}
	for _, c := range p.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}
