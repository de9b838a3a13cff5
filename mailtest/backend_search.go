package mailtest

import (
	"slices"
	"strings"

	"github.com/mailparts/mailparts"
)

func searchPromises() []promise {
	return []promise{
		{"finds every message that matches", searchFinds},
		{"is exact if it says so", searchExact},
		{"looks for what is asked among what is asked", searchAmong},
		{"follows what changes", searchFollows},
	}
}

// searched are messages and, by their place, which searches find them.
var searched = []string{
	"Subject: plain words\r\nFrom: Alice <alice@example.org>\r\nX-Empty:\r\n\r\nThe quick brown fox\r\njumps.\r\n",
	"subject : folded\r\n\tover lines\r\n\r\nSubject: in the body\r\n",
	"Subject: =?utf-8?q?caf=C3=A9_au_lait?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nVGhlIHF1aWNrIGJyb3duIGZveA==\r\n",
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nThe qu=\r\nick caf=E9\r\n",
	"no header to speak of",
	"",
	"Subject: multipart\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nVGhlIHF1aWNrIGJyb3duIGZveA==\r\n--b--\r\n",
}

var searches = []struct {
	mailparts.TextSearch
	want []int
}{
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "Subject", Text: "PLAIN W"}, []int{0}},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "SUBJECT", Text: "over lines"}, []int{1}},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "subject", Text: ""}, []int{0, 1, 2, 6}},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "X-Empty", Text: ""}, []int{0}},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "Subject", Text: "in the body"}, nil},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "Subject", Text: "café"}, []int{2}},
	{mailparts.TextSearch{In: mailparts.InHeader, Field: "From", Text: "alice@EXAMPLE"}, []int{0}},
	{mailparts.TextSearch{In: mailparts.InBody, Text: "QUICK brown"}, []int{0, 2, 6}},
	{mailparts.TextSearch{In: mailparts.InBody, Text: "quick"}, []int{0, 2, 3, 6}},
	{mailparts.TextSearch{In: mailparts.InBody, Text: "alice"}, nil},
	{mailparts.TextSearch{In: mailparts.InText, Text: "alice"}, []int{0}},
	{mailparts.TextSearch{In: mailparts.InText, Text: "subject: in"}, []int{1}},
	{mailparts.TextSearch{In: mailparts.InText, Text: "café"}, []int{2, 3}},
	{mailparts.TextSearch{In: mailparts.InText, Text: "nowhere to be found"}, nil},
	{mailparts.TextSearch{In: mailparts.InText, Text: ""}, []int{0, 1, 2, 3, 4, 5, 6}},
}

// search asks the store itself, or skips the trial, and returns what exists of
// what it found.
func (x *trial) search(uids mailparts.UIDSet, t mailparts.TextSearch) (found []mailparts.UID, exact bool) {
	x.Helper()
	s := optional[mailparts.Searcher](x, x.inbox)
	all, exact, err := s.Search(x.Context(), uids, t)
	x.mustDo("Search", err)
	if more := all.Subtract(uids); len(more) > 0 {
		x.Errorf("Search among %v found %v", uids, more)
	}
	return each(all.Intersect(set(x.uids(x.inbox)...))), exact
}

func searchFinds(x *trial) {
	uids := x.addTexts(x.inbox, searched...)
	for _, c := range searches {
		found, _ := x.search(mailparts.AllUIDs(), c.TextSearch)
		for _, i := range c.want {
			if !slices.Contains(found, uids[i]) {
				x.Errorf("Search for %+v found %v, without UID %d: %q", c.TextSearch, found, uids[i], searched[i])
			}
		}
	}
}

func searchExact(x *trial) {
	for i, msg := range searched {
		uid := x.addTexts(x.inbox, msg)[0]
		for _, c := range searches {
			found, exact := x.search(set(uid), c.TextSearch)
			if exact && len(found) > 0 && !slices.Contains(c.want, i) {
				x.Errorf("Search for %+v found %q, which does not match, and says that it is exact", c.TextSearch, msg)
			}
		}
	}
}

func searchAmong(x *trial) {
	uids := x.addTexts(x.inbox, "needle", "needle", "hay", "needle")
	needle := mailparts.TextSearch{In: mailparts.InText, Text: "needle"}
	x.expunge(x.inbox, set(uids[1]), "")
	for _, c := range []struct {
		ask  mailparts.UIDSet
		want []mailparts.UID
	}{
		{nil, nil},
		{set(uids[1]), nil},
		{set(uids[0], uids[1], uids[2]), uids[:1]},
		{mailparts.UIDSet{{First: uids[1], Last: 1<<32 - 1}}, uids[3:]},
	} {
		found, exact := x.search(c.ask, needle)
		if exact && !slices.Equal(found, c.want) || len(set(c.want...).Subtract(set(found...))) > 0 {
			x.Errorf("Search among %v found %v, want %v", c.ask, found, c.want)
		}
	}
}

func searchFollows(x *trial) {
	needle := mailparts.TextSearch{In: mailparts.InText, Text: "needle"}
	x.search(mailparts.AllUIDs(), needle)
	for i := range 3 {
		uid := x.addTexts(x.inbox, strings.Repeat("hay ", i)+"needle")[0]
		if found, _ := x.search(mailparts.AllUIDs(), needle); !slices.Contains(found, uid) {
			x.Errorf("Search does not find UID %d, which was just appended", uid)
		}
	}
}
