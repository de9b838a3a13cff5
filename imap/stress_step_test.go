package imap_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
)

// pick chooses a few messages that are next to each other: their numbers as a set of the
// command, which is in its UID form or is not, and where they are in the view.
func (w *witness) pick(rng *rand.Rand) (uid, set string, slots []*slot) {
	i := rng.IntN(len(w.view))
	j := min(i+rng.IntN(3), len(w.view)-1)
	for k := i; k <= j; k++ {
		slots = append(slots, &w.view[k])
	}
	if rng.IntN(2) == 0 {
		return "", fmt.Sprintf("%d:%d", i+1, j+1), slots
	}
	var uids []string
	for _, s := range slots {
		if s.uid != 0 {
			uids = append(uids, fmt.Sprint(s.uid))
		}
	}
	if uids == nil {
		return "", fmt.Sprintf("%d:%d", i+1, j+1), slots
	}
	return "UID ", strings.Join(uids, ","), slots
}

// step runs a random command.
func (w *witness) step(rng *rand.Rand) {
	n := rng.IntN(100)
	if len(w.view) < 3 {
		n = rng.IntN(15)
	}
	switch {
	case n < 12:
		w.append(rng)
	case n < 15:
		w.run("NOOP")
	case n < 40:
		w.store(rng)
	case n < 52:
		uid, set, _ := w.pick(rng)
		w.run(uid + "FETCH " + set + []string{" BODY.PEEK[]", " FLAGS", " (UID FLAGS BODY.PEEK[])", " UID"}[rng.IntN(4)])
	case n < 62:
		w.run([]string{"SEARCH UNSEEN", "UID SEARCH DELETED", "SEARCH 1:* ALL", "UID SEARCH KEYWORD k1"}[rng.IntN(4)])
	case n < 70:
		uid, set, _ := w.pick(rng)
		w.copied(w.run(uid + "COPY " + set + " " + other(w.box)))
	case n < 76:
		uid, set, slots := w.pick(rng)
		for _, s := range slots {
			w.ledger.doom(w.box, s.uid)
		}
		w.copied(w.run(uid + "MOVE " + set + " " + other(w.box)))
	case n < 84:
		w.expunge(rng)
	case n < 92:
		w.run("IDLE")
	case n < 96:
		w.reselect([]string{"INBOX", "Other"}[rng.IntN(2)])
	case w.qresync && w.highest != 0:
		w.reopen()
	default:
		w.run("CHECK")
	}
}

var appendUID = regexp.MustCompile(`\[APPENDUID \d+ (\d+)\]`)

// append appends a message that there is once.
func (w *witness) append(rng *rand.Rand) {
	box := []string{"INBOX", "Other"}[rng.IntN(2)]
	body := fmt.Sprintf("Subject: %s, %d\r\n\r\n%s\r\n", w.name, w.n, strings.Repeat("x", rng.IntN(200)))
	flags := []string{"", `\Seen`, `k1 \Flagged`}[rng.IntN(3)]
	m := appendUID.FindStringSubmatch(w.run(fmt.Sprintf("APPEND %s (%s) {%d+}\r\n%s", box, flags, len(body), body)))
	if m == nil {
		w.fail("no APPENDUID")
	}
	w.ledger.bear(w, box, numbers(m[1])[0], place{}, body)
}

// store changes flags. What it asked not to be told of the client knows without.
func (w *witness) store(rng *rand.Rand) {
	uid, set, slots := w.pick(rng)
	op := []string{"+", "-", ""}[rng.IntN(3)]
	flags := []string{`\Seen`, `\Flagged`, `\Answered k1`, `k1`, `\Deleted`}[rng.IntN(5)]
	silent := ""
	if rng.IntN(3) == 0 {
		silent = ".SILENT"
	}
	for _, s := range slots {
		if flags == `\Deleted` {
			w.ledger.doom(w.box, s.uid)
		}
		if silent != "" {
			s.flags, s.modSeq = changed(s.flags, op, flags), 0
		}
	}
	w.run(uid + "STORE " + set + " " + op + "FLAGS" + silent + " (" + flags + ")")
}

// changed is flags after a STORE.
func changed(flags, op, by string) string {
	switch op {
	case "+":
		return plainFlags(flags + " " + by)
	case "":
		return plainFlags(by)
	}
	gone := strings.Fields(plainFlags(by))
	left := slices.DeleteFunc(strings.Fields(flags), func(f string) bool { return slices.Contains(gone, f) })
	return strings.Join(left, " ")
}

// expunge removes what is marked as deleted, all of it or some.
func (w *witness) expunge(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		w.run("EXPUNGE")
		return
	}
	_, _, slots := w.pick(rng)
	if slots[0].uid != 0 {
		w.run(fmt.Sprintf("UID EXPUNGE %d:%d", slots[0].uid, slots[0].uid+5))
	}
}
