package mailparts

import (
	"context"
	"errors"
)

// TextIn says which text of a message a TextSearch looks into.
type TextIn uint8

// What may be looked into (RFC 9051 section 6.4.4).
const (
	InHeader TextIn = iota // the values of the fields that are named Field
	InBody                 // the text of the body
	InText                 // header and body
)

// TextSearch is one search key for text: what SEARCH calls HEADER, FROM,
// SUBJECT, BODY, TEXT and so on.
//
// A message matches if Text is a substring of what In says, once the folding of
// fields, encoded words (RFC 2047), content transfer encodings and charsets are
// undone, without regard to case in US-ASCII at least. The empty Text is in
// every field of the name, and in every message.
type TextSearch struct {
	In    TextIn
	Field string // ASCII case does not count; for InHeader
	Text  string // UTF-8
}

// Searcher narrows a search for text, with an index or by looking.
type Searcher interface {
	// Search returns those of uids that may match: every message that does,
	// perhaps others, UIDs that do not exist among them. exact says that none
	// that exists is there that does not match, so that nobody need look.
	Search(ctx context.Context, uids UIDSet, t TextSearch) (found UIDSet, exact bool, err error)
}

// Search asks mb, or returns uids, not exact.
func Search(ctx context.Context, mb Mailbox, uids UIDSet, t TextSearch) (found UIDSet, exact bool, err error) {
	if s, ok := mb.(Searcher); ok {
		if found, exact, err = s.Search(ctx, uids, t); !errors.Is(err, errors.ErrUnsupported) {
			return found, exact, err
		}
	}
	return uids, false, nil
}
