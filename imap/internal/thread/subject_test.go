package thread_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailparts/mailparts/imap/internal/thread"
)

// RFC 5256 section 2.1, with the ABNF of section 5.
func TestBaseSubject(t *testing.T) {
	for _, test := range []struct {
		subject, base string
		reply         bool
	}{
		{"", "", false},
		{"hello", "hello", false},
		{"Re: hello", "hello", true},
		{"RE : hello", "hello", true},
		{"re:hello", "hello", true},
		{"Re[2]: hello", "hello", true},
		{"Re [2] : hello", "hello", true},
		{"Fw: hello", "hello", true},
		{"FWD: hello", "hello", true},
		{"Re: Fwd: re[5]: hello", "hello", true},
		{"rehello", "rehello", false},
		{"re hello", "re hello", false},
		{"Re: ", "", true},
		{"hello (fwd)", "hello", true},
		{"hello (FWD) (fwd)  ", "hello", true},
		{"hello(fwd)", "hello", true},
		{"(fwd) hello", "(fwd) hello", false},
		{"[list] hello", "hello", false},
		{"[list] [more] hello", "hello", false},
		{"[list] Re: hello", "hello", true},
		{"Re: [list] hello", "hello", true},
		{"[a] re: [b] fwd: [c] hello", "hello", true},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"[a][b] ", "[b]", false},
		{"[a] re:", "", true},
		{"[a[b] hello", "[a[b] hello", false},
		{"[] hello", "hello", false},
		{"[fwd: hello]", "hello", true},
		{"[Fwd: [fwd: Re: hello (fwd)]]", "hello", true},
		{"Re: [fwd: hello]", "hello", true},
		{"[fwd: hello", "[fwd: hello", false},
		{"[fwd: hello] there", "there", false},
		{"[fwd:]", "", true},
		{"  two\t words \t here ", "two words here", false},
		{"=?utf-8?q?Re=3A_caf=C3=A9?=", "café", true},
		{"=?iso-8859-1?q?caf=E9?= (fwd)", "café", true},
		{"Re", "Re", false},
		{"Re:re:re:", "", true},
		{"Aw: hello", "Aw: hello", false},
	} {
		base, reply := thread.BaseSubject(test.subject)
		if base != test.base || reply != test.reply {
			t.Errorf("of %q the base is %q, a reply: %v; want %q, %v", test.subject, base, reply, test.base, test.reply)
		}
	}
}

// RFC 5051 section 3.
func TestCollate(t *testing.T) {
	for _, test := range []struct{ a, b string }{
		{"hello", "HELLO"}, {"Grün", "GRU\u0308N"}, {"ǆ", "ǅ"}, {"ﬁ", "ﬁ"}, {"", ""},
	} {
		a, b := thread.Collate(test.a), thread.Collate(test.b)
		if a != b {
			t.Errorf("%q is %q, %q is %q", test.a, a, test.b, b)
		}
		if appended := string(thread.AppendCollated([]byte("x"), test.a)); appended != "x"+a {
			t.Errorf("%q is %q, and x%[2]q appended is %q", test.a, a, appended)
		}
	}
	if thread.Collate("a") == thread.Collate("b") || thread.Collate("a") > thread.Collate("B") {
		t.Error("letters are not in their order")
	}
}

// Subjects that cost the square of their length if blobs are taken one by one.
func TestBaseSubjectLong(t *testing.T) {
	for _, unit := range []string{"[a]", "[", "re:", "[fwd:", "(fwd)", "re [a]", " \t"} {
		thread.BaseSubject(strings.Repeat(unit, 128<<10))
	}
	n := 20_000
	base, _ := thread.BaseSubject(strings.Repeat("[fwd: ", n) + "x" + strings.Repeat("]", n))
	if base != "x" {
		t.Errorf("the base is %.40q", base)
	}
}

// FuzzBaseSubject: the base subject of a base subject is itself, but for what it is of
// encoded words; and it is no longer than the subject.
func FuzzBaseSubject(f *testing.F) {
	for _, s := range []string{"Re: [a] hello (fwd)", "[fwd: [x] re [2]: y]", "[a][b]", "=?utf-8?q?Re=3A?= x", "\t[ fw:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		base, _ := thread.BaseSubject(subject)
		if !utf8.ValidString(base) || strings.Contains(base, "  ") || strings.Contains(base, "\t") {
			t.Errorf("of %q the base is %q", subject, base)
		}
		if again, reply := thread.BaseSubject(base); !strings.Contains(base, "=?") && (again != base || reply) {
			t.Errorf("of %q the base is %q, and of that %q", subject, base, again)
		}
		thread.Collate(base)
	})
}
