package maildir_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir"
)

func TestFolderNames(t *testing.T) {
	for name, folder := range map[string]string{
		"INBOX":           "",
		"a":               ".a",
		"a/b/c":           ".a.b.c",
		"INBOX/a":         ".INBOX.a",
		"INBOXES":         ".INBOXES",
		"Entwürfe":        ".Entw&APw-rfe",
		"台北/日本語":          ".&U,BTFw-.&ZeVnLIqe-", // RFC 3501 section 5.1.3
		"a & b":           ".a &- b",
		"~peter":          ".~peter",
		"cur":             ".cur",
		"💌":               ".&2D3cjA-",
		"é&é":             ".&AOk-&-&AOk-",
		"\u00a0":          ".&AKA-",
		"a\\b*%":          ".a\\b*%",
		" space at ends ": ". space at ends ",
	} {
		if got, err := maildir.FolderOf(name); got != folder || err != nil {
			t.Errorf("the folder of %q is %q, %v, want %q", name, got, err, folder)
		}
		if got, ok := maildir.NameOf(folder); folder != "" && (got != name || !ok) {
			t.Errorf("the name of %q is %q, %v, want %q", folder, got, ok, name)
		}
	}
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "../b", "a/..", "a/../b", "a.b", ".a", "a/.b", "inbox", "Inbox/a",
		"a\x00b", "a\nb", "a\x7f", "\xff", strings.Repeat("x", 255), strings.Repeat("ü", 100), strings.Repeat("a/", 127) + "a",
	} {
		if folder, err := maildir.FolderOf(name); !errors.Is(err, mailparts.ErrBadName) {
			t.Errorf("the folder of %.40q is %q, %v, want ErrBadName", name, folder, err)
		}
	}
	for _, folder := range []string{
		"", "a", ".", "..", "..a", ".a.", ".a..b", ".inbox", ".INBOX", ".ü", ".&", ".&-&", ".&AGE-", ".&AC8-", ".&AC4-", ".&AAA-", ".&2D0-", ".&AOk", ".&AOk-&AOk-", ".&AO!-",
	} {
		if name, ok := maildir.NameOf(folder); ok {
			t.Errorf("the folder %q has the name %q, want none", folder, name)
		}
	}
}

func FuzzFolderNames(f *testing.F) {
	for _, s := range []string{"INBOX", "a/b", "Entwürfe", ".Entw&APw-rfe", "..", "&-", "💌"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if folder, err := maildir.FolderOf(s); err == nil && s != "INBOX" {
			if strings.ContainsAny(folder, "/\x00") || !strings.HasPrefix(folder, ".") || strings.HasPrefix(folder, "..") {
				t.Errorf("the folder of %q is %q", s, folder)
			}
			if name, ok := maildir.NameOf(folder); name != s || !ok {
				t.Errorf("%q has the folder %q, and that the name %q, %v", s, folder, name, ok)
			}
		}
		if name, ok := maildir.NameOf(s); ok {
			if folder, err := maildir.FolderOf(name); folder != s || err != nil {
				t.Errorf("the folder %q has the name %q, and that the folder %q, %v", s, name, folder, err)
			}
		}
	})
}

func TestFlagLetters(t *testing.T) {
	f := func(flags ...mailparts.Flag) []mailparts.Flag { return flags }
	for _, tc := range []struct {
		name string
		has  []mailparts.Flag
		set  []mailparts.Flag
		want string
	}{
		{"b", nil, nil, "b:2,"},
		{"b:2,", nil, f(mailparts.FlagSeen, mailparts.FlagAnswered), "b:2,RS"},
		{"b:2,S", f(mailparts.FlagSeen), f(mailparts.FlagDraft, mailparts.FlagFlagged, mailparts.FlagAnswered, mailparts.FlagSeen, mailparts.FlagDeleted), "b:2,DFRST"},
		{"b:2,PSac", f(mailparts.FlagSeen), f(mailparts.FlagFlagged), "b:2,FPac"},
		{"b:2,SSS", f(mailparts.FlagSeen), f(`\sEEN`), "b:2,S"},
		{"b:2,S", f(mailparts.FlagSeen), f("$Forwarded", `\Recent`, ""), "b:2,"},
		{"b:1,S", nil, nil, "b:2,"},
		{"b:", nil, nil, "b:2,"},
		{"b:2,S:2,T", f(mailparts.FlagSeen), nil, "b:2,2:,T"},
		{"b:2,S,xyT", f(mailparts.FlagSeen), f(mailparts.FlagFlagged), "b:2,F,xyT"},
		{"b:2,,S", nil, f(mailparts.FlagFlagged), "b:2,F,S"},
		{"b:1,x:2,S", nil, nil, "b:2,"},
	} {
		has, renamed := maildir.Flags(tc.name, tc.set...)
		if !slices.Equal(has, tc.has) || renamed != tc.want {
			t.Errorf("%q has %v, and with %v it is %q; want %v and %q", tc.name, has, tc.set, renamed, tc.has, tc.want)
		}
	}
}

func TestSizesInNames(t *testing.T) {
	for name, want := range map[string][2]int64{
		"1.M2P3.host,S=18,W=21":      {18, 21},
		"1.M2P3.host,W=21,S=18:2,S":  {18, 21},
		"1.M2P3.host,S=18":           {18, -1},
		"1.M2P3.host":                {-1, -1},
		"1.M2P3.host:2,S=18":         {-1, -1},
		"x,S=,W=-1":                  {-1, -1},
		"x,S=+1,W=1x":                {-1, -1},
		"x,S=9223372036854775808":    {-1, -1},
		"x,S=9223372036854775807,W=": {9223372036854775807, -1},
	} {
		if disk, wire := maildir.Sizes(name); disk != want[0] || wire != want[1] {
			t.Errorf("%q says %d and %d, want %v", name, disk, wire, want)
		}
	}
}

// Files without UIDs get them in the order in which they came.
func TestArrival(t *testing.T) {
	want := []string{"", "abc", "9.x", "9.M2.x", "9.M10.x", "10.M1.x", "10.M1.y", "1795374075.M211740P1.vm"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, maildir.Arrival)
	if !slices.Equal(got, want) {
		t.Errorf("in order: %q, want %q", got, want)
	}
}

func FuzzFileName(f *testing.F) {
	f.Add("1795374075.M211740P27571.vm,S=18,W=21:2,FS")
	f.Add("x:2,:2,a")
	f.Add(":,S=1")
	f.Fuzz(func(t *testing.T, name string) {
		maildir.Sizes(name)
		flags, _ := maildir.Flags(name)
		_, same := maildir.Flags(name, flags...)
		again, stable := maildir.Flags(same, flags...)
		if !slices.Equal(again, flags) || stable != same {
			t.Errorf("%q has %v; written so it is %q, which has %v and is written as %q", name, flags, same, again, stable)
		}
		if maildir.Arrival(name, same) != -maildir.Arrival(same, name) {
			t.Errorf("%q and %q have no order", name, same)
		}
	})
}

func TestSafeHost(t *testing.T) {
	for host, want := range map[string]string{
		"":                      "localhost",
		"mx1.example.org":       "mx1.example.org",
		"a/b:c,d e\n":           `a\057b\072c\054d\040e\012`,
		strings.Repeat("h", 99): strings.Repeat("h", 64),
	} {
		if got := maildir.SafeHost(host); got != want {
			t.Errorf("%q is %q in a name, want %q", host, got, want)
		}
	}
}
