package maildir_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

// courierTree is INBOX as Courier leaves it, durably: message 2 is in new/, what was
// 4 and 6 is gone, 9 has come since.
func courierTree(t testing.TB, fsys *disktest.FS, more map[string]string) {
	files := map[string]string{
		"new/12.M1P1.h":      "b\n",
		"cur/11.M1P1.h:2,FS": "a\n",
		"cur/13.M1P1.h:2,":   "c\n",
		"cur/15.M1P1.h:2,T":  "e\n",
		"new/19.M1P1.h":      "i\n",

		"courierimapuiddb":                  "1 795398282 8\n1 11.M1P1.h\n2 12.M1P1.h\n3 13.M1P1.h\n4 14.M1P1.h\n7 15.M1P1.h\n",
		"courierimapkeywords/:list":         "Work\n$Forwarded\n\n11.M1P1.h:1 0\n12.M1P1.h:0\n13.M1P1.h:1\n14.M1P1.h:1\n",
		"courierimapkeywords/.58.13.M1P1.h": "$Forwarded\nWork\n",
		"courierimapkeywords/.59.13.M1P1.h": "Home\n",
		"courierimapkeywords/15.M1P1.h":     "Work\n",
		"courierimapkeywords/.60.15.M1P1.h": "",
		"courierimapkeywords/14.M1P1.h":     "Gone\n",
		"courierpop3dsizelist":              "/3 9 77\n11.M1P1.h:2,S 21 5:77:0\n15.M1P1.h:2, 21 0:0:0\n19.M1P1.h:2, 21 8:77:0\n",
		"courierimapsubscribed":             "INBOX\nINBOX.a.b\nINBOX.&APw-\nINBOX.ü\nshared.x\nINBOX.\n",
	}
	maps.Copy(files, more)
	for name, content := range files {
		path := root + "/user/" + name
		must(t, disk.MkdirAll(fsys, filepath.Dir(path), 0o700))
		if content != "" || strings.HasPrefix(name, "courierimapkeywords/") {
			must(t, disk.WriteFile(fsys, path, []byte(content), 0o600))
		}
	}
	must(t, disk.MkdirAll(fsys, root+"/user/tmp", 0o700))
}

// courierFiles are the names in new/ and cur/ after it.
var courierFiles = []string{
	root + "/user/cur/11.M1P1.h:2,FSab", root + "/user/cur/13.M1P1.h:2,c", root + "/user/cur/15.M1P1.h:2,Ta",
	root + "/user/new/12.M1P1.h:2,a", root + "/user/new/19.M1P1.h",
}

// checkCourier looks at what has become of courierTree.
func checkCourier(t *testing.T, fsys *disktest.FS) {
	t.Helper()
	s := openStore(t, on(fsys))
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	if st := status(t, mb); st.UIDValidity != 795398282 || st.UIDNext != 9 {
		t.Errorf("Status is %+v", st)
	}
	var got []string
	for _, line := range describe(t, mb) {
		uid, _, _ := strings.Cut(line, " ")
		got = append(got, uid+line[len(line)-3:])
	}
	if want := []string{"1a\r\n", "2b\r\n", "3c\r\n", "7e\r\n", "8i\r\n"}; !slices.Equal(got, want) {
		t.Errorf("messages are %q, want %q", got, want)
	}
	if files := in(fsys, "[nc][eu][wr]/*"); !slices.Equal(files, courierFiles) {
		t.Errorf("files are %q", files)
	}
	if text := get(t, fsys, keywordsFile); text != "0 Work\n1 $Forwarded\n2 Home\n" {
		t.Errorf("keywords are %q", text)
	}
	head, lines, _ := strings.Cut(get(t, fsys, listFile), "\n")
	if !strings.HasPrefix(head, "3 V795398282 N9 G") || lines != "1 PUID5-77 :11.M1P1.h\n2 :12.M1P1.h\n3 :13.M1P1.h\n4 :14.M1P1.h\n"+
		"7 P15.M1P1.h :15.M1P1.h\n8 PUID8-77 :19.M1P1.h\n" {
		t.Errorf("the uidlist is %q, %q", head, lines)
	}
	subs, err := s.(mailparts.Subscriber).Subscribed(t.Context())
	if err != nil || !slices.Equal(subs, []string{"INBOX", "a/b", "ü"}) {
		t.Errorf("subscribed to %q, %v", subs, err)
	}
	if taken := in(fsys, "courierimapuiddb*"); len(taken) != 1 || !strings.Contains(taken[0], ".taken-") {
		t.Errorf("Courier's UIDs are in %q", taken)
	}
}

func TestCourier(t *testing.T) {
	fsys := disktest.New()
	courierTree(t, fsys, nil)
	must(t, disk.WriteFile(fsys, root+"/user/dovecot-uidvalidity.00000007", nil, 0o600))
	checkCourier(t, fsys)
	checkCourier(t, fsys.Reboot(disktest.Strict))

	// The tree never gives that UIDVALIDITY out.
	s := openStore(t, on(fsys))
	must(t, s.(mailparts.Manager).Create(t.Context(), "box"))
	mb, err := s.Mailbox(t.Context(), "box")
	must(t, err)
	if v := status(t, mb).UIDValidity; v != 795398283 {
		t.Errorf("the next UIDVALIDITY is %d", v)
	}

	// Nor is it taken over twice: a list that is lost with the index is lost.
	must(t, fsys.Remove(listFile))
	must(t, fsys.Remove(root+"/user/mailparts-index"))
	if v := status(t, openMailbox(t, on(fsys), "INBOX")).UIDValidity; v != 795398284 {
		t.Errorf("without a list the UIDVALIDITY is %d", v)
	}
}

// At whatever operation the machine stops or the disk is full, all is taken over, at
// last.
func TestCourierCrash(t *testing.T) {
	setUp := func(fsys *disktest.FS) { courierTree(t, fsys, nil) }
	open := func(fsys *disktest.FS) (err error) {
		synctest.Test(t, func(t *testing.T) { _, err = on(fsys).Open(t.Context(), "user") })
		return err
	}
	check := func(t *testing.T, after *disktest.FS, err error) {
		synctest.Test(t, func(t *testing.T) { checkCourier(t, after) })
	}
	disktest.Crash(t, setUp, open, check)
	disktest.Fail(t, syscall.ENOSPC, setUp, open, check)
}

func TestCourierBroken(t *testing.T) {
	const uids = root + "/user/courierimapuiddb"
	for _, junk := range []string{"\x00\x00\x00\n", "1 795398282"} {
		fsys := disktest.New()
		courierTree(t, fsys, map[string]string{"courierimapuiddb": junk})
		mb := openMailbox(t, on(fsys), "INBOX")
		if st := status(t, mb); st.UIDValidity == 795398282 || st.UIDNext != 6 {
			t.Errorf("%q: Status is %+v", junk, st)
		}
		if files := in(fsys, "[nc][eu][wr]/*"); !slices.Equal(files, courierFiles) {
			t.Errorf("%q: files are %q", junk, files)
		}
		if list := get(t, fsys, listFile); strings.Count(list, " P") != 3 {
			t.Errorf("%q: POP3 unique-ids in the list: %q", junk, list)
		}
		if bad := in(fsys, "courierimapuiddb.bad-*"); len(bad) != 1 || get(t, fsys, bad[0]) != junk || exists(fsys, uids) {
			t.Errorf("%q: set aside: %q", junk, bad)
		}
	}

	// Lines that are none, and files that cannot be read at all.
	fsys := disktest.New()
	courierTree(t, fsys, map[string]string{
		"courierimapuiddb":          "1 9 3\n1 11.M1P1.h\nx\n2 12.M1P1.h",
		"courierimapkeywords/:list": "\x00",
		"courierpop3dsizelist":      "/1 9\n",
	})
	mb := openMailbox(t, on(fsys), "INBOX")
	if st := status(t, mb); st.UIDValidity != 9 || st.Messages != 5 || st.UIDNext != 6 {
		t.Errorf("Status is %+v", st)
	}
}

// What cannot be kept of many keywords is the rarest, and is reported.
func TestCourierKeywords(t *testing.T) {
	fsys := disktest.New()
	list := "no atom)\n"
	for i := range 27 {
		list += fmt.Sprintf("k%02d\n", i)
	}
	list += "K00\n\n11.M1P1.h:0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28\n12.M1P1.h:27 1\n"
	courierTree(t, fsys, map[string]string{
		"courierimapkeywords/:list":     list,
		"dovecot-keywords":              "1 Mine\n",
		"cur/13.M1P1.h:2,":              "", // renamed:
		"cur/13.M1P1.h:2,ab":            "c\n",
		"cur/15.M1P1.h:2,T":             "",
		"cur/16.M1P1.h":                 "f\n",
		"courierimapkeywords/16.M1P1.h": "k26\n",
	})
	var said bytes.Buffer
	b := on(fsys)
	b.Logger = slog.New(slog.NewTextHandler(&said, nil))
	openMailbox(t, b, "INBOX")
	k := maildir.ParseKeywords(get(t, fsys, keywordsFile))
	names := k.Names()
	if names[0] != "unknown-0" || names[1] != "Mine" || names[2] != "k26" || names[3] != "k00" {
		t.Errorf("keywords are %q", names)
	}
	if !slices.Contains(in(fsys, "cur/*"), root+"/user/cur/16.M1P1.h:2,c") {
		t.Errorf("files are %q", in(fsys, "cur/*"))
	}
	if n := strings.Count(said.String(), "a keyword of Courier's"); n != 5 { // with Home and what is no atom
		t.Errorf("%d reports: %s", n, said.String())
	}
}
