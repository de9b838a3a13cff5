package maildir_test

import (
	"errors"
	"fmt"
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

// serveFirst makes a tree of our own: UID 2 is gone, 1 and 4 have keywords, 3 is in
// new/, and "a/b" is empty.
func serveFirst(t testing.TB, fsys *disktest.FS) {
	s := openStore(t, on(fsys))
	must(t, s.(mailparts.Manager).Create(t.Context(), "a/b"))
	must(t, s.(mailparts.Subscriber).Subscribe(t.Context(), "a/b", true))
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	deliver(t, mb, "a\r\n", `\Seen`, "Work")
	deliver(t, mb, "b\r\n")
	deliver(t, mb, "c\r\n")
	deliver(t, mb, "d\r\n", "Work", "Home")
	must(t, mb.Expunge(t.Context(), uids(2), ""))
	must(t, fsys.SyncDir(root+"/user"))
}

// sortedLines is a text's lines after the first.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:]
	slices.Sort(lines)
	return lines
}

func TestToCourier(t *testing.T) {
	fsys := disktest.New()
	serveFirst(t, fsys)
	b := on(fsys)
	mb := openMailbox(t, b, "INBOX")
	before, lines := status(t, mb), describe(t, mb)
	list := get(t, fsys, listFile)
	must(t, b.ToCourier(t.Context(), "user"))
	must(t, b.ToCourier(t.Context(), "user")) // does nothing

	dir := root + "/user/"
	if exists(fsys, listFile) || exists(fsys, dir+".a.b/dovecot-uidlist") || !exists(fsys, dir+".a.b/courierimapuiddb") {
		t.Error("a mailbox is not Courier's")
	}
	if files := in(fsys, "new/*"); len(files) > 0 {
		t.Errorf("in new/ are %q", files)
	}
	uidsText := get(t, fsys, dir+"courierimapuiddb")
	if rows := sortedLines(uidsText); len(rows) != 3 || rows[0][:2] != "1 " || rows[1][:2] != "3 " || rows[2][:2] != "4 " {
		t.Errorf("UIDs are %q", uidsText)
	}
	words := get(t, fsys, dir+"courierimapkeywords/:list")
	if !strings.HasPrefix(words, "Work\nHome\n\n") || strings.Count(words, ":0\n") != 1 || strings.Count(words, ":0 1\n") != 1 {
		t.Errorf("keywords are %q", words)
	}
	if subs := get(t, fsys, dir+"courierimapsubscribed"); subs != "INBOX.a.b\n" {
		t.Errorf("subscribed to %q", subs)
	}
	if _, err := mb.Status(t.Context()); !errors.Is(err, mailparts.ErrNoMailbox) {
		t.Errorf("a handle to a mailbox that is Courier's says %v", err)
	}

	// It comes back as it was, the lines' other fields included.
	mb = openMailbox(t, b, "INBOX")
	after := status(t, mb)
	if after.ID != before.ID || after.UIDValidity != before.UIDValidity || after.UIDNext != before.UIDNext {
		t.Errorf("Status was %+v and is %+v", before, after)
	}
	if got := describe(t, mb); !slices.Equal(got, lines) {
		t.Errorf("messages were %q and are %q", lines, got)
	}
	if got := get(t, fsys, listFile); !slices.IsSortedFunc(sortedLines(got), strings.Compare) || len(sortedLines(got)) != 3 {
		t.Errorf("the uidlist was %q and is %q", list, got)
	}
	if exists(fsys, dir+"mailparts-uidlist-given") {
		t.Error("the uidlist of before is still there")
	}
}

// What Courier has changed is taken, but for a UID that means another message.
func TestToCourierAndBack(t *testing.T) {
	fsys := disktest.New()
	serveFirst(t, fsys)
	b := on(fsys)
	before := status(t, openMailbox(t, b, "INBOX"))
	must(t, b.ToCourier(t.Context(), "user"))
	dir := root + "/user/"
	for _, file := range in(fsys, "cur/*") {
		if strings.HasSuffix(file, "ab") || strings.HasSuffix(file, "ba") { // UID 4
			must(t, fsys.Rename(file, strings.TrimRight(file, "ab")+"F"))
		}
	}
	words := get(t, fsys, dir+"courierimapkeywords/:list")
	base, _, _ := strings.Cut(words[strings.Index(words, "\n\n")+2:], ":")
	put(t, fsys, dir+"courierimapkeywords/"+base, "New\n") // UID 1
	put(t, fsys, dir+"cur/1795374099.M1P1.h:2,", "e\n")
	put(t, fsys, dir+"cur/1795374098.M1P1.h:2,", "f\n")
	put(t, fsys, dir+"courierimapuiddb", get(t, fsys, dir+"courierimapuiddb")+"9 1795374099.M1P1.h\n2 1795374098.M1P1.h\n")
	put(t, fsys, dir+"courierimapsubscribed", "INBOX.c\n")

	s := openStore(t, b)
	mb, err := s.Mailbox(t.Context(), "INBOX")
	must(t, err)
	if st := status(t, mb); st.UIDValidity != before.UIDValidity || st.UIDNext != 11 || st.HighestModSeq <= before.HighestModSeq {
		t.Errorf("Status was %+v and is %+v", before, st)
	}
	var got []string
	for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
		must(t, err)
		body, err := readBody(mb, m.UID)
		must(t, err)
		var flags []string
		for _, f := range m.Flags {
			flags = append(flags, string(f))
		}
		slices.Sort(flags)
		got = append(got, body[:1]+" "+strings.Join(flags, " "))
	}
	if want := []string{`a New \Seen`, "c ", `d Home Work \Flagged`, "e ", "f "}; !slices.Equal(got, want) {
		t.Errorf("messages are %q, want %q", got, want)
	}
	subs, err := s.(mailparts.Subscriber).Subscribed(t.Context())
	if err != nil || !slices.Equal(subs, []string{"c"}) {
		t.Errorf("subscribed to %q, %v", subs, err)
	}

	// From what Courier has broken it cannot go on.
	must(t, b.ToCourier(t.Context(), "user"))
	put(t, fsys, dir+"courierimapuiddb", "\x00")
	mb = openMailbox(t, b, "INBOX")
	if st := status(t, mb); st.UIDValidity == before.UIDValidity || st.Messages != 5 {
		t.Errorf("Status is %+v", st)
	}
	if exists(fsys, dir+"mailparts-uidlist-given") {
		t.Error("the uidlist of before is still there")
	}
}

// At whatever operation the machine stops or the disk is full, on the way there or
// back, the mailbox stays as it is.
func TestToCourierCrash(t *testing.T) {
	type promise struct {
		given bool
		err   error
	}
	setUp := func(fsys *disktest.FS) { synctest.Test(t, func(t *testing.T) { serveFirst(t, fsys) }) }
	work := func(fsys *disktest.FS) (p promise) {
		synctest.Test(t, func(t *testing.T) {
			b := on(fsys)
			if p.err = b.ToCourier(t.Context(), "user"); p.err == nil {
				p.given = true
				_, p.err = b.Open(t.Context(), "user")
			}
		})
		return p
	}
	check := func(t *testing.T, after *disktest.FS, p promise) {
		synctest.Test(t, func(t *testing.T) {
			if p.given && p.err != nil && !exists(after, root+"/user/.a.b/courierimapuiddb") {
				t.Error("a mailbox is not Courier's any more")
			}
			if exists(after, listFile) && exists(after, root+"/user/mailparts-uidlist-given") {
				t.Error("two uidlists")
			}
			s := openStore(t, on(after))
			for _, name := range []string{"INBOX", "a/b"} {
				mb, err := s.Mailbox(t.Context(), name)
				must(t, err)
				var got []string
				for _, line := range describe(t, mb) {
					uid, _, _ := strings.Cut(line, " ")
					got = append(got, uid+line[len(line)-3:])
				}
				want := []string{"1a\r\n", "3c\r\n", "4d\r\n"}
				if name != "INBOX" {
					want = nil
				}
				if !slices.Equal(got, want) {
					t.Errorf("messages of %s are %q, want %q", name, got, want)
				}
				if exists(after, root+"/user/mailparts-uidlist-given") {
					t.Error("the uidlist of before is still there")
				}
			}
			if text := get(t, after, keywordsFile); text != "0 Work\n1 Home\n" {
				t.Errorf("keywords are %q", text)
			}
			if files := in(after, "cur/*"); !slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, ":2,Sa") }) ||
				!slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, ":2,ab") }) {
				t.Errorf("files are %q", files)
			}
		})
	}
	disktest.Crash(t, setUp, work, check)
	disktest.Fail(t, syscall.ENOSPC, setUp, work, check)
}

func TestToCourierRefuses(t *testing.T) {
	fsys := disktest.New()
	b := on(fsys)
	if err := b.ToCourier(t.Context(), "user"); !errors.Is(err, mailparts.ErrNoUser) {
		t.Errorf("without a tree: %v", err)
	}
	for _, b := range []*maildir.Backend{{Root: root, Layout: maildir.Folders}, {Root: root, CRLF: true}} {
		b.SetFS(fsys)
		if err := b.ToCourier(t.Context(), "user"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

// The same while what Courier has changed is taken.
func TestBackFromCourierCrash(t *testing.T) {
	setUp := func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) {
			serveFirst(t, fsys)
			must(t, on(fsys).ToCourier(t.Context(), "user"))
			dir := root + "/user/"
			write := func(name, text string) { must(t, disk.WriteFile(fsys, dir+name, []byte(text), 0o600)) }
			write("courierimapkeywords/:list", "Home\n\n1795374099.M1P1.h:0\n") // all others have none now
			write("cur/1795374099.M1P1.h:2,", "e\n")
			write("courierimapuiddb", get(t, fsys, dir+"courierimapuiddb")+"9 1795374099.M1P1.h\n")
		})
	}
	open := func(fsys *disktest.FS) (err error) {
		synctest.Test(t, func(t *testing.T) { _, err = on(fsys).Open(t.Context(), "user") })
		return err
	}
	check := func(t *testing.T, after *disktest.FS, err error) {
		synctest.Test(t, func(t *testing.T) {
			mb := openMailbox(t, on(after), "INBOX")
			var got []string
			for m, err := range mb.Messages(t.Context(), mailparts.AllUIDs(), mailparts.Query{}) {
				must(t, err)
				got = append(got, fmt.Sprint(m.UID, m.Flags))
			}
			if want := []string{`1 [\Seen]`, "3 []", "4 []", "9 [Home]"}; !slices.Equal(got, want) {
				t.Errorf("messages are %q, want %q", got, want)
			}
		})
	}
	disktest.Crash(t, setUp, open, check)
	disktest.Fail(t, syscall.ENOSPC, setUp, open, check)
}
