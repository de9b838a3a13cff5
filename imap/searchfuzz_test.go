package imap

import (
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/imap/internal/wire"
)

// FuzzSearch: whatever is parsed can be judged, by no more than a bounded number of keys,
// and what the sets alone leave out does not match.
func FuzzSearch(f *testing.F) {
	for _, s := range []string{
		`ALL`, `OR SEEN (NOT 1:* UID 3,7)`, `NOT NOT $ KEYWORD x`, `FROM "a" HEADER x {1+}` + "\r\nb",
		`SINCE 1-Feb-1994 LARGER 5 OLDER 3 SENTON "1-Jan-2000"`, `MODSEQ "/flags/\\draft" all 12 EMAILID a`, `((((1))))`, `OR OR 1 2 OR 3 4`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, keys string) {
		s := &session{box: &selected{}}
		s.box.told.HighestModSeq = 9
		for _, uid := range []mailparts.UID{1, 2, 3, 7, 9} {
			s.box.view.add(uid)
		}
		s.box.saved.Add(2, 3)
		p := wire.NewParser([]byte(keys))
		q := s.parseProgram(p, "UTF-8")
		if p.End() != nil {
			return
		}
		q.root.plan()
		if n := q.root.count(); n > 2*maxKeys+2 {
			t.Fatalf("%d keys", n)
		}
		all := s.box.view.uids
		left, exact := q.root.bounds(all)
		for _, r := range all {
			for uid := r.First; uid <= r.Last; uid++ {
				q.message = mailparts.Message{UID: uid, ModSeq: 10, Flags: []mailparts.Flag{mailparts.FlagSeen, "x"}}
				v, err := q.judge(q.root, ofFields)
				in := left.Contains(uid)
				if err != nil || v == yes && !in || exact && (v == yes) != in {
					t.Fatalf("%q, UID %d: %v, %v; bounds %v, exact: %v", keys, uid, v, err, left, exact)
				}
			}
		}
	})
}

func (k *searchKey) count() int {
	n := 1
	for _, sub := range k.keys {
		n += sub.count()
	}
	return n
}

func TestUnion(t *testing.T) {
	set := func(r ...mailparts.UIDRange) mailparts.UIDSet { return r }
	for _, test := range []struct{ a, b, want mailparts.UIDSet }{
		{nil, nil, nil},
		{set(mailparts.UIDRange{First: 1, Last: 2}), nil, set(mailparts.UIDRange{First: 1, Last: 2})},
		{
			set(mailparts.UIDRange{First: 1, Last: 2}, mailparts.UIDRange{First: 8, Last: 9}),
			set(mailparts.UIDRange{First: 3, Last: 3}, mailparts.UIDRange{First: 9, Last: 12}),
			set(mailparts.UIDRange{First: 1, Last: 3}, mailparts.UIDRange{First: 8, Last: 12}),
		},
	} {
		if got := union(test.a, test.b); got.String() != test.want.String() {
			t.Errorf("%v and %v are %v", test.a, test.b, got)
		}
	}
}
