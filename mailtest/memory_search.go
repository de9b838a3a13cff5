package mailtest

import (
	"bytes"
	"context"
	"strings"

	"github.com/mailparts/mailparts"
)

// Search is exact where no message is encoded in any way: it knows nothing of
// MIME, and leaves it to the caller to look into what is.
func (b memoryHandle) Search(ctx context.Context, uids mailparts.UIDSet, t mailparts.TextSearch) (found mailparts.UIDSet, exact bool, err error) {
	exact = true
	for m, err := range b.Messages(ctx, uids, mailparts.Query{}) {
		if err != nil {
			return nil, false, err
		}
		body, err := b.body(m.UID)
		if err != nil {
			continue // expunged meanwhile
		}
		match, sure := searchMessage(body, t)
		if match || !sure {
			found.Add(m.UID, m.UID)
		}
		exact = exact && sure
	}
	return found, exact, nil
}

// searchMessage reports whether a message matches, and whether that is sure: it
// is for US-ASCII text that no MIME field says to be anything else.
func searchMessage(msg []byte, t mailparts.TextSearch) (match, sure bool) {
	header, body, _ := bytes.Cut(append([]byte("\r\n"), msg...), []byte("\r\n\r\n"))
	fields := headerFields(string(header))
	sure = ascii(t.Text) && ascii(t.Field)
	if t.In != mailparts.InBody {
		sure = sure && ascii(string(header)) && !bytes.Contains(header, []byte("=?"))
	}
	if t.In != mailparts.InHeader {
		sure = sure && ascii(string(body)) && !strings.Contains(strings.ToLower(string(header)), "\r\ncontent-")
	}
	text := strings.ToLower(t.Text)
	if t.In != mailparts.InBody {
		for _, f := range fields {
			name, value, _ := strings.Cut(f, ":")
			if t.In == mailparts.InText {
				value = f
			} else if !strings.EqualFold(strings.TrimRight(name, " \t"), t.Field) {
				continue
			}
			match = match || strings.Contains(strings.ToLower(value), text)
		}
	}
	if t.In != mailparts.InHeader {
		match = match || strings.Contains(strings.ToLower(string(body)), text)
	}
	return match, sure
}

// headerFields are the unfolded fields of a header (RFC 5322 section 2.2.3).
func headerFields(header string) (fields []string) {
	var lines []string // of the field at hand
	end := func() {
		if len(lines) > 0 {
			fields = append(fields, strings.Join(lines, ""))
		}
		lines = lines[:0]
	}
	for line := range strings.SplitSeq(header, "\r\n") {
		if line == "" {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			end()
		}
		lines = append(lines, line)
	}
	end()
	return fields
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}
