package imap_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arg is an argument of a response, or of a pattern for one.
type arg struct {
	isList bool
	list   []arg
	text   string
	raw    bool // a literal: there are no variables in it
}

// reply is an untagged response, and the numbers of the messages that were expunged
// before it, since the command was sent.
type reply struct {
	line     string
	args     []arg
	expunged []int
}

// parseArgs splits a line.
func parseArgs(t testing.TB, line string) []arg {
	t.Helper()
	args, rest := splitArgs(line)
	if rest != "" {
		return append(args, arg{text: rest}) // free text
	}
	return args
}

// splitArgs reads up to the parenthesis that closes the list that it is in.
func splitArgs(s string) (args []arg, rest string) {
	for s != "" {
		var a arg
		switch {
		case s[0] == ' ':
			s = s[1:]
			continue
		case s[0] == ')':
			return args, s
		case s[0] == '(':
			a.isList = true
			a.list, s = splitArgs(s[1:])
			s = strings.TrimPrefix(s, ")")
		case s[0] == '"':
			a.text, s = cutQuoted(s[1:])
		case s[0] == '{' || strings.HasPrefix(s, "~{"):
			size, after, _ := strings.Cut(strings.TrimLeft(s, "~{"), "}\r\n")
			n, err := strconv.Atoi(size)
			if err != nil || n > len(after) {
				return append(args, arg{text: s}), ""
			}
			a.text, a.raw, s = after[:n], true, after[n:]
		default:
			end := strings.IndexAny(s, " ()")
			if strings.HasPrefix(s, "$!") || end < 0 {
				if end = strings.IndexAny(s, " )"); end < 0 {
					end = len(s)
				}
			}
			a.text, s = s[:end], s[end:]
		}
		args = append(args, a)
	}
	return args, ""
}

func cutQuoted(s string) (text, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:]
		case '\\':
			i++
		}
		if i < len(s) {
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// variable takes the name of a variable from what follows "$".
func variable(s string) (name, rest string) {
	if strings.HasPrefix(s, "{") {
		name, rest, _ = strings.Cut(s[1:], "}")
		return name, rest
	}
	end := 0
	for end < len(s) && (s[end] == '_' || '0' <= s[end] && s[end] <= '9' || 'a' <= s[end]|0x20 && s[end]|0x20 <= 'z') {
		end++
	}
	return s[:end], s[end:]
}

// expand replaces the variables of a command.
func expand(vars map[string]string, s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if strings.HasPrefix(after, "$") {
			b.WriteByte('$')
			s = after[1:]
			continue
		}
		var name string
		name, s = variable(after)
		if _, err := strconv.Atoi(name); err == nil {
			b.WriteString(name)
		}
		b.WriteString(vars[name])
	}
}

// matcher compares a response with a pattern, and sets variables.
type matcher struct {
	vars     map[string]string
	expunged []int
}

// rules say how a list is compared.
type rules struct {
	chunk      int // elements that belong together, in any order; 0: ordered
	extra      bool
	ignore     []string
	ban        []string
	flagsBelow bool // the list that follows FLAGS has rules of its own
}

var flagRules = rules{chunk: 1, ignore: []string{`\recent`}}

// untagged compares a whole response.
func (m *matcher) untagged(pattern, got []arg) bool {
	if len(pattern) == 0 || len(got) == 0 {
		return len(pattern) == len(got)
	}
	verb := strings.ToLower(pattern[0].text)
	if len(pattern) > 1 && strings.EqualFold(pattern[1].text, "fetch") {
		verb = "fetch"
	}
	below := rules{}
	switch verb {
	case "ok", "no", "bad", "bye", "preauth":
		return m.prefix(pattern, got)
	case "fetch":
		below = rules{chunk: 2, extra: true, flagsBelow: true}
	case "list", "lsub":
		below = rules{chunk: 1, extra: true}
	case "status":
		below = rules{chunk: 2, extra: true}
	}
	if len(pattern) != len(got) {
		return false
	}
	for i := range pattern {
		if !m.arg(pattern[i], got[i], below) {
			return false
		}
	}
	return true
}

// prefix compares what a response begins with.
func (m *matcher) prefix(pattern, got []arg) bool {
	if len(pattern) > len(got) {
		return false
	}
	for i := range pattern {
		if !m.arg(pattern[i], got[i], rules{}) {
			return false
		}
	}
	return true
}

// arg compares an argument; r is for a list.
func (m *matcher) arg(pattern, got arg, r rules) bool {
	switch {
	case !pattern.isList && !pattern.raw && pattern.text == "$":
		return true
	case pattern.isList != got.isList:
		return false
	case pattern.isList:
		return m.listed(pattern.list, got.list, r)
	case pattern.raw:
		return pattern.text == got.text
	}
	return m.match(pattern.text, got.text)
}

// listed compares a list.
func (m *matcher) listed(pattern, got []arg, r rules) bool {
	for i, directed := 0, false; len(pattern) > 0 && strings.HasPrefix(pattern[0].text, "$!"); i++ {
		if !directed {
			r, directed = rules{}, true
		}
		name, value, _ := strings.Cut(pattern[0].text[2:], "=")
		switch name {
		case "ordered":
			r.chunk = 0
		case "unordered":
			r.chunk, r.extra = 1, true
			if n, err := strconv.Atoi(value); err == nil {
				r.chunk = n
			}
		case "noextra":
			r.extra = false
		case "extra":
			r.extra = true
		case "ignore":
			r.ignore = append(r.ignore, value)
		case "ban":
			r.ban = append(r.ban, value)
		}
		pattern = pattern[1:]
	}
	if r.chunk == 0 {
		return m.ordered(pattern, got, r)
	}
	return m.unordered(pattern, got, r)
}

func (m *matcher) ordered(pattern, got []arg, r rules) bool {
	if len(pattern) > len(got) || len(pattern) < len(got) && !r.extra {
		return false
	}
	for i := range pattern {
		if !m.arg(pattern[i], got[i], rules{}) {
			return false
		}
	}
	return true
}

func (m *matcher) unordered(pattern, got []arg, r rules) bool {
	chunks := slices.Collect(slices.Chunk(got, r.chunk))
	for want := range slices.Chunk(pattern, r.chunk) {
		i := slices.IndexFunc(chunks, func(have []arg) bool { return m.chunk(want, have, r) })
		if i < 0 {
			return false
		}
		chunks = slices.Delete(chunks, i, i+1)
	}
	is := func(c []arg) func(string) bool {
		return func(s string) bool { return strings.EqualFold(s, c[0].text) }
	}
	for _, c := range chunks {
		if slices.ContainsFunc(r.ban, is(c)) || !r.extra && !slices.ContainsFunc(r.ignore, is(c)) {
			return false
		}
	}
	return true
}

// chunk compares elements that belong together.
func (m *matcher) chunk(pattern, got []arg, r rules) bool {
	if len(pattern) != len(got) {
		return false
	}
	before := maps.Clone(m.vars)
	for i := range pattern {
		below := rules{}
		if r.flagsBelow && i == 1 && strings.EqualFold(pattern[0].text, "FLAGS") {
			below = flagRules
		}
		if !m.arg(pattern[i], got[i], below) {
			m.vars = before
			return false
		}
	}
	return true
}

// match compares text. A variable without a value takes as little as it can.
func (m *matcher) match(pattern, got string) bool {
	before, after, ok := strings.Cut(pattern, "$")
	if len(got) < len(before) || !strings.EqualFold(before, got[:len(before)]) {
		return false
	}
	got = got[len(before):]
	if !ok {
		return got == ""
	}
	if strings.HasPrefix(after, "$") {
		return strings.HasPrefix(got, "$") && m.match(after[1:], got[1:])
	}
	name, after := variable(after)
	if exact, ok := strings.CutPrefix(name, "case:"); ok {
		return strings.HasPrefix(got, exact) && m.match(after, got[len(exact):])
	}
	if n, err := strconv.Atoi(name); err == nil {
		now := strconv.Itoa(m.number(n))
		return strings.HasPrefix(got, now) && m.match(after, got[len(now):])
	}
	if value, ok := m.vars[name]; ok {
		return len(got) >= len(value) && strings.EqualFold(got[:len(value)], value) && m.match(after, got[len(value):])
	}
	for end := range len(got) + 1 {
		if end < len(got) && after == "" || !m.possible(name, got[:end]) {
			continue
		}
		m.vars[name] = got[:end]
		if m.match(after, got[end:]) {
			return true
		}
		delete(m.vars, name)
	}
	return false
}

// number is what a message is called now that was n when the command was sent; 0 if it
// was expunged.
func (m *matcher) number(n int) int {
	for _, e := range m.expunged {
		switch {
		case e == n:
			return 0
		case e < n:
			n--
		}
	}
	return n
}

// possible reports whether a variable may have a value: those for mod-sequences ascend
// by as much as the numbers in their names.
func (m *matcher) possible(name, value string) bool {
	digits, ok := strings.CutPrefix(name, "modseq")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil {
		return true
	}
	v, err := strconv.ParseInt(value, 10, 64)
	if err != nil || v < int64(n) {
		return false
	}
	for other, was := range m.vars {
		k, err := strconv.Atoi(strings.TrimPrefix(other, "modseq"))
		if w, werr := strconv.ParseInt(was, 10, 64); err == nil && werr == nil && strings.HasPrefix(other, "modseq") {
			if k < n && v < w+int64(n-k) || k > n && w < v+int64(k-n) {
				return false
			}
		}
	}
	return true
}
