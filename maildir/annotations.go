package maildir

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// A mailbox's annotations and special uses are in one small file of its folder, and
// so go where that goes:
//
//	mailparts annotations \Archive \Sent
//	"a comment, \x00 or anything" /private/comment
//
// After the header, which has the uses, a line for each: the value, quoted as in Go,
// and the entry. Those of the account are in such a file of the tree.
const (
	metadataName    = "mailparts-metadata"
	accountName     = "mailparts-metadata-account"
	annotationsHead = "mailparts annotations"
)

// maxMetadata is how long such a file may become, in octets, and maxAnnotations how
// many are in it.
const (
	maxMetadata    = 1 << 20
	maxAnnotations = 1000
)

// annotations is the file's content.
type annotations struct {
	uses   []string
	values map[string][]byte // by entry in lower case
	bad    int               // lines that are none
}

// specialUses are those that a mailbox can be for (RFC 6154 section 2, RFC 8457).
// \All and \Flagged are views of others' messages.
var specialUses = [...]string{`\Archive`, `\Drafts`, `\Important`, `\Junk`, `\Sent`, `\Trash`}

// usesOf sorts uses, each in its usual spelling and once. It leaves out and reports
// what cannot be kept.
func usesOf(words []string) (uses []string, bad bool) {
	for _, word := range words {
		i := slices.IndexFunc(specialUses[:], func(u string) bool { return strings.EqualFold(u, word) })
		if i < 0 {
			bad = true
			continue
		}
		uses = append(uses, specialUses[i])
	}
	slices.Sort(uses)
	return slices.Compact(uses), bad
}

// parseHead returns the uses of a header, if it is one.
func parseHead(line string) (uses []string, bad, ok bool) {
	rest, ok := strings.CutPrefix(line, annotationsHead)
	if !ok || rest != "" && rest[0] != ' ' {
		return nil, true, false
	}
	uses, bad = usesOf(strings.Fields(rest))
	return uses, bad, true
}

// parseAnnotations leaves out and counts what is none.
func parseAnnotations(text string) annotations {
	a := annotations{values: map[string][]byte{}}
	if text == "" {
		return a
	}
	head, rest, _ := strings.Cut(text, "\n")
	uses, bad, ok := parseHead(head)
	if a.uses = uses; !ok {
		rest = text // it may be lost, and this a line
	}
	for line := range strings.Lines(rest) {
		line, whole := strings.CutSuffix(line, "\n")
		quoted, err := strconv.QuotedPrefix(line)
		entry, isEntry := strings.CutPrefix(line[len(quoted):], " ")
		if err != nil || !whole || !isEntry || !mailparts.ValidEntry(entry) {
			a.bad++
			continue
		}
		value, _ := strconv.Unquote(quoted)
		a.values[strings.ToLower(entry)] = append([]byte{}, value...)
	}
	if bad {
		a.bad = max(a.bad, 1)
	}
	return a
}

func (a *annotations) String() string {
	var b strings.Builder
	b.WriteString(strings.Join(append([]string{annotationsHead}, a.uses...), " ") + "\n")
	for _, entry := range slices.Sorted(maps.Keys(a.values)) {
		b.WriteString(strconv.Quote(string(a.values[entry])) + " " + entry + "\n")
	}
	return b.String()
}

// list returns all with the special uses among them.
func (a *annotations) list() (all []mailparts.Annotation) {
	values := a.values
	if len(a.uses) > 0 {
		values = maps.Clone(values)
		values[mailparts.EntrySpecialUse] = []byte(strings.Join(a.uses, " "))
	}
	for _, entry := range slices.Sorted(maps.Keys(values)) {
		all = append(all, mailparts.Annotation{Entry: entry, Value: values[entry]})
	}
	return all
}

// set changes one. The caller has checked it.
func (a *annotations) set(entry string, value []byte) {
	switch {
	case entry == mailparts.EntrySpecialUse:
		a.uses, _ = usesOf(strings.Fields(string(value)))
	case value == nil:
		delete(a.values, entry)
	default:
		a.values[entry] = value
	}
}
