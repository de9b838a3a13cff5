package imap_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/maildir"
	"github.com/mailparts/mailparts/mailtest"
)

// notYet are the scripts that are known to fail, and why.
var notYet = map[string]string{}

// TestVectors plays the third-party scripts in ../shared/vectors/imap, whose FORMAT.md
// says what they mean.
func TestVectors(t *testing.T) {
	dir := "../../shared/vectors/imap"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Skip("no third-party scripts here: ", err)
	}
	backends := map[string]func(t *testing.T) mailparts.Backend{
		"memory":  func(*testing.T) mailparts.Backend { return new(mailtest.Memory) },
		"maildir": func(t *testing.T) mailparts.Backend { return &maildir.Backend{Root: t.TempDir()} },
	}
	for kind, backend := range backends {
		for _, f := range files {
			if name := f.Name(); filepath.Ext(name) == "" {
				t.Run(kind+"/"+name, func(t *testing.T) {
					t.Parallel()
					if why := notYet[name]; why != "" {
						t.Skip(why)
					}
					playScript(t, readScript(t, dir, name), backend(t))
				})
			}
		}
	}
}

// script is a file of the format.
type script struct {
	header   map[string]string
	messages []string // of its mbox
	steps    []*step
}

// step is a command, or several that are pipelined, and what must and must not come.
type step struct {
	line     int
	conn     int
	commands []scriptCommand
	want     []string
	ban      []string
}

// scriptCommand is a command with the status that it must get, "" for any, and what its
// reply must begin with.
type scriptCommand struct{ tag, text, status, prefix string }

// value is a key of the header.
func (s *script) value(key, otherwise string) string {
	if v, ok := s.header[key]; ok {
		return v
	}
	return otherwise
}

func readScript(t *testing.T, dir, name string) *script {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	s := &script{header: map[string]string{}}
	lines := strings.Split(string(text), "\n")
	for len(lines) > 0 && lines[0] != "" {
		key, value, ok := strings.Cut(lines[0], ":")
		if !ok {
			t.Fatalf("no header line: %q", lines[0])
		}
		s.header[key] = strings.TrimSpace(value)
		lines = lines[1:]
	}
	from := strings.Count(string(text), "\n") + 1 - len(lines)
	s.steps = readSteps(t, from, lines, s.value("connections", "1") != "1")

	mbox, err := os.ReadFile(filepath.Join(dir, name+".mbox"))
	if err != nil {
		if mbox, err = os.ReadFile(filepath.Join(dir, "default.mbox")); err != nil {
			t.Fatal(err)
		}
	}
	for m := range strings.SplitSeq("\n"+strings.TrimSuffix(string(mbox), "\n"), "\nFrom ") {
		if _, m, ok := strings.Cut(m, "\n"); ok {
			s.messages = append(s.messages, strings.ReplaceAll(m+"\n", "\n", "\r\n"))
		}
	}
	return s
}

// readSteps reads the commands in their three forms.
func readSteps(t *testing.T, from int, lines []string, numbered bool) (steps []*step) {
	t.Helper()
	var open *step // whose replies are still to come
	var skip []bool
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		at := from + i + 1
		if start, ok := strings.CutSuffix(line, "{{{"); ok {
			var text []string
			for i++; !strings.HasPrefix(lines[i], "}}}"); i++ {
				text = append(text, lines[i])
			}
			eol := "\r\n"
			if strings.HasSuffix(start, "~") {
				eol = "\n" // and the CRs are there
			}
			literal := strings.Join(text, eol)
			line = fmt.Sprintf("%s{%d}\r\n%s%s", start, len(literal), literal, lines[i][3:])
		}
		if word, _, _ := strings.Cut(line, " "); strings.HasPrefix(word, "!") && len(word) > 1 {
			skip = preprocess(t, skip, strings.Fields(line))
			continue
		}
		switch {
		case slices.Contains(skip, true), line == "", line[0] == '#':
			continue
		case strings.HasPrefix(line, "* "):
			last := steps[len(steps)-1]
			last.want = append(last.want, line[2:])
			continue
		case strings.HasPrefix(line, "! "):
			last := steps[len(steps)-1]
			last.ban = append(last.ban, line[2:])
			continue
		}
		conn := 1
		if numbered {
			n, rest, _ := strings.Cut(line, " ")
			var err error
			if conn, err = strconv.Atoi(n); err != nil {
				t.Fatalf("line %d has no connection: %q", at, line)
			}
			line = rest
		}
		word, rest, _ := strings.Cut(line, " ")
		second, _, _ := strings.Cut(rest, " ")
		switch {
		case open != nil && len(open.commands) == 1 && open.commands[0].tag == "" && isStatus(word):
			open.commands[0].status, open.commands[0].prefix = status(word), rest
			open = nil
		case isStatus(word):
			steps = append(steps, &step{line: at, conn: conn, commands: []scriptCommand{{text: rest, status: status(word)}}})
		case isScriptVerb(word):
			open = &step{line: at, conn: conn, commands: []scriptCommand{{text: line}}}
			steps = append(steps, open)
		case isStatus(second): // of a tag
			_, prefix, _ := strings.Cut(rest, " ")
			n := slices.IndexFunc(open.commands, func(c scriptCommand) bool { return c.tag == word })
			open.commands[n].status, open.commands[n].prefix = status(second), prefix
			if n == len(open.commands)-1 {
				open = nil
			}
		default:
			if open == nil {
				open = &step{line: at, conn: conn}
				steps = append(steps, open)
			}
			open.commands = append(open.commands, scriptCommand{tag: word, text: rest})
		}
	}
	return steps
}

// preprocess goes into and out of what depends on the environment.
func preprocess(t *testing.T, skip []bool, words []string) []bool {
	switch words[0] {
	case "!ifenv":
		return append(skip, os.Getenv(words[1]) == "")
	case "!ifnenv":
		return append(skip, os.Getenv(words[1]) != "")
	case "!else":
		skip[len(skip)-1] = !skip[len(skip)-1]
		return skip
	case "!endif":
		return skip[:len(skip)-1]
	}
	t.Fatalf("unknown directive %q", words)
	return nil
}

func isStatus(word string) bool {
	return slices.Contains([]string{"ok", "no", "bad", `""`}, strings.ToLower(word))
}

func status(word string) string { return strings.ToUpper(strings.Trim(word, `"`)) }

// isScriptVerb tells a command from a tag.
func isScriptVerb(word string) bool {
	return slices.Contains(strings.Fields("append authenticate capability check close copy create delete enable examine expunge "+
		"fetch id idle list login logout lsub move namespace noop rename search select sort starttls status store subscribe "+
		"thread uid unselect unsubscribe"), strings.ToLower(word))
}

// player plays a script.
type player struct {
	t       *testing.T
	script  *script
	clients []*client
	vars    map[string]string
	next    int // of the messages, to be appended
	tags    int
}

func playScript(t *testing.T, s *script, backend mailparts.Backend) {
	r := start(t, func(srv *imap.Server) { srv.Backend = backend })
	p := &player{t: t, script: s, vars: map[string]string{
		"user": "alice", "username": "alice", "domain": "example.com", "password": "open sesame",
		"mailbox": "imaptest", "mailbox_url": "imap://alice@imap.example.com/imaptest",
	}}
	n, _ := strconv.Atoi(s.value("connections", "1"))
	for range n {
		p.clients = append(p.clients, r.dial())
	}
	p.prepare(s.value("state", "selected"))
	for _, st := range s.steps {
		if !p.step(st) {
			return
		}
	}
}

// prepare brings mailbox and connections to the state that the script begins in.
func (p *player) prepare(state string) {
	states := []string{"nonauth", "auth", "created", "appended", "selected"}
	level := slices.Index(states, state)
	if level < 1 {
		return
	}
	for _, c := range p.clients {
		c.do(`LOGIN alice "open sesame"`)
	}
	have := strings.Fields(p.clients[0].do("CAPABILITY")[0])
	for _, c := range strings.Fields(p.script.header["capabilities"]) {
		if !slices.Contains(have, c) {
			p.t.Skip("the server has no " + c)
		}
	}
	if level >= 2 {
		p.clients[0].do("CREATE imaptest")
	}
	if level >= 3 {
		n := len(p.script.messages)
		if v := p.script.value("messages", "all"); v != "all" {
			n, _ = strconv.Atoi(v)
		}
		for range n {
			p.clients[0].do("APPEND imaptest " + p.message())
		}
	}
	if level >= 4 {
		for _, c := range p.clients {
			c.do("SELECT imaptest")
		}
	}
}

// message is the next message as a literal.
func (p *player) message() string {
	m := p.script.messages[p.next%len(p.script.messages)]
	p.next++
	return fmt.Sprintf("{%d+}\r\n%s", len(m), m)
}

// step sends the commands, and looks at what comes. It reports false if that was wrong.
func (p *player) step(st *step) bool {
	c := p.clients[st.conn-1]
	replies := map[string]string{}
	tags := make([]string, len(st.commands))
	for i, cmd := range st.commands {
		p.tags++
		tags[i] = "v" + strconv.Itoa(p.tags)
		p.vars["tag"] = tags[i]
		text := expand(p.vars, cmd.text)
		if verb, args, _ := strings.Cut(text, " "); strings.EqualFold(verb, "append") {
			if args == "" {
				args = p.vars["mailbox"]
			}
			text = "APPEND " + args + " " + p.message()
		}
		io.WriteString(c, tags[i]+" "+text+"\r\n")
	}
	var got []reply
	var expunged []int
	for len(replies) < len(st.commands) {
		l := c.response()
		tag, rest, _ := strings.Cut(l, " ")
		if slices.Contains(tags, tag) {
			replies[tag] = rest
			continue
		}
		args := parseArgs(p.t, rest)
		got = append(got, reply{line: l, args: args, expunged: slices.Clone(expunged)})
		if len(args) == 2 && strings.EqualFold(args[1].text, "EXPUNGE") {
			n, _ := strconv.Atoi(args[0].text)
			expunged = append(expunged, n)
		}
	}
	problem := p.check(st, tags, replies, got)
	if problem != "" {
		var b bytes.Buffer
		for _, g := range got {
			fmt.Fprintf(&b, "\t%q\n", g.line)
		}
		p.t.Errorf("line %d, %q: %s\n%s\t%v", st.line, st.commands[0].text, problem, &b, replies)
	}
	return problem == ""
}

// check says what is wrong.
func (p *player) check(st *step, tags []string, replies map[string]string, got []reply) string {
	used := make([]bool, len(got))
	for _, want := range st.want {
		pattern := parseArgs(p.t, want)
		if p.claim(pattern, got, used) < 0 {
			return "missing * " + want
		}
	}
	for _, ban := range st.ban {
		if p.claim(parseArgs(p.t, ban), got, make([]bool, len(got))) >= 0 {
			return "there is * " + ban
		}
	}
	if p.script.header["ignore_extra_untagged"] == "no" && slices.Contains(used, false) {
		return "there is more than what is wanted"
	}
	for i, cmd := range st.commands {
		status, text, _ := strings.Cut(replies[tags[i]], " ")
		if cmd.status != "" && status != cmd.status {
			return "not " + cmd.status
		}
		m := matcher{vars: maps.Clone(p.vars)}
		if cmd.prefix != "" && !m.prefix(parseArgs(p.t, cmd.prefix), parseArgs(p.t, text)) {
			return "the reply does not begin with " + cmd.prefix
		}
		p.vars = m.vars
	}
	return ""
}

// claim finds what fits a pattern, if it can be what no other pattern has found, and
// remembers the variables that were set by it.
func (p *player) claim(pattern []arg, got []reply, used []bool) (at int) {
	at = -1
	vars := p.vars
	for i, g := range got {
		if at >= 0 && used[i] {
			continue
		}
		m := matcher{vars: maps.Clone(p.vars), expunged: g.expunged}
		if m.untagged(pattern, g.args) {
			at, vars = i, m.vars
			if !used[i] {
				break
			}
		}
	}
	if p.vars = vars; at >= 0 {
		used[at] = true
	}
	return at
}
