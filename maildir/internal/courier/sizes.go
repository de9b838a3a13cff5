package courier

import (
	"fmt"
	"strconv"
	"strings"
)

// UniqueID is what UIDL said of a message.
type UniqueID struct {
	Base string
	ID   string // of octets from 0x21 to 0x7E, but of any length
}

// ParseSizes reads a courierpop3dsizelist, and returns its unique-ids in the order
// of the file, and how many lines are none. Or it says ErrNoHeader:
//
//	/3 9 1048603102
//	1048603081.M1P1.host:2,S 21 1:1048603102:0
//	1048603090.M1P1.host:2, 21 0:0:0
//
// The format's version, the next UID and its UIDVALIDITY; then a file with its
// flags, the size and the two numbers of the unique-id, and from version 3 on
// whether it has non-ASCII header fields. Older versions have no numbers, and
// Courier itself gives all messages new unique-ids then.
func ParseSizes(text string) (ids []UniqueID, bad int, err error) {
	first, rest, ok := strings.Cut(text, "\n")
	if !ok || !strings.HasPrefix(first, "/2 ") && !strings.HasPrefix(first, "/3 ") {
		return nil, 0, ErrNoHeader
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if line == "" {
			continue
		}
		id, ok := parseSize(line)
		if !ok {
			bad++
			continue
		}
		ids = append(ids, id)
	}
	return ids, bad, nil
}

func parseSize(line string) (UniqueID, bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return UniqueID{}, false
	}
	numbers := strings.Split(line[i+1:], ":")
	i = strings.LastIndexByte(line[:i], ' ')
	if i < 0 || len(numbers) < 2 || len(numbers) > 3 {
		return UniqueID{}, false
	}
	base, _, _ := strings.Cut(line[:i], ":")
	uid, err := strconv.ParseUint(numbers[0], 10, 64)
	if err != nil || !validBase(base) {
		return UniqueID{}, false
	}
	validity, err := strconv.ParseUint(numbers[1], 10, 64)
	switch {
	case err != nil:
		return UniqueID{}, false
	case uid == 0: // from the oldest version, which had the names alone
		return UniqueID{base, escape(base)}, true
	case validity == 0:
		return UniqueID{base, fmt.Sprintf("UID%d", uid)}, true
	}
	return UniqueID{base, fmt.Sprintf("UID%d-%d", uid, validity)}, true
}

// escape is the unique-id that is a base.
func escape(base string) string {
	var b strings.Builder
	for i := range len(base) {
		if c := base[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"'+`, c) >= 0 {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
