package mbox

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

// flagSet is the flags of a message: a bit each for the system flags and for whether
// some session has seen it, and then one for each keyword of the mailbox.
type flagSet uint64

const (
	seen flagSet = 1 << iota
	answered
	flagged
	deleted
	draft
	old // not recent

	firstKeyword = 8
	maxKeywords  = 64 - firstKeyword
)

// systemFlags are in the order of the bits, with their letters in X-Status.
var systemFlags = [...]struct {
	flag   mailparts.Flag
	letter byte
}{{mailparts.FlagSeen, 0}, {mailparts.FlagAnswered, 'A'}, {mailparts.FlagFlagged, 'F'}, {mailparts.FlagDeleted, 'D'}, {mailparts.FlagDraft, 'T'}}

// isKeyword reports whether a keyword can stand in X-Keywords.
func isKeyword(k string) bool {
	return k != "" && len(k) <= 255 && k[0] != '\\' && !strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// keywordBit is the bit of a keyword that the mailbox has, or 0. Of more keywords
// than there are bits the last have none: another program has made them.
func keywordBit(keywords []string, k string) flagSet {
	for i, have := range keywords[:min(len(keywords), maxKeywords)] {
		if strings.EqualFold(have, k) {
			return 1 << (firstKeyword + i)
		}
	}
	return 0
}

// setOf returns the bits of flags. Keywords that the mailbox has not are added to
// keywords, or if add is false passed over; ErrLimit if that is not possible. Other
// flags, such as \Recent, are no store's.
func setOf(keywords []string, flags []mailparts.Flag, add bool) (set flagSet, more []string, err error) {
	more = keywords
	for _, f := range flags {
		if strings.HasPrefix(string(f), `\`) {
			for i, sys := range systemFlags {
				if strings.EqualFold(string(sys.flag), string(f)) {
					set |= 1 << i
				}
			}
			continue
		}
		bit := keywordBit(more, string(f))
		if bit == 0 && add {
			if len(more) >= maxKeywords || !isKeyword(string(f)) {
				return 0, nil, fmt.Errorf("%w: keyword %q", mailparts.ErrLimit, f)
			}
			more = append(slices.Clip(more), string(f))
			bit = 1 << (firstKeyword + len(more) - 1)
		}
		set |= bit
	}
	return set, more, nil
}

// flagsOf lists what set has.
func flagsOf(set flagSet, keywords []string) (flags []mailparts.Flag) {
	for i, sys := range systemFlags {
		if set&(1<<i) != 0 {
			flags = append(flags, sys.flag)
		}
	}
	for i, k := range keywords[:min(len(keywords), maxKeywords)] {
		if set&(1<<(firstKeyword+i)) != 0 {
			flags = append(flags, mailparts.Flag(k))
		}
	}
	return flags
}

// parseFlags returns what the fields of a message say. Keywords that the mailbox has
// not are added to keywords, as long as there is room.
func parseFlags(fields *[numFields]field, keywords *[]string) (set flagSet) {
	for _, c := range fields[fieldStatus].value {
		switch c {
		case 'R':
			set |= seen
		case 'O':
			set |= old
		}
	}
	for i, sys := range systemFlags {
		if sys.letter != 0 && bytes.IndexByte(fields[fieldXStatus].value, sys.letter) >= 0 {
			set |= 1 << i
		}
	}
	for word := range bytes.FieldsSeq(fields[fieldXKeywords].value) {
		bit := keywordBit(*keywords, string(word))
		if bit == 0 && isKeyword(string(word)) && len(*keywords) < maxKeywords {
			*keywords = append(slices.Clip(*keywords), string(word))
			bit = 1 << (firstKeyword + len(*keywords) - 1)
		}
		set |= bit
	}
	return set
}

// statusValues are what set is in Status, X-Status and X-Keywords. Of the keywords
// that stand there now those stay that have no bit.
func statusValues(set flagSet, keywords []string, now []byte) (values [3]string) {
	if set&seen != 0 {
		values[0] = "R"
	}
	if set&old != 0 {
		values[0] += "O"
	}
	for i, sys := range systemFlags {
		if sys.letter != 0 && set&(1<<i) != 0 {
			values[1] += string(sys.letter)
		}
	}
	var words []string
	for i, k := range keywords[:min(len(keywords), maxKeywords)] {
		if set&(1<<(firstKeyword+i)) != 0 {
			words = append(words, k)
		}
	}
	if len(keywords) > maxKeywords {
		for k := range bytes.FieldsSeq(now) {
			if keywordBit(keywords, string(k)) == 0 {
				words = append(words, string(k))
			}
		}
	}
	values[2] = strings.Join(words, " ")
	return values
}

// statusFields are the fields of statusValues, and what room they get.
var statusFields = [3]struct{ id, room int }{{fieldStatus, 2}, {fieldXStatus, 4}, {fieldXKeywords, 40}}

// ownBlock is the fields of the mbox's own of a message, with room for flags to
// change. Those that tell of its octets are not among them. Now is what stands in
// X-Keywords.
func ownBlock(to []byte, uid uint32, set flagSet, keywords []string, now []byte) []byte {
	to = fmt.Appendf(to, "X-UID: %-10d\n", uid)
	for i, value := range statusValues(set, keywords, now) {
		f := statusFields[i]
		to = fmt.Appendf(to, "%s: %-*s\n", fieldNames[f.id], f.room, value)
	}
	return to
}
