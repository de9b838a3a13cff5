package imap

import (
	"time"
	"unicode/utf8"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/mime"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// Bounds of what one search may ask. Nesting is bounded by wire.Parser.
const (
	maxKeys     = 2000
	maxTextKeys = 100 // for text that is not in the cache
)

var (
	errTooComplex = &refusal{"LIMIT", "Too many search keys"}
	errBadCharset = &refusal{"BADCHARSET (UTF-8 US-ASCII ISO-8859-1)", "Unknown charset"}
)

const (
	errCharset8bit badCommand = "Strings are not in their charset"
	errCharsetUTF8 badCommand = "No charset may be named after ENABLE UTF8=ACCEPT" // RFC 9755 section 3
	errOnlyUTF8    badCommand = "Only UTF-8 is possible after ENABLE UTF8=ACCEPT"  // the same
	errNoModSeq    badCommand = "There are no mod-sequences in this mailbox"       // RFC 7162 section 3.1.2.2
)

// programParser reads search keys.
type programParser struct {
	*wire.Parser
	s       *session
	q       *query
	charset string
	keys    int
	texts   int

	saved, recent *mailparts.UIDSet // once a key has asked for them, for all that do
}

// parseProgram reads search keys up to the end, whose strings are in a charset.
func (s *session) parseProgram(p *wire.Parser, charset string) *query {
	q := &query{session: s, now: time.Now()}
	pp := &programParser{Parser: p, s: s, q: q, charset: charset}
	if _, ok := mime.Decode(nil, charset); !ok && p.Err() == nil {
		p.Fail(errBadCharset)
	}
	q.root = &searchKey{kind: keyAnd}
	for p.Err() == nil {
		q.root.keys = append(q.root.keys, pp.key())
		if p.Err() != nil || !p.More() {
			break
		}
		p.SP()
	}
	return q
}

// key reads one search-key. Chains of NOT and OR, which clients nest at their right end,
// cost no depth.
func (p *programParser) key() *searchKey {
	negated := false
	for p.TryWord("NOT") {
		p.SP()
		negated = !negated
	}
	k := p.bare()
	if negated {
		return not(k)
	}
	return k
}

func not(k *searchKey) *searchKey { return &searchKey{kind: keyNot, keys: []*searchKey{k}} }

// bare reads a key that NOT is not before.
func (p *programParser) bare() *searchKey {
	if p.keys++; p.keys > maxKeys {
		p.Fail(errTooComplex)
	}
	switch {
	case p.Err() != nil:
		return &searchKey{}
	case p.Peek() == '(':
		return p.group()
	case p.NextIsSet():
		set := p.Set()
		if set.Saved {
			k := p.savedKey()
			return &k
		}
		v := &p.s.box.view
		return &searchKey{kind: keySeqs, seqs: seqs{set.Resolve(v.count), v}}
	case p.TryWord("OR"):
		return p.or()
	}
	read := searchKeys[p.Word()]
	if read == nil {
		p.Fail(wire.Error("Unknown search key"))
		return &searchKey{}
	}
	k := read(p)
	return &k
}

// group reads keys in parentheses, of which all must match.
func (p *programParser) group() *searchKey {
	k := &searchKey{kind: keyAnd}
	p.List(func() { k.keys = append(k.keys, p.key()) })
	if len(k.keys) == 0 {
		p.Fail(wire.Error("Expected a search key"))
	}
	return k
}

// or reads what follows OR: two keys. If the second is OR again, its keys are of the same
// choice.
func (p *programParser) or() *searchKey {
	k := &searchKey{kind: keyOr}
	for {
		p.SP()
		if p.Enter(); p.Err() != nil {
			return k
		}
		k.keys = append(k.keys, p.key())
		p.Leave()
		p.SP()
		if !p.TryWord("OR") {
			break
		}
		if p.keys++; p.keys > maxKeys {
			p.Fail(errTooComplex)
		}
	}
	if p.Enter(); p.Err() != nil {
		return k
	}
	defer p.Leave()
	k.keys = append(k.keys, p.key())
	return k
}

// text reads a string, and decodes it.
func (p *programParser) text() string {
	p.SP()
	b := p.AString()
	if p.Err() != nil {
		return ""
	}
	text, ok := mime.Decode(b, p.charset)
	if !ok || !utf8.ValidString(text) {
		p.Fail(errCharset8bit)
	}
	return text
}

// readKey reads what follows the name of a key.
type readKey func(p *programParser) searchKey

// searchKeys are the search keys by name, but for those with a syntax of their own (RFC
// 9051 section 6.4.4, RFC 3501 section 6.4.4).
var searchKeys = map[string]readKey{
	"ALL": func(*programParser) searchKey { return searchKey{} },
	"UID": (*programParser).uidKey,

	"ANSWERED":   flagKey(mailparts.FlagAnswered, true),
	"DELETED":    flagKey(mailparts.FlagDeleted, true),
	"DRAFT":      flagKey(mailparts.FlagDraft, true),
	"FLAGGED":    flagKey(mailparts.FlagFlagged, true),
	"SEEN":       flagKey(mailparts.FlagSeen, true),
	"UNANSWERED": flagKey(mailparts.FlagAnswered, false),
	"UNDELETED":  flagKey(mailparts.FlagDeleted, false),
	"UNDRAFT":    flagKey(mailparts.FlagDraft, false),
	"UNFLAGGED":  flagKey(mailparts.FlagFlagged, false),
	"UNSEEN":     flagKey(mailparts.FlagSeen, false),
	"KEYWORD":    keywordKey(true),
	"UNKEYWORD":  keywordKey(false),

	// Of IMAP4rev1 only.
	"RECENT": (*programParser).recentKey,
	"OLD":    func(p *programParser) searchKey { k := p.recentKey(); return *not(&k) },
	"NEW": func(p *programParser) searchKey {
		k, unseen := p.recentKey(), flagKey(mailparts.FlagSeen, false)(p)
		return searchKey{kind: keyAnd, keys: []*searchKey{&k, &unseen}}
	},

	"LARGER":  sizeKey(above),
	"SMALLER": sizeKey(below),

	"BEFORE":     dateKey(keyReceived, below),
	"ON":         dateKey(keyReceived, equal),
	"SINCE":      dateKey(keyReceived, above),
	"SENTBEFORE": dateKey(keySent, below),
	"SENTON":     dateKey(keySent, equal),
	"SENTSINCE":  dateKey(keySent, above),

	// RFC 8514 section 4.3.
	"SAVEDBEFORE":       dateKey(keySaved, below),
	"SAVEDON":           dateKey(keySaved, equal),
	"SAVEDSINCE":        dateKey(keySaved, above),
	"SAVEDATESUPPORTED": func(*programParser) searchKey { return searchKey{kind: keySaves} },

	// RFC 5032.
	"OLDER":   ageKey(above),
	"YOUNGER": ageKey(below),

	"MODSEQ":   (*programParser).modSeqKey, // RFC 7162 section 3.1.5
	"EMAILID":  idKey(keyEmailID),          // RFC 8474 section 6
	"THREADID": idKey(keyThreadID),

	"BCC":     fieldKey("Bcc"),
	"CC":      fieldKey("Cc"),
	"FROM":    fieldKey("From"),
	"SUBJECT": fieldKey("Subject"),
	"TO":      fieldKey("To"),
	"HEADER":  (*programParser).headerKey,
	"BODY":    func(p *programParser) searchKey { return p.textKey(mailparts.InBody, "") },
	"TEXT":    func(p *programParser) searchKey { return p.textKey(mailparts.InText, "") },
}
