package maildir_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	"github.com/mailparts/mailparts/maildir"
)

func TestKeywordsFile(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		bad        int
		after      string // as it is written again
	}{
		{"none", "", 0, ""},
		{"as Dovecot writes it", "0 $Forwarded\n1 Work\n25 z\n", 0, "0 $Forwarded\n1 Work\n25 z\n"},
		{"no line end", "0 Work", 0, "0 Work\n"},
		{"CRLF", "0 Work\r\n1 Home\r\n", 0, "0 Work\n1 Home\n"},
		{"empty lines", "\n0 Work\n\n", 0, "0 Work\n"},
		{"not in order, with a hole", "7 b\n0 a\n", 0, "0 a\n7 b\n"},
		{"more than letters", "0 a\n26 z z\n4294967295 \xff\r\n", 0, "0 a\n26 z z\n4294967295 \xff\r\n"},
		{"no number", "a\n0 Work\nx Work\n-1 Work\n4294967296 Work\n", 4, "0 Work\n"},
		{"a number twice", "0 a\n0 b\n", 1, "0 b\n"},
		{"a name twice", "0 a\n1 A\n", 1, "0 a\n1 unknown-1\n"},
		{"no name", "3\n4 \n0 a\n", 2, "0 a\n3 unknown-3\n4 unknown-4\n"},
		{"names that are none", "0 a b\n1 \\Seen\n2 ü\n", 3, "0 unknown-0\n1 unknown-1\n2 unknown-2\n"},
		{"a good name later", "0 a b\n0 c\n", 1, "0 c\n"},
		{"a name of ours", "0 unknown-1\n1 (\n", 1, "0 unknown-1\n1 unknown-1?\n"},
		{"zeros after a crash", "0 a\n\x00\x00\x00\x00", 1, "0 a\n"},
	} {
		k := maildir.ParseKeywords(tc.text)
		if k.Bad() != tc.bad || k.Text() != tc.after {
			t.Errorf("%s: %d bad lines and %q, want %d and %q", tc.name, k.Bad(), k.Text(), tc.bad, tc.after)
		}
	}
}

func TestKeywordsFind(t *testing.T) {
	k := maildir.ParseKeywords("0 $Forwarded\n2 Work\n")
	if n, ok := k.Find("wORK"); n != 2 || !ok {
		t.Errorf("wORK is %d, %v", n, ok)
	}
	for _, f := range []mailparts.Flag{"", "Wor", "Worl", "unknown-1"} {
		if n, ok := k.Find(f); ok {
			t.Errorf("%q is %d", f, n)
		}
	}
	if names := k.Names(); names[0] != "$Forwarded" || names[1] != "" || names[2] != "Work" {
		t.Errorf("names are %q", names)
	}
}

func TestKeywordsAdd(t *testing.T) {
	k := maildir.ParseKeywords("0 a\n2 c\n")
	if changed, err := k.Add("C", "A"); changed || err != nil {
		t.Errorf("Add of what is there: %v, %v", changed, err)
	}
	if changed, err := k.Add("B", "b", "d"); !changed || err != nil || k.Text() != "0 a\n1 B\n2 c\n3 d\n" {
		t.Errorf("Add into a hole and to the end: %v, %v, %q", changed, err, k.Text())
	}
	before := k.Text()
	if changed, err := k.Add("e", "no atom"); changed || !errors.Is(err, mailparts.ErrLimit) || k.Text() != before {
		t.Errorf("Add of what is no keyword: %v, %v, %q", changed, err, k.Text())
	}
	var more []mailparts.Flag
	for i := range 22 {
		more = append(more, mailparts.Flag(fmt.Sprint("k", i)))
	}
	if changed, err := k.Add(append(more, "one too many")...); changed || !errors.Is(err, mailparts.ErrLimit) || k.Text() != before {
		t.Errorf("Add of too many: %v, %v, %q", changed, err, k.Text())
	}
	if changed, err := k.Add(more...); !changed || err != nil {
		t.Errorf("Add of 26 in all: %v, %v", changed, err)
	}
	if changed, err := k.Add("27"); changed || !errors.Is(err, mailparts.ErrLimit) {
		t.Errorf("Add of the 27th: %v, %v", changed, err)
	}
	if changed, err := k.Add("K21", "a"); changed || err != nil {
		t.Errorf("Add of what is there already: %v, %v", changed, err)
	}
}

// Letters in files' names whose keywords nobody knows any more.
func TestKeywordsClaim(t *testing.T) {
	k := maildir.ParseKeywords("1 b\n5 Unknown-0\n")
	if !k.Claim(1<<0|1<<1|1<<25) || k.Text() != "0 unknown-0?\n1 b\n5 Unknown-0\n25 unknown-25\n" {
		t.Errorf("names are %q", k.Text())
	}
	if k.Claim(1<<0 | 1<<1 | 1<<25) {
		t.Error("a second claim changed something")
	}
}

func TestCheckKeyword(t *testing.T) {
	for _, f := range []mailparts.Flag{"$Forwarded", "a", "x+y-z.1!", "unknown-0?", mailparts.Flag(strings.Repeat("k", 255))} {
		if err := maildir.CheckKeyword(f); err != nil {
			t.Errorf("%.20q: %v", f, err)
		}
	}
	for _, f := range []mailparts.Flag{"", " ", "a b", "a\r\n", "\x00", "\x7f", "ü", "(", ")", "{1}", "%", "*", `"`, `\Seen`, "a]", mailparts.Flag(strings.Repeat("k", 256))} {
		if err := maildir.CheckKeyword(f); !errors.Is(err, mailparts.ErrLimit) {
			t.Errorf("%.20q: %v, want ErrLimit", f, err)
		}
	}
}

const keywordsFile = root + "/user/dovecot-keywords"

// A broken file is kept under another name, also where there are no links, and what
// was good in it stays.
func TestKeywordsSetAside(t *testing.T) {
	const junk = "\x00\x01\x02\n1 Work\n"
	for _, links := range []bool{true, false} {
		fsys := tree(t, "")
		b := on(fsys)
		if k, there, err := b.ReadKeywords(root + "/user"); there || err != nil || k.Text() != "" {
			t.Fatalf("no file: %v, %v, %q", there, err, k.Text())
		}
		put(t, fsys, keywordsFile, junk)
		k, there, err := b.ReadKeywords(root + "/user")
		if !there || err != nil || k.Bad() != 1 {
			t.Fatalf("a broken file: %v, %v, %d bad lines", there, err, k.Bad())
		}
		fsys.Before = func(op disktest.Op) error {
			if op.Name == "link" && !links {
				return syscall.EPERM
			}
			return nil
		}
		k.Claim(1)
		must(t, b.WriteKeywords(root+"/user", k))
		if got := get(t, fsys, keywordsFile); got != "0 unknown-0\n1 Work\n" {
			t.Errorf("the file is %q", got)
		}
		if bad := in(fsys, "dovecot-keywords.bad-*"); len(bad) != 1 || get(t, fsys, bad[0]) != junk {
			t.Errorf("set aside: %q", bad)
		}
		must(t, b.WriteKeywords(root+"/user", maildir.ParseKeywords("0 a\n")))
		if bad := in(fsys, "dovecot-keywords.bad-*"); len(bad) != 1 {
			t.Errorf("set aside after a good file: %q", bad)
		}
	}
}

func TestKeywordsTooLong(t *testing.T) {
	fsys := tree(t, "")
	put(t, fsys, keywordsFile, "0 a\n"+strings.Repeat("99 x\n", 1<<20))
	k, _, err := on(fsys).ReadKeywords(root + "/user")
	if err != nil || k.Bad() == 0 || k.Text() != "0 a\n" {
		t.Errorf("%d bad lines, %d octets, %v", k.Bad(), len(k.Text()), err)
	}
}

// Whatever fails and wherever the machine stops: the file is the old or the new one.
func TestKeywordsCrash(t *testing.T) {
	const old, new = "0 a\njunk\n", "0 a\n1 b\n"
	setUp := func(fsys *disktest.FS) {
		must(t, disk.MkdirAll(fsys, root+"/user", 0o700))
		must(t, disk.WriteFile(fsys, keywordsFile, []byte(old), 0o600))
	}
	write := func(fsys *disktest.FS) error {
		b := on(fsys)
		k, _, err := b.ReadKeywords(root + "/user")
		if err != nil {
			return err
		}
		if _, err := k.Add("b"); err != nil {
			return err
		}
		return b.WriteKeywords(root+"/user", k)
	}
	check := func(t *testing.T, after *disktest.FS, err error) {
		if got := get(t, after, keywordsFile); got != new && (got != old || err == nil) {
			t.Errorf("after %v the file is %q", err, got)
		}
	}
	disktest.Crash(t, setUp, write, check)
	disktest.Fail(t, syscall.ENOSPC, setUp, write, check)
}

func FuzzKeywords(f *testing.F) {
	f.Add("0 $Forwarded\n1 Work\n")
	f.Add("0 a\r\n0 A\n1 a\n26 x\n\x00\n3\n25 unknown-3\n")
	f.Fuzz(func(t *testing.T, text string) {
		k := maildir.ParseKeywords(text)
		for n, name := range k.Names() {
			if name == "" {
				continue
			}
			if err := maildir.CheckKeyword(name); err != nil {
				t.Errorf("number %d: %v", n, err)
			}
			if at, _ := k.Find(name); at != n {
				t.Errorf("%q has the numbers %d and %d", name, at, n)
			}
		}
		again := maildir.ParseKeywords(k.Text())
		if again.Bad() != 0 || again.Text() != k.Text() {
			t.Errorf("%q is read again as %q with %d bad lines", k.Text(), again.Text(), again.Bad())
		}
		if k.Bad() == 0 && again.Names() != k.Names() {
			t.Errorf("names are %q, were %q", again.Names(), k.Names())
		}
	})
}
