package interop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

// A copy and a move of ours are to Dovecot what its own are: the same GUID, flags,
// keywords and date; and ours to us what Dovecot has made.
func TestMaildirCopyWithDovecot(t *testing.T) {
	t.Parallel()
	x := newQuotaTree(t, maildir.Limits{Storage: 1 << 20})
	for _, name := range []string{"ours", "theirs", "moved"} {
		x.must(x.store.(mailparts.Manager).Create(t.Context(), name))
	}
	x.must(x.append("INBOX", 100, mailparts.FlagSeen, "$Work"))
	x.must(x.append("INBOX", 200))
	inbox := x.mailbox("INBOX")
	_, err := inbox.(mailparts.Copier).Copy(t.Context(), mailparts.AllUIDs(), x.mailbox("ours"))
	x.must(err)
	x.adm("copy", "theirs", "mailbox", "INBOX", "all")
	x.handOver()
	_, err = x.mailbox("theirs").(mailparts.Copier).Copy(t.Context(), mailparts.AllUIDs(), x.mailbox("moved"))
	x.must(err)
	_, err = x.mailbox("moved").(mailparts.Mover).Move(t.Context(), mailparts.AllUIDs(), x.mailbox("moved"))
	x.must(err)

	fetch := func(name string) []string {
		out := x.adm("fetch", "guid flags date.received size.physical", "mailbox", name, "all")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], `\Recent`, "")
		}
		return lines
	}
	want, ids := fetch("INBOX"), x.ids("INBOX")
	if len(want) != 3 { // with a line of titles
		t.Fatalf("Dovecot has %q", want)
	}
	for _, name := range []string{"ours", "theirs", "moved"} {
		if got := fetch(name); !slices.EqualFunc(got, want, sameFields) {
			t.Errorf("of %s Dovecot has\n%q, want\n%q", name, got, want)
		}
		if got := x.ids(name); !slices.Equal(got, ids) {
			t.Errorf("%s has the ids %q, want %q", name, got, ids)
		}
	}
}

// sameFields compares flags without regard to their order.
func sameFields(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// ids are the EMAILIDs of a mailbox.
func (x *quotaTree) ids(name string) (ids []string) {
	x.Helper()
	for m, err := range x.mailbox(name).Messages(x.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantIDs}) {
		x.must(err)
		ids = append(ids, m.ID)
	}
	return ids
}
