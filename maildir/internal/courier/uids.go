package courier

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailparts/mailparts"
)

// UIDs is a courierimapuiddb:
//
//	1 1048603102 4
//	1 1048603081.M1P1.host,S=18
//	3 1048603090.M1P1.host
//
// The format's version, UIDVALIDITY and UIDNEXT, and then each UID and its base.
type UIDs struct {
	Validity uint32 // not zero
	Next     uint64 // above all in use, at least 1; it may be no UID any more
	Messages []Message
	Bad      int // lines that are none
}

// Message is a line: UIDs and bases come once each, the UIDs in ascending order.
type Message struct {
	UID  mailparts.UID
	Base string
}

// ParseUIDs reads the file, or says ErrNoHeader.
func ParseUIDs(text string) (UIDs, error) {
	first, rest, ok := strings.Cut(text, "\n")
	fields := strings.Split(first, " ")
	if !ok || len(fields) != 3 || fields[0] != "1" {
		return UIDs{}, ErrNoHeader
	}
	validity, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil || validity == 0 {
		return UIDs{}, ErrNoHeader
	}
	next, err := strconv.ParseUint(fields[2], 10, 32)
	if err != nil {
		return UIDs{}, ErrNoHeader
	}
	u := UIDs{Validity: uint32(validity), Next: max(next, 1)}
	for line := range strings.SplitSeq(rest, "\n") {
		if line == "" {
			continue
		}
		digits, base, _ := strings.Cut(line, " ")
		uid, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || uid == 0 || !validBase(base) {
			u.Bad++
			continue
		}
		u.Messages = append(u.Messages, Message{mailparts.UID(uid), base})
	}
	u.sort()
	return u, nil
}

// Append adds the file's text to b. What of Messages is twice is there twice.
func (u UIDs) Append(b []byte) []byte {
	b = strconv.AppendUint(append(b, "1 "...), uint64(u.Validity), 10)
	b = strconv.AppendUint(append(b, ' '), u.Next, 10)
	b = append(b, '\n')
	for _, m := range u.Messages {
		b = strconv.AppendUint(b, uint64(m.UID), 10)
		b = append(append(append(b, ' '), m.Base...), '\n')
	}
	return b
}

// sort drops what is there twice: the UID that a base got first stays.
func (u *UIDs) sort() {
	slices.SortStableFunc(u.Messages, func(a, b Message) int { return cmp.Compare(a.UID, b.UID) })
	seen := make(map[string]bool, len(u.Messages))
	n := len(u.Messages)
	last := mailparts.UID(0)
	u.Messages = slices.DeleteFunc(u.Messages, func(m Message) bool {
		if m.UID == last || seen[m.Base] {
			return true
		}
		last, seen[m.Base] = m.UID, true
		return false
	})
	u.Bad += n - len(u.Messages)
	u.Next = max(u.Next, uint64(last)+1)
}

// validBase reports whether a file can have the name, before its flags.
func validBase(base string) bool {
	return base != "" && base[0] != '.' && len(base) <= 255 && !strings.ContainsAny(base, "/:\r\x00")
}
