package courier

import (
	"math/bits"
	"strconv"
	"strings"
)

// ParseKeywords reads a courierimapkeywords/:list and returns the keywords of each
// base, and how many lines are none:
//
//	Work
//	$Forwarded
//
//	1048603081.M1P1.host,S=18:1 0
//
// The keywords, an empty line, and then the bases with the places of theirs.
func ParseKeywords(text string) (list map[string][]string, bad int) {
	names, lines, _ := strings.Cut("\n"+text, "\n\n")
	all := strings.Split(names, "\n")[1:]
	list = map[string][]string{}
	for line := range strings.SplitSeq(lines, "\n") {
		if line == "" {
			continue
		}
		base, places, ok := strings.Cut(line, ":")
		if !ok || !validBase(base) {
			bad++
			continue
		}
		var of []string
		for place := range strings.FieldsSeq(places) {
			n, err := strconv.ParseUint(place, 10, 32)
			if err != nil || n >= uint64(len(all)) {
				bad++
				continue
			}
			of = append(of, all[n])
		}
		list[base] = of
	}
	return list, bad
}

// Keywords is a courierimapkeywords/:list to be written.
type Keywords struct {
	Names    []string // at most 32; what is empty is left out
	Messages []MessageKeywords
}

// MessageKeywords are those of one message: bit n is Names[n].
type MessageKeywords struct {
	Base string
	Set  uint32
}

// Append adds the file's text to b, as ParseKeywords reads it.
func (k Keywords) Append(b []byte) []byte {
	var places [32]int
	var named uint32
	for i, name := range k.Names {
		if name != "" {
			places[i] = bits.OnesCount32(named)
			named |= 1 << i
			b = append(append(b, name...), '\n')
		}
	}
	b = append(b, '\n')
	for _, m := range k.Messages {
		if m.Set &= named; m.Set == 0 {
			continue
		}
		b = append(b, m.Base...)
		sep := byte(':')
		for set := m.Set; set != 0; set &= set - 1 {
			b = append(b, sep)
			b = strconv.AppendInt(b, int64(places[bits.TrailingZeros32(set)]), 10)
			sep = ' '
		}
		b = append(b, '\n')
	}
	return b
}

// ParseMessageKeywords reads a file with the keywords of one message, a line each.
// No line: it has none any more.
func ParseMessageKeywords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// Latest returns which of the files in courierimapkeywords/ counts for a message, by
// its base: "base", or else the ".N.base" with the highest number. It counts more
// than the line in the list.
func Latest(files []string) map[string]string {
	latest, number := map[string]string{}, map[string]uint64{}
	for _, file := range files {
		base, n := file, ^uint64(0)
		if rest, ok := strings.CutPrefix(file, "."); ok {
			digits, after, _ := strings.Cut(rest, ".")
			var err error
			if n, err = strconv.ParseUint(digits, 10, 63); err != nil {
				continue
			}
			base = after
		}
		if validBase(base) && (latest[base] == "" || n > number[base]) {
			latest[base], number[base] = file, n
		}
	}
	return latest
}
