package imap_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap"
	"github.com/mailparts/mailparts/maildir"
)

// manyUnread is a mailbox of messages of which nothing was derived: more than are looked
// at together. The topic of number n is n*7%n0.
func manyUnread(t *testing.T, n int, header string) *rig {
	r := start(t, func(s *imap.Server) { s.Backend = &maildir.Backend{Root: t.TempDir()} })
	r.fillTopics(1, n, header)
	return r
}

func (r *rig) fillTopics(first, last int, header string) {
	r.t.Helper()
	_, err := r.inbox.Append(r.t.Context(), func(yield func(mailparts.Incoming, error) bool) {
		for i := first; i <= last; i++ {
			m := fmt.Sprintf("Subject: topic %03d\r\nDate: Mon, 7 Feb 1994 %02d:%02d:00 +0000\r\n%s\r\nbody %d\r\n", i*7%300, i*7%300/60, i*7%300%60, header, i)
			if !yield(mailparts.Incoming{Body: strings.NewReader(m)}, nil) {
				return
			}
		}
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// Messages that are read on several goroutines are answered for in their order, with those
// among them that need not be read, and without those that are gone.
func TestAhead(t *testing.T) {
	r := manyUnread(t, 290, "")
	c := r.selecting()
	c.do("FETCH 20:40,150:160 ENVELOPE")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 200, Last: 209}}, ""); err != nil {
		t.Fatal(err)
	}
	uids := []int{}
	for i := 1; i <= 290; i++ {
		if i < 200 || i > 209 {
			uids = append(uids, i)
		}
	}
	inOrder := list("* SEARCH", uids)
	byTopic := slices.Clone(uids)
	slices.SortStableFunc(byTopic, func(a, b int) int { return a*7%300 - b*7%300 })
	for range 2 { // when they must be read, and when they need not
		for command, want := range map[string]string{
			"UID SEARCH HEADER Subject TOPIC":  inOrder,
			"UID SEARCH BODY body":             inOrder,
			"UID SORT (SUBJECT) UTF-8 ALL":     list("* SORT", byTopic),
			"UID SORT (DATE) UTF-8 BODY body":  list("* SORT", byTopic),
			"UID SORT (REVERSE CC) UTF-8 ALL":  list("* SORT", uids),
			"UID SORT (ARRIVAL) UTF-8 UID 1:9": list("* SORT", uids[:9]),
		} {
			if got := c.do(command); got[0] != want {
				t.Errorf("%s: got\n%s\nwant\n%s", command, got[0], want)
			}
		}
	}
	r.fillTopics(291, 295, "")
	if got := c.do("UID SEARCH SUBJECT topic"); got[0] != inOrder {
		t.Errorf("what the client does not know of is found: %s", got[0])
	}
	if got, want := c.do("UID SEARCH SUBJECT topic"), list("* SEARCH", append(uids, 291, 292, 293, 294, 295)); got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", got[0], want)
	}
}

func list(response string, uids []int) string {
	return response + " " + strings.Trim(fmt.Sprint(uids), "[]")
}

// Messages of which so much is derived that not all of it is held at once.
func TestAheadOfMuch(t *testing.T) {
	r := manyUnread(t, 30, "To: "+strings.Repeat("a@example.com, ", 8000)+"\r\n")
	want := "* SEARCH"
	for i := 1; i <= 30; i++ {
		want += fmt.Sprint(" ", i)
	}
	if got := r.selecting().do("SEARCH TO a@example.com"); got[0] != want {
		t.Errorf("got %s, want %s", got[0], want)
	}
}

// FETCH scans several messages at a time, and answers in their order.
func TestFetchAhead(t *testing.T) {
	r := manyUnread(t, 290, "")
	c := r.selecting()
	c.do("UID FETCH 20:40,150:160 BODYSTRUCTURE")
	if err := r.inbox.Expunge(t.Context(), mailparts.UIDSet{{First: 200, Last: 209}}, ""); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for i := 1; i <= 290; i++ {
		if i < 200 || i > 209 {
			want = append(want, fmt.Sprintf(`* %d FETCH (BODY[HEADER.FIELDS (SUBJECT)] "Subject: topic %03d\r\n\r\n" PREVIEW "body %d")`, i, i*7%300, i))
		}
	}
	for range 2 { // when they must be read, and when they need not
		got := c.do(`FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)] PREVIEW)`)
		last := len(got) - 1
		for i := range got {
			got[i] = strings.ReplaceAll(strings.Replace(got[i], "{22}\r\n", `"`, 1), "\r\n\r\n PREVIEW", `\r\n\r\n" PREVIEW`)
		}
		equal(t, got[:last], want)
		if !strings.HasPrefix(got[last], "NO [EXPUNGEISSUED]") {
			t.Errorf("got %s", got[last])
		}
	}
}
