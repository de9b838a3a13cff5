package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// wantUIDLs are unique-ids as "UID id".
func wantUIDLs(t *testing.T, mb mailparts.Mailbox, want ...string) {
	t.Helper()
	var got []string
	for id, err := range mailparts.UIDLs(t.Context(), mb) {
		must(t, err)
		got = append(got, fmt.Sprint(id.UID, " ", id.ID))
	}
	if !slices.Equal(got, want) {
		t.Errorf("unique-ids are %q, want %q", got, want)
	}
}

const uidlList = "3 V12 N90 Gx\n" +
	"1 PUID5-77 :11.M1P1.h\n" +
	"2 W9 P0000000100000002 O7 Xfoo :12.M1P1.h\n" +
	"3 :13.M1P1.h\n" +
	"x Pbad :13.M1P1.h\n" +
	"3 PUID3 :13.M1P1.h\n" + // not above the last
	"4 Pgone :14.M1P1.h\n" +
	"5 PUID5-77 :15.M1P1.h\n" + // that is 1's
	"6 P :16.M1P1.h\n" +
	"10 Pü :20.M1P1.h\n" +
	"11 PtornH :21.M1P1"

func uidlTree(t *testing.T, b *maildir.Backend) (*disktest.FS, mailparts.Mailbox) {
	fsys := tree(t, strings.Replace(uidlList, "tornH", strings.Repeat("x", 70), 1), "cur/11.M1P1.h:2,S", "new/12.M1P1.h", "new/13.M1P1.h", "cur/15.M1P1.h:2,", "new/16.M1P1.h", "new/20.M1P1.h")
	b.Root, b.Hostname = root, "host"
	b.SetFS(fsys)
	return fsys, openMailbox(t, b, "INBOX")
}

func TestUIDLs(t *testing.T) {
	_, mb := uidlTree(t, &maildir.Backend{})
	wantUIDLs(t, mb, "1 UID5-77", "2 0000000100000002")

	_, mb = uidlTree(t, &maildir.Backend{UIDL: maildir.DovecotUIDL})
	wantUIDLs(t, mb, "1 UID5-77", "2 0000000100000002", "3 000000030000000c", "6 000000060000000c", "10 0000000a0000000c")

	_, mb = uidlTree(t, &maildir.Backend{UIDL: maildir.FileUIDL})
	wantUIDLs(t, mb, "1 UID5-77", "2 0000000100000002", "3 13.M1P1.h", "6 16.M1P1.h", "10 20.M1P1.h")

	// What cannot be a unique-id is none.
	for _, bad := range []string{"", "a b", "ü", strings.Repeat("x", 71), "UID5-77"} {
		_, mb = uidlTree(t, &maildir.Backend{UIDL: func(uint32, mailparts.UID, string) string { return bad }})
		wantUIDLs(t, mb, "1 UID5-77", "2 0000000100000002")
	}
}

func TestUIDLsEnd(t *testing.T) {
	fsys, mb := uidlTree(t, &maildir.Backend{})
	for range mailparts.UIDLs(t.Context(), mb) {
		break // nothing comes after it, not even an error
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range mailparts.UIDLs(ctx, mb) {
		if cancel(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d results of what was cancelled at the first", n)
	}

	fsys.Before = func(op disktest.Op) error {
		if op.Name == "read" && op.Path == listFile {
			return syscall.EIO
		}
		return nil
	}
	for id, err := range mailparts.UIDLs(t.Context(), mb) {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%v, %v, want EIO", id, err)
		}
	}
	fsys.Before = nil

	must(t, fsys.Remove(listFile))
	for id, err := range mailparts.UIDLs(t.Context(), mb) {
		if !errors.Is(err, mailparts.ErrNoMailbox) {
			t.Errorf("%v, %v, want ErrNoMailbox", id, err)
		}
	}
}

// A list with lines that are longer than the buffer.
func TestUIDLsLongLines(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	fsys := tree(t, "3 V9 N9 Gx\n1 Pa :11.M1P1.h\n2 P"+long+" :12.M1P1.h\n3 Pc :13.M1P1.h\n", "cur/11.M1P1.h:2,S", "new/12.M1P1.h", "new/13.M1P1.h")
	wantUIDLs(t, openMailbox(t, on(fsys), "INBOX"), "1 a", "3 c")
}

// Nothing that we do to a list loses fields of another server: they stay in the lines
// that are there when the list is rewritten.
func TestUIDListFieldsSurvive(t *testing.T) {
	fsys := tree(t, "3 V12 N5 Gx Ffoo  Xbar\nbroken\n1 W21 PUID5-77 O3 Xa Ya :11.M1P1.h\n2 :12.M1P1.h\n", "cur/11.M1P1.h:2,S", "new/12.M1P1.h")
	mb := openMailbox(t, on(fsys), "INBOX")
	want := "3 V12 N6 Gx Ffoo Xbar\n1 W21 PUID5-77 O3 Xa Ya :11.M1P1.h\n2 :12.M1P1.h\n5 :"
	if uid := deliver(t, mb, "more"); uid != 5 {
		t.Fatalf("UID is %d", uid)
	}
	got := get(t, fsys, listFile)
	if !strings.HasPrefix(strings.Replace(got, " N5 ", " N6 ", 1), want) {
		t.Errorf("the list is %q, want %q", got, want)
	}
	if st := status(t, mb); st.UIDNext != 6 {
		t.Errorf("UIDNext is %d", st.UIDNext)
	}
	wantUIDLs(t, mb, "1 UID5-77")
}

// What Courier said in POP3 is said again.
func TestUIDLsOfCourier(t *testing.T) {
	fsys := disktest.New()
	courierTree(t, fsys, nil)
	wantUIDLs(t, openMailbox(t, on(fsys), "INBOX"), "1 UID5-77", "7 15.M1P1.h", "8 UID8-77")
}
