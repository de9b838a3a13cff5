package mbox_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
)

// Messages that wait for their UIDs are part of no other, whatever is done to those
// that have one.
func TestChangesOnFullDisk(t *testing.T) {
	for what, do := range map[string]func(t *testing.T, mb mailparts.Mailbox){
		"flags in place": func(t *testing.T, mb mailparts.Mailbox) { set(t, mb, 2, mailparts.FlagSeen) },
		"expunge":        func(t *testing.T, mb mailparts.Mailbox) { must(t, mb.Expunge(t.Context(), uids(1), "")) },
	} {
		t.Run(what, func(t *testing.T) {
			fsys := diskWith(t, foreignMessage("eins")+foreignMessage("zwei"))
			mb := openMailbox(t, backendOn(fsys), "INBOX")
			wantListing(t, "at first", mb, "1 [] eins", "2 [] zwei")
			deliverRaw(t, fsys, inboxPath, foreignMessage("drei"))
			full, writes := true, 0
			fsys.Before = func(op disktest.Op) error {
				if full && op.Name == "writeat" && strings.Contains(op.Path, ".journal") {
					if writes++; writes == 1 { // that of the UIDs; then there is room for less
						return syscall.ENOSPC
					}
				}
				return nil
			}
			do(t, mb)
			writes = 0
			if body, err := readBody(mb, 2); err != nil || body != foreignBody("zwei") {
				t.Errorf("the last message with a UID is %q, %v", body, err)
			}
			full = false
			must(t, mb.Expunge(t.Context(), uids(2), ""))
			left := listing(t, mb)
			if len(left) == 0 || left[len(left)-1] != "3 [] drei" {
				t.Errorf("the message that waited is lost: %q", left)
			}
		})
	}
}
