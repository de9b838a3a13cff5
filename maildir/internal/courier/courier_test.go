package courier_test

import (
	"errors"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/maildir/internal/courier"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What Courier-IMAP 5.0.13 has written.
func TestFilesOfCourier(t *testing.T) {
	uids, err := courier.ParseUIDs(read(t, "courierimapuiddb"))
	want := courier.UIDs{Validity: 795398282, Next: 7, Messages: []courier.Message{
		{1, "1700000001.M1P1.h"}, {2, "1700000002.M1P1.h,S=18"}, {3, "1700000003.M1P1.h"},
		{4, "1700000004.M1P1.h"}, {5, "1700000005.M1P1.h"}, {6, "1700000006.M1P1.h"},
	}}
	if err != nil || !reflect.DeepEqual(uids, want) {
		t.Errorf("UIDs are %+v, %v", uids, err)
	}

	list, bad := courier.ParseKeywords(read(t, "courierimapkeywords-list"))
	if bad != 0 || !reflect.DeepEqual(list, map[string][]string{
		"1700000001.M1P1.h": {"$Forwarded", "Work"}, "1700000002.M1P1.h,S=18": {"Work"},
	}) {
		t.Errorf("keywords are %q, %d bad lines", list, bad)
	}
	if got := courier.ParseMessageKeywords(read(t, "courierimapkeywords-message")); !slices.Equal(got, []string{"$Forwarded", "Work"}) {
		t.Errorf("a message's keywords are %q", got)
	}

	ids, bad, err := courier.ParseSizes(read(t, "courierpop3dsizelist"))
	if err != nil || bad != 0 || !slices.Equal(ids, []courier.UniqueID{
		{"1700000001.M1P1.h", "UID5-77"},
		{"1700000002.M1P1.h,S=18", "UID8-1795398354"},
		{"1700000003.M1P1.h", "UID6"},
		{"1700000004.M1P1.h", "1700000004.M1P1.h"},
		{"1700000009.M9P1.a*b\"c d", "1700000009.M9P1.a*b+22c+20d"},
	}) {
		t.Errorf("unique-ids are %q, %d bad lines, %v", ids, bad, err)
	}
}

func TestUIDs(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       courier.UIDs
	}{
		{"empty mailbox", "1 7 1\n", courier.UIDs{Validity: 7, Next: 1}},
		{"UIDNEXT too low", "1 7 1\n4 a\n", courier.UIDs{Validity: 7, Next: 5, Messages: []courier.Message{{4, "a"}}}},
		{"the last UID", "1 7 9\n4294967295 a\n", courier.UIDs{Validity: 7, Next: 1 << 32, Messages: []courier.Message{{4294967295, "a"}}}},
		{"not in order", "1 7 9\n4 d\n2 b\n", courier.UIDs{Validity: 7, Next: 9, Messages: []courier.Message{{2, "b"}, {4, "d"}}}},
		{"a UID twice", "1 7 9\n2 a\n2 b\n", courier.UIDs{Validity: 7, Next: 9, Messages: []courier.Message{{2, "a"}}, Bad: 1}},
		{"a base twice", "1 7 9\n3 a\n2 a\n", courier.UIDs{Validity: 7, Next: 9, Messages: []courier.Message{{2, "a"}}, Bad: 1}},
		{"no lines", "1 7 9\n0 a\n1\n2 \n3 .a\n4 a:2,S\n5 ../a\nx y\n4294967296 a\n8 a\x00\n", courier.UIDs{Validity: 7, Next: 9, Bad: 9}},
		{"torn", "1 7 9\n2 a\n3 b", courier.UIDs{Validity: 7, Next: 9, Messages: []courier.Message{{2, "a"}, {3, "b"}}}},
		{"spaces in a base", "1 7 9\n2 a b\n", courier.UIDs{Validity: 7, Next: 9, Messages: []courier.Message{{2, "a b"}}}},
	} {
		if got, err := courier.ParseUIDs(tc.text); err != nil || !reflect.DeepEqual(got, tc.want) {
			if len(got.Messages)+len(tc.want.Messages) == 0 && got.Validity == tc.want.Validity && got.Next == tc.want.Next && got.Bad == tc.want.Bad {
				continue // one has nil, the other an empty slice
			}
			t.Errorf("%s: %+v, %v, want %+v", tc.name, got, err, tc.want)
		}
	}
	for _, text := range []string{"", "1 7 9", "2 7 9\n", "1 0 9\n", "1 7\n", "1 x 9\n", "1 7 x\n", "1 4294967296 9\n", "\x00\x00\n"} {
		if _, err := courier.ParseUIDs(text); !errors.Is(err, courier.ErrNoHeader) {
			t.Errorf("%q: %v, want ErrNoHeader", text, err)
		}
	}
}

func TestAppend(t *testing.T) {
	for _, text := range []string{"1 7 1\n", "1 795398282 7\n1 a\n4 b c,S=18\n"} {
		u, err := courier.ParseUIDs(text)
		if got := string(u.Append(nil)); err != nil || got != text {
			t.Errorf("%q becomes %q, %v", text, got, err)
		}
	}
	k := courier.Keywords{Names: []string{"", "A", "", "B"}, Messages: []courier.MessageKeywords{{"a", 8}, {"b", 5}, {"c", 10}}}
	if got := string(k.Append(nil)); got != "A\nB\n\na:1\nc:0 1\n" {
		t.Errorf("the list is %q", got)
	}
	if got := string(courier.Keywords{}.Append(nil)); got != "\n" {
		t.Errorf("the empty list is %q", got)
	}
}

func TestKeywords(t *testing.T) {
	for _, tc := range []struct {
		text string
		want map[string][]string
		bad  int
	}{
		{"", map[string][]string{}, 0},
		{"\n\n", map[string][]string{}, 0},
		{"A\nB\n\na:1\nb:\n", map[string][]string{"a": {"B"}, "b": nil}, 0},
		{"A\n\na:0 1 x\nb\n:0\n../c:0\n", map[string][]string{"a": {"A"}}, 5},
		{"\na:0\n", map[string][]string{"a": nil}, 1},
	} {
		if got, bad := courier.ParseKeywords(tc.text); bad != tc.bad || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%q: %q, %d bad lines, want %q, %d", tc.text, got, bad, tc.want, tc.bad)
		}
	}
}

func TestLatest(t *testing.T) {
	files := []string{":list", ".9.a", "a", ".10.a", ".9.b", ".10.b", ".8.b", ".x.c", ".tmp.1.c", ".7", ".7.", ".18446744073709551615.d"}
	want := map[string]string{"a": "a", "b": ".10.b"}
	for range 2 {
		if got := courier.Latest(files); !maps.Equal(got, want) {
			t.Errorf("%q: %q, want %q", files, got, want)
		}
		slices.Reverse(files)
	}
}

func TestSizes(t *testing.T) {
	ids, bad, err := courier.ParseSizes("/2 1 1\na:2,S 21 3:4\nb 21 3\nc 3:4\nd\n 21 3:4\nx 1 a:4\nx 1 4:a\nx 1 1:2:3:4\n")
	if err != nil || bad != 7 || !slices.Equal(ids, []courier.UniqueID{{"a", "UID3-4"}}) {
		t.Errorf("%q, %d bad lines, %v", ids, bad, err)
	}
	for _, text := range []string{"", "a 21\n", "/1 9\na 21\n", "/3 9 9"} {
		if _, _, err := courier.ParseSizes(text); !errors.Is(err, courier.ErrNoHeader) {
			t.Errorf("%q: %v, want ErrNoHeader", text, err)
		}
	}
}

func FuzzUIDs(f *testing.F) {
	f.Add("1 7 3\n1 a\n2 b\n")
	f.Add("1 7 3\n2 a\n2 b\n\x00\n5 a:2\n1 c")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := courier.ParseUIDs(text)
		if err != nil {
			return
		}
		last, seen := mailparts.UID(0), map[string]bool{}
		for _, m := range u.Messages {
			if m.UID <= last || seen[m.Base] || uint64(m.UID) >= u.Next || m.Base == "" || strings.ContainsAny(m.Base, "/:\n") {
				t.Fatalf("%q has %+v", text, u)
			}
			last, seen[m.Base] = m.UID, true
		}
		if u.Validity == 0 || u.Next == 0 {
			t.Errorf("%q has %+v", text, u)
		}
	})
}

func FuzzKeywords(f *testing.F) {
	f.Add("A\nB\n\na:1 0\n")
	f.Add("\n\na:1 0\n:list")
	f.Fuzz(func(t *testing.T, text string) {
		list, _ := courier.ParseKeywords(text)
		for base, names := range list {
			for _, name := range names {
				if name == "" || strings.Contains(name, "\n") {
					t.Fatalf("%q: %q has %q", text, base, names)
				}
			}
		}
		for base, file := range courier.Latest(strings.Split(text, "\n")) {
			if !strings.HasSuffix(file, base) || base == "" {
				t.Fatalf("%q: %q has %q", text, base, file)
			}
		}
	})
}

func FuzzSizes(f *testing.F) {
	f.Add("/3 9 7\na:2,S 21 3:4:0\nb c:2, 21 0:0:0\n")
	f.Fuzz(func(t *testing.T, text string) {
		ids, _, _ := courier.ParseSizes(text)
		for _, id := range ids {
			if id.ID == "" || strings.ContainsFunc(id.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Fatalf("%q: %q", text, id)
			}
		}
	})
}
