package maildir

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mailparts/mailparts"
)

// infoSep begins the info part of a file's name. What is before it, the base,
// names the message for good; the info changes with its flags.
const infoSep = ':'

// The fields of a base that carry the message's size: on disk, and on the wire,
// where every line ends in CRLF.
const (
	diskSize = ",S="
	wireSize = ",W="
)

// baseOf cuts the info off a file's name.
func baseOf(name string) string {
	if i := strings.IndexByte(name, infoSep); i >= 0 {
		return name[:i]
	}
	return name
}

// sizeIn returns what the base says after field, or -1.
func sizeIn(base, field string) int64 {
	_, rest, ok := strings.Cut(base, field)
	if !ok {
		return -1
	}
	digits, _, _ := strings.Cut(rest, ",")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || digits[0] < '0' || digits[0] > '9' {
		return -1
	}
	return n
}

// validName reports whether a file in new/ or cur/ is a message that can stand
// in a uidlist.
func validName(name string) bool {
	return name != "" && name[0] != '.' && name[0] != infoSep && len(name) <= maxName && !strings.ContainsAny(name, "\n\r\x00")
}

// maxName is how long a file's name may be, in octets.
const maxName = 255

// arrived is a file's name, to be ordered as files came: by the seconds that it
// begins with, the microseconds after its "M", and then all of it.
type arrived struct {
	sec, usec uint64
	name      string
}

func arrivedAs(name string) arrived {
	sec, usec := stamp(name)
	return arrived{sec, usec, name}
}

func (a arrived) compare(b arrived) int {
	if a.sec != b.sec {
		return cmp.Compare(a.sec, b.sec)
	}
	if a.usec != b.usec {
		return cmp.Compare(a.usec, b.usec)
	}
	return strings.Compare(a.name, b.name)
}

// arrival orders files as they came.
func arrival(a, b string) int { return arrivedAs(a).compare(arrivedAs(b)) }

// sortByArrival is for many of them.
func sortByArrival(items []item) {
	type stamped struct {
		arrived
		item item
	}
	all := make([]stamped, len(items))
	for i, it := range items {
		all[i] = stamped{arrivedAs(it.name), it}
	}
	slices.SortFunc(all, func(a, b stamped) int { return a.compare(b.arrived) })
	for i := range all {
		items[i] = all[i].item
	}
}

// stamp returns the time in a name, or zeros.
func stamp(name string) (sec, usec uint64) {
	sec, rest := digits(name)
	if rest, ok := strings.CutPrefix(rest, ".M"); ok {
		usec, _ = digits(rest)
	}
	return sec, usec
}

// digits returns the number that s begins with, or 0.
func digits(s string) (n uint64, rest string) {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	n, _ = strconv.ParseUint(s[:i], 10, 64)
	return n, s[i:]
}

// namer makes names that no other Backend on any host makes. In a container the
// process ID is always the same, and a clock may be set back: hence the random
// number.
type namer struct {
	host   string
	random uint32
	seq    atomic.Uint64
}

// unique is a base without the sizes, which are known only when the file is
// written. Its letters are those of the maildir specification.
func (n *namer) unique(now time.Time) string {
	return fmt.Sprintf("%d.M%dP%dR%08xQ%d.%s", now.Unix(), now.Nanosecond()/1000, os.Getpid(), n.random, n.seq.Add(1), n.host)
}

// maxHost leaves room in a file's name for all else.
const maxHost = 64

// safeHost writes what may not stand in a base as "\ooo", as the maildir
// specification has it for "/" and ":".
func safeHost(host string) string {
	var b strings.Builder
	for i := range len(host) {
		c := host[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\%03o`, c)
		}
	}
	safe := cmp.Or(b.String(), "localhost")
	return safe[:min(len(safe), maxHost)]
}

// flagSet is the flags of a message: the system flags, and from firstKeyword on its
// keywords, whose names are the mailbox's.
type flagSet uint32

// flagLetters are the letters of the info, in the order of flagSet's bits, which
// is ASCII's.
const flagLetters = "DFRST"

// firstKeyword is the bit of the letter "a", the first of Dovecot's for keywords.
const firstKeyword = len(flagLetters)

const systemFlags flagSet = 1<<firstKeyword - 1

var flagNames = [len(flagLetters)]mailparts.Flag{
	mailparts.FlagDraft, mailparts.FlagFlagged, mailparts.FlagAnswered, mailparts.FlagSeen, mailparts.FlagDeleted,
}

// flagLists has the flags of every flagSet without keywords, so that all messages
// share them.
var flagLists = func() (lists [1 << len(flagLetters)][]mailparts.Flag) {
	for set := range lists {
		for i, f := range flagNames {
			if set&(1<<i) != 0 {
				lists[set] = append(lists[set], f)
			}
		}
	}
	return lists
}()

// setOf is the system flags among flags.
func setOf(flags []mailparts.Flag) (set flagSet) {
	for _, f := range flags {
		set |= systemFlag(f)
	}
	return set
}

// systemFlag is a flag's bit, or zero.
func systemFlag(f mailparts.Flag) flagSet {
	for i, name := range flagNames {
		if strings.EqualFold(string(f), string(name)) {
			return 1 << i
		}
	}
	return 0
}

// infoPrefix is the one kind of info that has flags.
const infoPrefix = ":2,"

// letterBit is the bit of a letter of the info, or zero.
func letterBit(c byte) flagSet {
	if 'a' <= c && c <= 'z' {
		return 1 << (firstKeyword + int(c-'a'))
	}
	if bit := strings.IndexByte(flagLetters, c); bit >= 0 {
		return 1 << bit
	}
	return 0
}

// infoIn returns the letters of a name's info, and what is after them: as with Dovecot
// a comma ends them, and others may have a use for the rest.
func infoIn(name string) (letters, rest string) {
	letters, ok := strings.CutPrefix(name[len(baseOf(name)):], infoPrefix)
	if !ok {
		return "", ""
	}
	if i := strings.IndexByte(letters, ','); i >= 0 {
		return letters[:i], letters[i:]
	}
	return letters, ""
}

// flagsIn returns the flags in a file's name.
func flagsIn(name string) (set flagSet) {
	letters, _ := infoIn(name)
	for i := range len(letters) {
		set |= letterBit(letters[i])
	}
	return set
}

// withFlags is name with other flags. Letters that are none, such as "P", stay, and
// what is after a comma.
func withFlags(name string, set flagSet) string {
	letters := make([]byte, 0, 16)
	old, rest := infoIn(name)
	for i := range len(old) {
		if letterBit(old[i]) == 0 {
			letters = append(letters, old[i])
		}
	}
	for i := range len(flagLetters) {
		if set&(1<<i) != 0 {
			letters = append(letters, flagLetters[i])
		}
	}
	for i := range maxKeywords {
		if set&(1<<(firstKeyword+i)) != 0 {
			letters = append(letters, byte('a'+i))
		}
	}
	slices.Sort(letters)
	return baseOf(name) + infoPrefix + string(slices.Compact(letters)) + rest
}
