package imap_test

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// judge stands in for the test in goroutines of a stress run: it keeps the first law that
// was broken, for the test to report or, if the bug was planted, to be glad of.
type judge struct {
	testing.TB
	mu     sync.Mutex
	broken string
}

func (j *judge) Fatalf(format string, args ...any) {
	j.mu.Lock()
	j.broken = cmp.Or(j.broken, fmt.Sprintf(format, args...))
	j.mu.Unlock()
	runtime.Goexit()
}

func (j *judge) Fatal(args ...any) { j.Fatalf("%s", fmt.Sprint(args...)) }

func (j *judge) verdict() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.broken
}

// slot is what a client knows of the message with a sequence number.
type slot struct {
	uid    uint32 // 0: not told
	asked  bool   // told or not, the client has asked
	flags  string
	modSeq uint64
}

// witness is a client that keeps the view of its mailbox that the protocol tells it, and
// breaks off when the protocol breaks a law.
type witness struct {
	*client
	name     string
	ledger   *ledger
	alter    func(response string) string
	qresync  bool
	box      string
	view     []slot
	validity string
	highest  uint64 // HIGHESTMODSEQ of the last SELECT
	history  []string
}

func (w *witness) fail(format string, args ...any) {
	w.t.Fatalf("%s in %s: %s, after\n\t%s", w.name, w.box, fmt.Sprintf(format, args...), strings.Join(w.history, "\n\t"))
}

// response is what the client is told.
func (w *witness) response() string {
	l := w.client.response()
	if w.alter != nil {
		l = w.alter(l)
	}
	return l
}

func (w *witness) note(line string) {
	w.history = append(w.history, line)
	if len(w.history) > 40 {
		w.history = w.history[1:]
	}
}

func (w *witness) send(text string) {
	w.note("C: " + text)
	w.SetDeadline(time.Now().Add(time.Minute))
	io.WriteString(w, text+"\r\n")
}

// run runs a command, learns from what is told, and returns the tagged response.
func (w *witness) run(command string) string {
	w.n++
	tag := "t" + strconv.Itoa(w.n)
	w.send(tag + " " + command)
	if command == "IDLE" {
		for l := w.response(); !strings.HasPrefix(l, "+"); l = w.response() {
			w.learn(command, l)
		}
		w.send("DONE")
	}
	for {
		l := w.response()
		rest, ok := strings.CutPrefix(l, tag+" ")
		if !ok {
			w.learn(command, l)
			continue
		}
		w.note("S: " + l)
		if !strings.HasPrefix(rest, "OK") && !strings.HasPrefix(rest, "NO [EXPUNGEISSUED]") {
			w.fail("%s was refused: %s", command, rest)
		}
		return rest
	}
}

var (
	untagged  = regexp.MustCompile(`^\* (\d+) (EXISTS|EXPUNGE|FETCH)\b`)
	fetchUID  = regexp.MustCompile(`[( ]UID (\d+)`)
	fetchFlag = regexp.MustCompile(`[( ]FLAGS \(([^)]*)\)`)
	fetchMod  = regexp.MustCompile(`[( ]MODSEQ \((\d+)\)`)
	codeMod   = regexp.MustCompile(`^\* OK \[HIGHESTMODSEQ (\d+)\]`)
	codeValid = regexp.MustCompile(`^\* OK \[UIDVALIDITY (\d+)\]`)
	codeCopy  = regexp.MustCompile(`OK \[COPYUID \d+ (\S+) (\S+)\]`)
)

// learn is told something while a command runs.
func (w *witness) learn(command, l string) {
	w.note("S: " + l)
	switch {
	case strings.HasPrefix(l, "* VANISHED (EARLIER) "):
		w.fail("VANISHED (EARLIER) that nobody asked for")
	case strings.HasPrefix(l, "* VANISHED "):
		if !w.qresync || keeps(command) {
			w.fail("VANISHED in %s", command)
		}
		for _, uid := range numbers(l[len("* VANISHED "):]) {
			w.vanish(uid)
		}
	case strings.HasPrefix(l, "* SEARCH"):
		w.found(command, l)
	case codeCopy.MatchString(l):
		w.copied(l)
	case strings.HasPrefix(l, "* BYE"), strings.HasPrefix(l, "* NO"):
		w.fail("%s", l)
	}
	m := untagged.FindStringSubmatch(l)
	if m == nil {
		return
	}
	n, _ := strconv.Atoi(m[1])
	switch m[2] {
	case "EXISTS":
		if n < len(w.view) {
			w.fail("EXISTS went from %d to %d", len(w.view), n)
		}
		w.view = append(w.view, make([]slot, n-len(w.view))...)
	case "EXPUNGE":
		if w.qresync || keeps(command) {
			w.fail("EXPUNGE in %s", command)
		}
		w.check(n)
		w.drop(n - 1)
	case "FETCH":
		w.check(n)
		w.fetched(n-1, l)
	}
}

// keeps reports whether sequence numbers must stay while a command runs (RFC 9051 section
// 7.5.1).
func keeps(command string) bool {
	verb, _, _ := strings.Cut(command, " ")
	return verb == "FETCH" || verb == "STORE" || verb == "SEARCH"
}

func (w *witness) check(seq int) {
	if seq < 1 || seq > len(w.view) {
		w.fail("sequence number %d of %d", seq, len(w.view))
	}
}

// drop takes a message out of the view.
func (w *witness) drop(i int) {
	w.ledger.die(w.box, w.view[i].uid)
	w.view = slices.Delete(w.view, i, i+1)
}

// vanish is told that a message is gone. If its UID was never told, any message of which
// that is so, and which may have it, is as good as another.
func (w *witness) vanish(uid uint32) {
	i := slices.IndexFunc(w.view, func(s slot) bool { return s.uid == uid })
	for j := 0; i < 0 && j < len(w.view) && w.view[j].uid < uid; j++ {
		if w.view[j].uid == 0 && !slices.ContainsFunc(w.view[j:], func(s slot) bool { return s.uid != 0 && s.uid < uid }) {
			i = j
		}
	}
	if i < 0 {
		w.fail("UID %d vanished, which was not there", uid)
	}
	w.view[i].uid = uid
	w.drop(i)
}

// fetched is told what a message is like.
func (w *witness) fetched(i int, l string) {
	s := &w.view[i]
	if head, rest, ok := strings.Cut(l, "BODY[] {"); ok {
		size, body, _ := strings.Cut(rest, "}\r\n")
		n, _ := strconv.Atoi(size)
		if s.uid != 0 {
			w.ledger.body(w, s.uid, body[:n])
		}
		l = head + body[n:]
	}
	if m := fetchUID.FindStringSubmatch(l); m != nil {
		uid := numbers(m[1])[0]
		if s.uid != 0 && s.uid != uid {
			w.fail("UID %d became %d", s.uid, uid)
		}
		s.uid = uid
		w.ascending()
	}
	flags := fetchFlag.FindStringSubmatch(l)
	mod := fetchMod.FindStringSubmatch(l)
	if mod != nil {
		at, _ := strconv.ParseUint(mod[1], 10, 63)
		if at < s.modSeq {
			w.fail("MODSEQ of message %d sank from %d to %d", i+1, s.modSeq, at)
		}
		if flags != nil && s.modSeq == at && s.flags != plainFlags(flags[1]) {
			w.fail("flags of message %d went from %q to %q at MODSEQ %d", i+1, s.flags, flags[1], at)
		}
		s.modSeq = at
		if flags != nil && s.uid != 0 {
			w.ledger.change(w, s.uid, at, plainFlags(flags[1]))
		}
	}
	if flags != nil {
		s.flags = plainFlags(flags[1])
		if mod == nil {
			s.modSeq = 0
		}
	}
}

// ascending checks that the UIDs that were told ascend (RFC 9051 section 2.3.1.1).
func (w *witness) ascending() {
	last := uint32(0)
	for i, s := range w.view {
		if s.uid != 0 && s.uid <= last {
			w.fail("UID %d of message %d is not above %d", s.uid, i+1, last)
		}
		last = max(last, s.uid)
	}
}

// found checks that SEARCH finds what the client knows.
func (w *witness) found(command, l string) {
	l, _, _ = strings.Cut(strings.TrimPrefix(l, "* SEARCH"), " (MODSEQ")
	for f := range strings.FieldsSeq(l) {
		n := numbers(f)[0]
		if !strings.HasPrefix(command, "UID ") {
			w.check(int(n))
		} else if !slices.ContainsFunc(w.view, func(s slot) bool { return s.uid == n || s.uid == 0 }) {
			w.fail("SEARCH found UID %d, which is not there", n)
		}
	}
}

// copied is told what copies are called.
func (w *witness) copied(l string) {
	m := codeCopy.FindStringSubmatch(l)
	if m == nil {
		return
	}
	from, to := numbers(m[1]), numbers(m[2])
	if len(from) != len(to) {
		w.fail("%d messages are %d copies", len(from), len(to))
	}
	for i := range from {
		w.ledger.bear(w, other(w.box), to[i], place{w.box, from[i]}, "")
	}
}

// ask has the server tell the UIDs and flags of those messages that are new.
func (w *witness) ask() {
	for {
		i := slices.IndexFunc(w.view, func(s slot) bool { return !s.asked })
		if i < 0 {
			return
		}
		n := len(w.view)
		w.run(fmt.Sprintf("FETCH %d:%d (UID FLAGS)", i+1, n))
		for j := range n {
			w.view[j].asked = true
		}
	}
}

// numbers is those of a set, in its order.
func numbers(set string) (ns []uint32) {
	for r := range strings.SplitSeq(set, ",") {
		first, last, ok := strings.Cut(r, ":")
		if !ok {
			last = first
		}
		from, _ := strconv.ParseUint(first, 10, 32)
		to, _ := strconv.ParseUint(last, 10, 32)
		for n := from; n <= to; n++ {
			ns = append(ns, uint32(n))
		}
	}
	return ns
}

// plainFlags are flags that can be compared, without \Recent, which each session has its
// own of.
func plainFlags(s string) string {
	flags := strings.Fields(strings.ToLower(s))
	slices.Sort(flags)
	flags = slices.DeleteFunc(slices.Compact(flags), func(f string) bool { return f == `\recent` })
	return strings.Join(flags, " ")
}
