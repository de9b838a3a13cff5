package maildir

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// sizeName is the file in a tree that has its quota. Its first line has the limits,
// those of the tree's owner or of an administrator; each line after it says how much
// came or went since the line before:
//
//	10000000S,1000C
//	482110 170
//	2203 1
//	-511 -1
//
// That is octets on disk and messages. The sum of all lines is what the tree holds.
// Courier, maildrop and Dovecot write such lines too, at any time.
const sizeName = "maildirsize"

const (
	// maxSizeFile is how long the file may become, in octets, before the tree is
	// counted anew, so that a sum which is wrong does not stay so.
	maxSizeFile = 5120
	// staleCount is the age at which a sum is no reason to refuse mail any more.
	staleCount = 15 * time.Minute
)

// Limits is what a user's tree may hold. Zero is no limit.
type Limits struct {
	Storage  int64 // octets on disk, where a message mostly has LF for CRLF
	Messages int64 // how many
}

// usage is what a tree holds, or a change of that.
type usage struct{ octets, messages int64 }

func (u usage) plus(v usage) usage { return usage{u.octets + v.octets, u.messages + v.messages} }
func (u usage) minus() usage       { return usage{-u.octets, -u.messages} }

// refuses reports whether add goes beyond a limit. Less is welcome at any time.
func (l Limits) refuses(used, add usage) bool {
	return l.Storage > 0 && add.octets > 0 && used.octets+add.octets > l.Storage ||
		l.Messages > 0 && add.messages > 0 && used.messages+add.messages > l.Messages
}

// sizeFile is what a maildirsize says.
type sizeFile struct {
	Limits
	others []string // parts of the first line that mean nothing here, and stay
	used   usage
	lines  int  // after the first
	torn   bool // the last line has no end

	bad   error // what is wrong with the lines after the first
	size  int64 // of the file
	mtime time.Time
}

var (
	errNoLimits = errors.New("the first line has no limits")
	errNoCount  = errors.New("a line is no count of octets and messages")
	errBelow    = errors.New("the sum is below zero")
)

// parseSizeFile is errNoLimits if the first line, whose end may be missing, is none.
// What is wrong with the others is in bad: they can be made anew.
func parseSizeFile(text string) (f sizeFile, err error) {
	first, rest, _ := strings.Cut(text, "\n")
	if f.Limits, f.others, err = parseLimits(first); err != nil {
		return f, err
	}
	for rest != "" {
		line, after, whole := strings.Cut(rest, "\n")
		if !whole { // of a crash, or of a full disk
			f.torn = true
			break
		}
		add, ok := parseUsage(line)
		if sum := f.used.plus(add); ok && sum.isSane() {
			f.used = sum
		} else {
			f.bad = errNoCount
		}
		f.lines++
		rest = after
	}
	if f.bad == nil && (f.used.octets < 0 || f.used.messages < 0) {
		f.bad = errBelow
	}
	return f, nil
}

// isSane keeps sums far from where they overflow.
func (u usage) isSane() bool {
	return -maxUsage < min(u.octets, u.messages) && max(u.octets, u.messages) < maxUsage
}

const maxUsage = math.MaxInt64 / 4

func parseLimits(line string) (l Limits, others []string, err error) {
	for part := range strings.SplitSeq(strings.TrimSpace(line), ",") {
		if part == "" {
			return Limits{}, nil, errNoLimits
		}
		n, unit := part[:len(part)-1], part[len(part)-1]
		v, perr := strconv.ParseUint(n, 10, 64)
		if perr != nil && !errors.Is(perr, strconv.ErrRange) || unit < 'A' || 'Z' < unit {
			return Limits{}, nil, errNoLimits
		}
		limit := int64(min(v, maxUsage))
		switch unit {
		case 'S':
			l.Storage = limit
		case 'C':
			l.Messages = limit
		default:
			others = append(others, part)
		}
	}
	return l, others, nil
}

func parseUsage(line string) (u usage, ok bool) {
	fields := strings.Fields(line)
	if len(fields) != 2 {
		return u, false
	}
	octets, err1 := strconv.ParseInt(fields[0], 10, 64)
	messages, err2 := strconv.ParseInt(fields[1], 10, 64)
	u = usage{octets, messages}
	return u, err1 == nil && err2 == nil && u.isSane()
}

func (u usage) append(b []byte) []byte {
	b = append(strconv.AppendInt(b, u.octets, 10), ' ')
	return append(strconv.AppendInt(b, u.messages, 10), '\n')
}

// appendLimits writes the first line. Without limits it is "0S", as Dovecot has it.
func (f *sizeFile) appendLimits(b []byte) []byte {
	var parts []string
	if f.Storage > 0 || f.Messages <= 0 {
		parts = append(parts, strconv.FormatInt(f.Storage, 10)+"S")
	}
	if f.Messages > 0 {
		parts = append(parts, strconv.FormatInt(f.Messages, 10)+"C")
	}
	parts = append(parts, f.others...)
	return append(append(b, strings.Join(parts, ",")...), '\n')
}

// stands reports whether the sum can be believed when add is to come: not if there
// is none, or much was added up, or mail would be refused for a sum that is old or
// has more than one line.
func (f *sizeFile) stands(add usage, now time.Time) bool {
	if f.bad != nil || f.lines == 0 || f.size >= maxSizeFile {
		return false
	}
	return !f.refuses(f.used, add) || f.lines == 1 && !f.torn && now.Sub(f.mtime) < staleCount
}
