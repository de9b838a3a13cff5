package imap_test

import (
	"cmp"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/thread"
)

// Subjects with long beginnings in common, ends within them, and NULs are sorted as a
// comparison of the whole would; those that are equal by the next key, and then as they
// came.
func TestSortOfMany(t *testing.T) {
	type message struct {
		uid     int
		subject string // its key
		to      string
	}
	rnd := rand.New(rand.NewSource(1))
	pieces := []string{"", "", "a", "b", "=?utf-8?q?=00?=", "=?utf-8?q?=C3=A9?=", "message number ", "abcdefg", "abcdefgh"}
	r := start(t, nil)
	var all []message
	for i := range 600 {
		subject := ""
		for range rnd.Intn(5) {
			subject += pieces[rnd.Intn(len(pieces))]
		}
		to := fmt.Sprint("u", rnd.Intn(3))
		r.fill(fmt.Sprintf("Subject: x%s\r\nTo: %s@example.com\r\n\r\n", subject, to))
		base, _ := thread.BaseSubject("x" + subject)
		all = append(all, message{i + 1, thread.Collate(base), to})
	}
	c := r.selecting()
	for keys, compare := range map[string]func(a, b message) int{
		"SUBJECT":         func(a, b message) int { return strings.Compare(a.subject, b.subject) },
		"REVERSE SUBJECT": func(a, b message) int { return strings.Compare(b.subject, a.subject) },
		"TO REVERSE SUBJECT": func(a, b message) int {
			return cmp.Or(strings.Compare(a.to, b.to), strings.Compare(b.subject, a.subject))
		},
		"SUBJECT REVERSE TO": func(a, b message) int {
			return cmp.Or(strings.Compare(a.subject, b.subject), strings.Compare(b.to, a.to))
		},
	} {
		sorted := slices.Clone(all)
		slices.SortStableFunc(sorted, compare)
		uids := make([]int, len(sorted))
		for i, m := range sorted {
			uids[i] = m.uid
		}
		if got, want := c.do("SORT (" + keys + ") UTF-8 ALL")[0], list("* SORT", uids); got != want {
			t.Errorf("by %s: got\n%s\nwant\n%s", keys, got, want)
		}
	}
}

// Of a text no more than its beginning is compared.
func TestSortOfLongTexts(t *testing.T) {
	r := start(t, nil)
	for _, end := range []string{"b", "a"} {
		r.fill("Subject: "+strings.Repeat("x", 998)+end+"\r\n\r\n", "Subject: "+strings.Repeat("x", 1000)+end+"\r\n\r\n")
	}
	if got, want := r.selecting().do("SORT (SUBJECT) UTF-8 ALL")[0], "* SORT 3 1 2 4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
