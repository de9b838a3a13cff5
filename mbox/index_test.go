package mbox_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// An index that is damaged, lost or of another time is found out.
func TestIndex(t *testing.T) {
	index := func(fsys *disktest.FS) (name string) {
		for f := range fsys.Files() {
			if filepath.Ext(f) == ".index" {
				name = f
			}
		}
		return name
	}
	for what, spoil := range map[string]func(t *testing.T, fsys *disktest.FS){
		"lost":     func(t *testing.T, fsys *disktest.FS) { must(t, fsys.Remove(index(fsys))) },
		"empty":    func(t *testing.T, fsys *disktest.FS) { putFile(t, fsys, index(fsys), "") },
		"no index": func(t *testing.T, fsys *disktest.FS) { putFile(t, fsys, index(fsys), "hello") },
		"truncated": func(t *testing.T, fsys *disktest.FS) {
			putFile(t, fsys, index(fsys), fsys.Files()[index(fsys)][:33_000])
		},
		"damaged": func(t *testing.T, fsys *disktest.FS) {
			b := []byte(fsys.Files()[index(fsys)])
			b[33_000-200] ^= 1
			putFile(t, fsys, index(fsys), string(b))
		},
		"head damaged": func(t *testing.T, fsys *disktest.FS) {
			b := []byte(fsys.Files()[index(fsys)])
			b[100] ^= 1
			putFile(t, fsys, index(fsys), string(b))
		},
	} {
		t.Run(what, func(t *testing.T) {
			fsys := diskWith(t, dovecots)
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			want := listing(t, mb)
			set(t, mb, 7, mailparts.FlagSeen)
			want[1] = strings.Replace(want[1], "[", `[\Seen `, 1)
			if index(fsys) == "" {
				t.Fatal("there is no index")
			}
			spoil(t, fsys)
			wantListing(t, "after that", openMailbox(t, backendOn(fsys), "INBOX"), want...)
		})
	}
}

// Opening an unchanged mailbox reads nothing of it.
func TestWarmOpen(t *testing.T) {
	fsys := diskWith(t, strings.Repeat(foreignMessage("eins"), 1000))
	want := listing(t, openMailbox(t, backendOn(fsys), "INBOX"))
	reads := 0
	fsys.Before = func(op disktest.Op) error {
		if op.Path == inboxPath && strings.HasPrefix(op.Name, "read") {
			reads++
		}
		return nil
	}
	mb := openMailbox(t, backendOn(fsys), "INBOX")
	if st := statusOf(t, mb); int(st.Messages) != len(want) {
		t.Errorf("there are %d messages, want %d", st.Messages, len(want))
	}
	for _, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{Want: mailparts.WantSize | mailparts.WantDates}) {
		must(t, err)
	}
	if reads > 0 {
		t.Errorf("opening and listing an unchanged mailbox read it %d times", reads)
	}
	deliverRaw(t, fsys, inboxPath, foreignMessage("zwei"))
	if st := statusOf(t, mb); int(st.Messages) != len(want)+1 || reads > 40 {
		t.Errorf("%d messages after a delivery, found by %d reads", st.Messages, reads)
	}
}
