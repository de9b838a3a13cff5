package maildir_test

import (
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// A uidlist that is broken or lost is made of the index, and no UID changes or comes
// again.
func TestUIDListRestored(t *testing.T) {
	for name, spoil := range map[string]func(list string) string{
		"lost":        nil,
		"empty":       func(string) string { return "" },
		"torn header": func(string) string { return "3 V9" },
		"zeros":       func(list string) string { return strings.Repeat("\x00", len(list)) },
		"one line":    func(list string) string { return "3 x" + list[strings.Index(list, "\n"):] },
	} {
		t.Run(name, func(t *testing.T) {
			fsys := disktest.New()
			b := on(fsys)
			mb := openMailbox(t, b, "INBOX")
			for _, body := range []string{"a", "b", "c"} {
				deliver(t, mb, body)
			}
			want(t, mb, "1 [] a", "2 [] b", "3 [] c")
			must(t, mb.Expunge(t.Context(), uids(2), ""))
			deliver(t, mb, "d")
			want(t, mb, "1 [] a", "3 [] c", "4 [] d")
			was := status(t, mb)
			list := get(t, fsys, listFile)
			if spoil == nil {
				must(t, fsys.Remove(listFile))
			} else {
				put(t, fsys, listFile, spoil(list))
			}

			mb.Status(t.Context()) // finds out, and ends
			want(t, openMailbox(t, b, "INBOX"), "1 [] a", "3 [] c", "4 [] d")
			mb = openMailbox(t, on(fsys), "INBOX")
			want(t, mb, "1 [] a", "3 [] c", "4 [] d")
			if now := status(t, mb); now.UIDValidity != was.UIDValidity || now.UIDNext < was.UIDNext {
				t.Errorf("Status is %+v, was %+v", now, was)
			}
			if uid := deliver(t, mb, "e"); uid < was.UIDNext {
				t.Errorf("UID %d comes again", uid)
			}
			if aside := in(fsys, "dovecot-uidlist.bad-*"); (len(aside) == 1) != (spoil != nil) {
				t.Errorf("set aside are %q", aside)
			}
			if head, _, _ := strings.Cut(get(t, fsys, listFile), "\n"); !strings.HasSuffix(head, list[strings.Index(list, " G"):strings.Index(list, "\n")]) {
				t.Errorf("the header is %q, was in %q", head, list)
			}
		})
	}
}
