package maildir_test

import (
	"context"
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

// annotationList is what a mailbox or, with "", the account has, as "entry=value".
func annotationList(t testing.TB, s mailparts.Store, name string) string {
	t.Helper()
	all, err := mailparts.Annotations(context.Background(), s, name)
	must(t, err)
	var list []string
	for _, a := range all {
		list = append(list, fmt.Sprintf("%s=%s", a.Entry, a.Value))
	}
	return strings.Join(list, " ")
}

func wantAnnotationList(t testing.TB, s mailparts.Store, name, want string) {
	t.Helper()
	if got := annotationList(t, s, name); got != want {
		t.Errorf("%q has %s, want %s", name, got, want)
	}
}

func annotate(s mailparts.Store, name string, pairs ...string) error {
	var set []mailparts.Annotation
	for i := 0; i < len(pairs); i += 2 {
		set = append(set, mailparts.Annotation{Entry: pairs[i], Value: []byte(pairs[i+1])})
	}
	return mailparts.Annotate(context.Background(), s, name, set...)
}

// infoOf is what List says of a mailbox.
func infoOf(t testing.TB, s mailparts.Store, name string) (found mailparts.MailboxInfo) {
	t.Helper()
	for info, err := range s.List(context.Background()) {
		must(t, err)
		if info.Name == name {
			found = info
		}
	}
	return found
}

// What the files hold.
func TestAnnotationFiles(t *testing.T) {
	inLayouts(t, func(t *testing.T, on func(disk.FS) *maildir.Backend) {
		fsys := disktest.New()
		s := openStore(t, on(fsys))
		must(t, s.(mailparts.Manager).Create(t.Context(), "a", `\sent`, `\Archive`, `\Sent`))
		must(t, annotate(s, "a", "/private/X y", "one\ntwo\x00\xff\"", "/shared/E", "ü"))
		must(t, annotate(s, "", "/private/a", "the account's"))
		must(t, annotate(s, "INBOX", "/private/a", "INBOX's"))
		folder := map[bool]string{false: "a", true: ".a"}[exists(fsys, root+"/user/.a")]
		for name, want := range map[string]string{
			folder + "/mailparts-metadata": `mailparts annotations \Archive \Sent` + "\n" + `"one\ntwo\x00\xff\"" /private/x y` + "\n" + `"ü" /shared/e` + "\n",
			"mailparts-metadata-account":   "mailparts annotations\n" + `"the account's" /private/a` + "\n",
			"mailparts-metadata":           "mailparts annotations\n" + `"INBOX's" /private/a` + "\n",
		} {
			if got := get(t, fsys, root+"/user/"+name); got != want {
				t.Errorf("%s has %q, want %q", name, got, want)
			}
		}
		if use := infoOf(t, s, "a").Use; !slices.Equal(use, []string{`\Archive`, `\Sent`}) {
			t.Errorf("List says the uses are %q", use)
		}
		must(t, annotate(s, "a", "/private/specialuse", `\TRASH`))
		wantAnnotationList(t, openStore(t, on(fsys)), "a", "/private/specialuse=\\Trash /private/x y=one\ntwo\x00\xff\" /shared/e=ü")
	})
}

func TestAnnotateErrors(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, on(fsys))
	m := s.(mailparts.Manager)
	must(t, annotate(s, "INBOX", "/private/a", "as it was"))
	tooMany := make([]string, 0, 4000)
	for i := range 2000 {
		tooMany = append(tooMany, fmt.Sprint("/private/", i), "")
	}
	for call, tc := range map[string]struct{ err, want error }{
		"all messages as a use":     {m.Create(t.Context(), "x", `\All`), errors.ErrUnsupported},
		"flagged ones as a use":     {m.Create(t.Context(), "x", `\Sent`, `\Flagged`), errors.ErrUnsupported},
		"no use":                    {m.Create(t.Context(), "x", "Sent"), errors.ErrUnsupported},
		"no use, later":             {annotate(s, "INBOX", "/private/specialuse", `\Sent \x`), errors.ErrUnsupported},
		"a use of the account":      {annotate(s, "", "/private/specialuse", `\Sent`), errors.ErrUnsupported},
		"shared by all users":       {annotate(s, "", "/shared/a", "x"), mailparts.ErrPermission},
		"no entry":                  {annotate(s, "INBOX", "/private/b", "x", "/private/a*", "x"), mailparts.ErrBadName},
		"no entry of the account":   {annotate(s, "", "/other/a", "x"), mailparts.ErrBadName},
		"too large":                 {annotate(s, "INBOX", "/private/b", strings.Repeat("x", 1<<20)), mailparts.ErrLimit},
		"too large as it is quoted": {annotate(s, "INBOX", "/private/b", strings.Repeat("\x00", 1<<19)), mailparts.ErrLimit},
		"too many":                  {annotate(s, "INBOX", tooMany...), mailparts.ErrLimit},
		"no mailbox":                {annotate(s, "none", "/private/a", "x"), mailparts.ErrNoMailbox},
		"no name":                   {annotate(s, "a//b", "/private/a", "x"), mailparts.ErrBadName},
	} {
		if !errors.Is(tc.err, tc.want) {
			t.Errorf("%s: %v, want %v", call, tc.err, tc.want)
		}
	}
	wantAnnotationList(t, s, "INBOX", "/private/a=as it was")
	wantAnnotationList(t, s, "", "")
	wantNames(t, s, "INBOX")
}

// A damaged file yields what is good in it, and is kept when it is replaced.
func TestAnnotationsDamaged(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, on(fsys))
	file := root + "/user/mailparts-metadata"
	damaged := "mailparts annotations \\Sent \\Nonsense\n\"good\" /private/a\nbad\n\"torn\" /private/b"
	put(t, fsys, file, damaged)
	for range 2 {
		wantAnnotationList(t, s, "INBOX", `/private/a=good /private/specialuse=\Sent`)
	}
	must(t, annotate(s, "INBOX", "/private/c", "new"))
	wantAnnotationList(t, s, "INBOX", `/private/a=good /private/c=new /private/specialuse=\Sent`)
	kept := in(fsys, "mailparts-metadata.bad-*")
	if len(kept) != 1 || get(t, fsys, kept[0]) != damaged {
		t.Errorf("kept: %q", kept)
	}
	must(t, annotate(s, "INBOX", "/private/c", "newer"))
	if kept = in(fsys, "mailparts-metadata.bad-*"); len(kept) != 1 {
		t.Errorf("what is good is kept too: %q", kept)
	}

	put(t, fsys, file, "\x00\x00\x00")
	var found []string
	for problem, err := range on(fsys).Repair(t.Context(), "user") {
		must(t, err)
		found = append(found, problem.String())
	}
	if len(found) != 1 || found[0] != file+": has 1 bad lines (set it aside and keep what is good in it)" || get(t, fsys, file) != "mailparts annotations\n" {
		t.Errorf("Repair finds %q", found)
	}
}

func TestParseAnnotations(t *testing.T) {
	for text, tc := range map[string]struct {
		written string
		bad     int
	}{
		"":                           {"mailparts annotations\n", 0},
		"mailparts annotations":      {"mailparts annotations\n", 0},
		"mailparts annotations \\\n": {"mailparts annotations\n", 1},
		"mailparts annotationsx\n":   {"mailparts annotations\n", 1},
		"\"v\" /private/a\n":         {"mailparts annotations\n\"v\" /private/a\n", 1},
		"\n\"v\" /private/a\n":       {"mailparts annotations\n\"v\" /private/a\n", 1},
		"mailparts annotations  \\JUNK \\junk\n`raw` /Shared/A\n\"\" /shared/b c\n": {"mailparts annotations \\Junk\n\"raw\" /shared/a\n\"\" /shared/b c\n", 0},
		"mailparts annotations\n\"v\"/private/a\n\"v\" /other/a\nv /private/a\n\n":  {"mailparts annotations\n", 4},
	} {
		if got, bad := maildir.ParseAnnotations(text); got != tc.written || bad != tc.bad {
			t.Errorf("%q is %q with %d bad lines, want %q with %d", text, got, bad, tc.written, tc.bad)
		}
	}
}

func FuzzParseAnnotations(f *testing.F) {
	f.Add("mailparts annotations \\Sent\n\"v\\x00\" /private/a b\n")
	f.Add("\"v\" /private/a\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		written, _ := maildir.ParseAnnotations(text)
		if again, bad := maildir.ParseAnnotations(written); again != written || bad > 0 {
			t.Errorf("%q is %q, and that is %q with %d bad lines", text, written, again, bad)
		}
	})
}

// annotating is a mailbox with a use, made, and annotations, changed; and what was
// answered.
func annotating(t *testing.T, fsys *disktest.FS) (answered map[string]bool) {
	answered = map[string]bool{}
	s, err := on(fsys).Open(t.Context(), "user")
	if err != nil {
		return answered
	}
	answered["create"] = s.(mailparts.Manager).Create(t.Context(), "sent", `\Sent`) == nil
	answered["set"] = annotate(s, "old", "/private/a", "new", "/private/b", "new") == nil
	answered["account"] = annotate(s, "", "/private/a", "new") == nil
	return answered
}

func checkAnnotating(t *testing.T, fsys *disktest.FS, answered map[string]bool) {
	s := openStore(t, on(fsys))
	// Whoever was not answered may find it with its use or without.
	if use := infoOf(t, s, "sent").Use; !slices.Equal(use, []string{`\Sent`}) && (answered["create"] || len(use) > 0) {
		t.Errorf("the uses are %q", use)
	}
	for call, tc := range map[string]struct{ name, before, after string }{
		"set":     {"old", `/private/a=old /private/specialuse=\Junk`, `/private/a=new /private/b=new /private/specialuse=\Junk`},
		"account": {"", "", "/private/a=new"},
	} {
		got := annotationList(t, s, tc.name)
		if got != tc.after && (answered[call] || got != tc.before) {
			t.Errorf("%s, answered %v: %q", call, answered[call], got)
		}
		must(t, annotate(s, tc.name, "/private/z", "after"))
	}
}

func setUpAnnotating(t *testing.T, fsys *disktest.FS) {
	s := openStore(t, on(fsys))
	must(t, s.(mailparts.Manager).Create(t.Context(), "old", `\Junk`))
	must(t, annotate(s, "old", "/private/a", "old"))
}

func TestCrashAnnotations(t *testing.T) {
	disktest.Crash(t, func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { setUpAnnotating(t, fsys) })
	}, func(fsys *disktest.FS) (answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { answered = annotating(t, fsys) })
		return answered
	}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { checkAnnotating(t, after, answered) })
	})
}

func TestFailAnnotations(t *testing.T) {
	disktest.Fail(t, syscall.ENOSPC, func(fsys *disktest.FS) {
		synctest.Test(t, func(t *testing.T) { setUpAnnotating(t, fsys) })
	}, func(fsys *disktest.FS) (answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) { answered = annotating(t, fsys) })
		return answered
	}, func(t *testing.T, after *disktest.FS, answered map[string]bool) {
		synctest.Test(t, func(t *testing.T) {
			if _, err := openStore(t, on(after)).Mailbox(t.Context(), "sent"); (err == nil) != answered["create"] {
				t.Errorf("Create, answered %v: %v", answered["create"], err)
			}
			checkAnnotating(t, after, answered)
		})
	})
}

// A mailbox that another program has made has its ID as soon as it is listed.
func TestListCompletes(t *testing.T) {
	fsys := disktest.New()
	s := openStore(t, on(fsys))
	must(t, disk.MkdirAll(fsys, root+"/user/.made", 0o700))
	id := infoOf(t, s, "made").ID
	mb, err := s.Mailbox(t.Context(), "made")
	must(t, err)
	if st := status(t, mb); id == "" || id != st.ID {
		t.Errorf("List says the ID is %q, Status says %q", id, st.ID)
	}
	must(t, disk.MkdirAll(fsys, root+"/user/.full", 0o700))
	fsys.Before = func(op disktest.Op) error {
		if op.Name == "mkdir" {
			return syscall.ENOSPC
		}
		return nil
	}
	wantNames(t, s, "INBOX", "full", "made")
}
