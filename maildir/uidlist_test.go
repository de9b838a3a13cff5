package maildir_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

const listFile = root + "/user/dovecot-uidlist"

// golden is a uidlist as Dovecot 2.3 writes it, with fields that we do not know.
func golden(t testing.TB) string {
	b, err := os.ReadFile("testdata/dovecot-uidlist")
	must(t, err)
	return string(b)
}

// tree makes INBOX with files and a uidlist. Each file is 18 octets on disk and 21
// on the wire.
func tree(t testing.TB, list string, files ...string) *disktest.FS {
	fsys := disktest.New()
	for _, sub := range []string{"tmp", "new", "cur"} {
		must(t, disk.MkdirAll(fsys, root+"/user/"+sub, 0o700))
	}
	for _, f := range files {
		put(t, fsys, root+"/user/"+f, "Subject: "+f[4:5]+"\n\nhello\n")
	}
	if list != "" {
		put(t, fsys, listFile, list)
	}
	return fsys
}

func mail(subject string) string { return "Subject: " + subject + "\r\n\r\nhello\r\n" }

func TestUIDListOfDovecot(t *testing.T) {
	fsys := tree(t, golden(t),
		"new/1795374075.M221292P27573.vm,S=18,W=21",
		"cur/1795374080.M1P1.vm,S=18:2,FS",
		"cur/1795374082.M1P1.vm,S=18,W=21:2,T")
	mb := openMailbox(t, on(fsys), "INBOX")
	if st := status(t, mb); st.UIDValidity != 1795374075 || st.UIDNext != 5 || st.Messages != 3 {
		t.Errorf("Status is %+v", st)
	}
	want(t, mb, "1 [] "+mail("1"), `2 [\Flagged \Seen] `+mail("1"), `4 [\Deleted] `+mail("1"))

	// What is written next is appended, and Dovecot's own lines stay.
	uid := deliver(t, mb, "ours")
	list := get(t, fsys, listFile)
	if rest, ok := strings.CutPrefix(list, golden(t)); uid != 5 || !ok || !strings.HasPrefix(rest, "5 :") || strings.Count(rest, "\n") != 1 {
		t.Errorf("after a delivery the list is %q", list)
	}
}

// Whoever reads a list sees what another process appends, and what Dovecot
// rewrites.
func TestUIDListChanges(t *testing.T) {
	fsys := tree(t, golden(t), "new/1795374075.M221292P27573.vm,S=18,W=21")
	mb := openMailbox(t, on(fsys), "INBOX")
	want(t, mb, "1 [] "+mail("1"))

	put(t, fsys, root+"/user/new/other", "other")
	put(t, fsys, listFile, golden(t)+"9 :other\n")
	want(t, mb, "1 [] "+mail("1"), "9 [] other")

	must(t, fsys.Rename(listFile, listFile+".old"))
	put(t, fsys, listFile, "3 V1795374075 N20 Gx\n1 :1795374075.M221292P27573.vm,S=18,W=21\n9 :other\n")
	if st := status(t, mb); st.UIDNext != 20 || st.Messages != 2 {
		t.Errorf("after a rewrite Status is %+v", st)
	}
	if uid := deliver(t, mb, "ours"); uid != 20 {
		t.Errorf("the next UID is %d, want 20", uid)
	}

	// Another UID for a message, and none for two: those get new ones.
	put(t, fsys, listFile+".new", "3 V1795374075 N40 Gx\n31 :other\n")
	must(t, fsys.Rename(listFile+".new", listFile))
	lines := []string{"31 [] other", "40 [] " + mail("1"), "41 [] ours"}
	want(t, mb, lines...)
	want(t, openMailbox(t, on(fsys), "INBOX"), lines...)
}

// A UID that was taken for gone is not given back, nor does a message come later
// below UIDNext.
func TestUIDListTooLate(t *testing.T) {
	fsys := tree(t, "3 V7 N10 Gx\n2 :two\n3 :three\n", "new/twotwo", "cur/three:2,S")
	mb := openMailbox(t, on(fsys), "INBOX")
	want(t, mb, `3 [\Seen] `+mail("t"), "10 [] "+mail("t"))
	must(t, fsys.Rename(root+"/user/cur/three:2,S", root+"/user/three"))
	want(t, mb, "10 [] "+mail("t"))
	must(t, fsys.Rename(root+"/user/three", root+"/user/cur/three:2,S"))
	want(t, mb, "10 [] "+mail("t"), `11 [\Seen] `+mail("t"))
	want(t, openMailbox(t, on(fsys), "INBOX"), "10 [] "+mail("t"), `11 [\Seen] `+mail("t"))
}

func TestBrokenUIDList(t *testing.T) {
	const file = "new/1.M1P1.vm,S=18,W=21"
	for _, tc := range []struct {
		name, list string
		aside      bool // a new UIDVALIDITY
		want       string
	}{
		{"good", "3 V9 N2 Gx\n1 :1.M1P1.vm,S=18,W=21\n", false, "1"},
		{"torn in the last line", "3 V9 N2 Gx\n1 :1.M1P1.vm,S=1", false, "2"},
		{"zeros after a crash", "3 V9 N2 Gx\n1 :1.M1P1.vm,S=18,W=21\n\x00\x00\x00\x00", false, "1"},
		{"zeros and a line after them", "3 V9 N2 Gx\n\x00\x00\x00\x001 :x\n7 :1.M1P1.vm,S=18,W=21\n", false, "7"},
		{"UIDs not in order", "3 V9 N2 Gx\n5 :other\n4 :1.M1P1.vm,S=18,W=21\n", false, "6"},
		{"one file twice", "3 V9 N2 Gx\n4 :1.M1P1.vm,S=18,W=21\n5 :1.M1P1.vm,S=18,W=21\n", false, "5"},
		{"UID zero", "3 V9 N2 Gx\n0 :1.M1P1.vm,S=18,W=21\n", false, "2"},
		{"no name", "3 V9 N2 Gx\n1 :\n", false, "2"},
		{"empty", "", true, "1"},
		{"torn in the header", "3 V9 N2", true, "1"},
		{"zeros", "\x00\x00\x00\x00\x00\x00\n", true, "1"},
		{"no UIDVALIDITY", "3 N2 Gx\n1 :1.M1P1.vm,S=18,W=21\n", true, "1"},
		{"another version", "1 9 2\n1 1.M1P1.vm,S=18,W=21\n", true, "1"},
		{"the last UID given", "3 V9 N2 Gx\n4294967295 :other\n", true, ""},
		{"no UID left", "3 V9 N4294967295 Gx\n", true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fsys := tree(t, " ", file)
			put(t, fsys, listFile, tc.list)
			b := on(fsys)
			mb := openMailbox(t, b, "INBOX")
			if tc.want == "" { // found out when the list is read
				if _, err := mb.Status(context.Background()); err == nil {
					t.Fatal("Status of a mailbox without a UID left succeeded")
				}
				mb, tc.want = openMailbox(t, b, "INBOX"), "1"
			}
			want(t, mb, tc.want+" [] "+mail("1"))
			if bad := in(fsys, "dovecot-uidlist.bad-*"); (len(bad) == 1) != tc.aside || len(bad) == 1 && fsys.Files()[bad[0]] != tc.list {
				t.Errorf("set aside: %q, want it set aside: %v", bad, tc.aside)
			}
			if v := status(t, mb).UIDValidity; (v != 9) != tc.aside {
				t.Errorf("UIDVALIDITY is %d", v)
			}
			uid := deliver(t, mb, "more")
			if _, bad := maildir.ParseUIDList(get(t, fsys, listFile)); bad != 0 {
				t.Errorf("after a delivery the list has %d bad lines: %q", bad, get(t, fsys, listFile))
			}
			want(t, openMailbox(t, on(fsys), "INBOX"), tc.want+" [] "+mail("1"), describe(t, mb)[1])
			if uid <= 1 {
				t.Errorf("the next UID is %d", uid)
			}

			// A delivery that reads no more than the ends of the list.
			fsys = tree(t, " ", file)
			put(t, fsys, listFile, tc.list)
			if mb = openMailbox(t, on(fsys), "INBOX"); tc.name == "the last UID given" || tc.name == "no UID left" {
				return
			}
			uid = deliver(t, mb, "more")
			for _, line := range strings.Split(tc.list, "\n") {
				if used, _, _ := strings.Cut(line, " "); !tc.aside && used >= fmt.Sprint(uid) && used != "3" {
					t.Errorf("UID %d is given, the list has %q", uid, line)
				}
			}
			if n := len(describe(t, mb)); n != 2 {
				t.Errorf("%d messages, want 2", n)
			}
		})
	}
}

// The lines of messages that are gone go when they are many, and no field of the
// others is lost.
func TestUIDListIsCompacted(t *testing.T) {
	fsys := tree(t, strings.Replace(golden(t), "N3", "N2000", 1), "cur/1795374080.M1P1.vm,S=18:2,FS")
	mb := openMailbox(t, on(fsys), "INBOX")
	var all mailparts.UIDSet
	for range 10 {
		placed, err := mb.Append(context.Background(), func(yield func(mailparts.Incoming, error) bool) {
			for range 60 {
				if !yield(incoming("x"), nil) {
					return
				}
			}
		})
		must(t, err)
		for _, r := range placed.UIDs {
			all.Add(r.First, r.Last)
		}
	}
	if all.Len() != 600 || all[0].First != 2000 {
		t.Fatalf("appended %v", all)
	}
	must(t, mb.Expunge(context.Background(), all, ""))
	list := get(t, fsys, listFile)
	const line = "\n2 W21 Xfoo P1.1795374075 :1795374080.M1P1.vm,S=18\n"
	if n := strings.Count(list, "\n"); n > 300 || !strings.Contains(list, line) || !strings.HasPrefix(list, "3 V1795374075 N2600 Gde784d0bfb3b036bae6b000083ecc375 Xunknown\n") {
		t.Errorf("the list has %d lines and begins with %.300q", n, list)
	}
	if uid := deliver(t, mb, "x"); uid != 2600 {
		t.Errorf("the next UID is %d", uid)
	}
	want(t, openMailbox(t, on(fsys), "INBOX"), `2 [\Flagged \Seen] `+mail("1"), "2600 [] x")
}

// A line that cannot be written whole is taken back: Dovecot would throw away a list
// with a torn line.
func TestUIDListIsNotTorn(t *testing.T) {
	fsys := tree(t, golden(t))
	mb := openMailbox(t, on(fsys), "INBOX")
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "write" && op.Path == listFile {
			return syscall.ENOSPC
		}
		return nil
	}
	if _, err := mailparts.Append(t.Context(), mb, incoming("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Append: %v, want ENOSPC", err)
	}
	if list := get(t, fsys, listFile); list != golden(t) {
		t.Errorf("the list is %q", list)
	}
}

// No UIDVALIDITY comes twice in a tree, Dovecot's counter included.
func TestUIDValidity(t *testing.T) {
	fsys := tree(t, "")
	put(t, fsys, root+"/user/dovecot-uidvalidity.6b033bfd", "")
	s := openStore(t, on(fsys))
	manager := s.(mailparts.Manager)
	for i := range 5 {
		must(t, manager.Create(t.Context(), "box"))
		mb, err := s.Mailbox(t.Context(), "box")
		must(t, err)
		if got := status(t, mb).UIDValidity; got != 0x6b033bfe+1+uint32(i) {
			t.Errorf("UIDVALIDITY %x", got)
		}
		must(t, manager.Delete(t.Context(), "box"))
	}
	if !exists(fsys, root+"/user/dovecot-uidvalidity.6b033c03") {
		t.Errorf("the counter is %q", in(fsys, "dovecot-uidvalidity*"))
	}
}

func TestUIDValidityUsedUp(t *testing.T) {
	fsys := tree(t, "")
	put(t, fsys, root+"/user/dovecot-uidvalidity.ffffffff", "")
	if _, err := on(fsys).Open(t.Context(), "user"); err == nil {
		t.Error("a UIDVALIDITY was given that there is not")
	}
}

// What was reserved before a crash is not given out after it, but for another
// UIDVALIDITY, or in the same run of the machine.
func TestReserved(t *testing.T) {
	for text, want := range map[string]mailparts.UID{
		"":                         6,
		"V9 F3 N1000 Bother\n":     1000,
		"V9 F3 N4 Bother\n":        6,
		"V9 F3 N1000 B-\n":         1000,
		"V9 F3 N1000 B0\n":         6, // the run of disktest.New
		"V9 F300 N1000 B0\n":       300,
		"V8 F3 N1000 Bother\n":     6,
		"V9 F3 N1000\n":            6,
		"V9 F3 N-1 Bother":         6,
		"V9 F3 N4294967290 Bother": 4294967290,
	} {
		fsys := tree(t, "3 V9 N3\n5 :x\n")
		put(t, fsys, root+"/user/mailparts-uidnext", text)
		if next := status(t, openMailbox(t, on(fsys), "INBOX")).UIDNext; next != want {
			t.Errorf("%q: UIDNext is %d, want %d", text, next, want)
		}
		if uid := deliver(t, openMailbox(t, on(fsys), "INBOX"), "x"); uid != want {
			t.Errorf("%q: the next UID is %d, want %d", text, uid, want)
		}
	}
}

func FuzzUIDList(f *testing.F) {
	f.Add(golden(f))
	f.Add("3 V1 N1 G\n")
	f.Add("3 V1 N4294967295\n4294967295 :x\n")
	f.Add("3  V1\n1  W :a:b\n\n2 :\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, _ := maildir.ParseUIDList(text)
		if list == "" {
			return
		}
		if again, bad := maildir.ParseUIDList(list); again != list || bad != 0 {
			t.Errorf("%q was read as %q, and that as %q with %d bad lines", text, list, again, bad)
		}
	})
}
