package thread_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/imap/internal/thread"
)

// show writes threads as THREAD does (RFC 5256 section 4).
func show(threads []*thread.Thread) string {
	var b strings.Builder
	for _, t := range threads {
		b.WriteString("(" + showMembers(t) + ")")
	}
	return b.String()
}

func showMembers(t *thread.Thread) string {
	s := ""
	if t.Number != 0 {
		s = strconv.Itoa(int(t.Number))
	}
	switch {
	case len(t.Replies) == 1 && s != "":
		return s + " " + showMembers(t.Replies[0])
	case len(t.Replies) == 0:
		return s
	case s != "":
		s += " "
	}
	return s + show(t.Replies)
}

// messages reads lines "number sent subject | id | references".
func messages(text string) (all []*thread.Message) {
	for l := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		m := new(thread.Message)
		parts := strings.Split(l, "|")
		words := strings.Fields(parts[0])
		n, _ := strconv.Atoi(words[0])
		m.Number = uint32(n)
		m.Sent, _ = strconv.ParseInt(words[1], 10, 64)
		m.Subject = strings.Join(words[2:], " ")
		if len(parts) > 1 {
			m.ID = strings.TrimSpace(parts[1])
		}
		if len(parts) > 2 {
			m.References = slices.Values(strings.Fields(parts[2]))
		}
		all = append(all, m)
	}
	return all
}

func Example() {
	var r thread.References
	for i, refs := range [][]string{nil, {"1@x"}, {"1@x", "2@x"}, {"1@x"}} {
		r.Add(&thread.Message{
			Number:     uint32(i + 1),
			Sent:       int64(i),
			ID:         fmt.Sprintf("%d@x", i+1),
			References: slices.Values(refs),
		})
	}
	fmt.Println(show(r.Threads()))
	// Output: (1 (2 3)(4))
}

func TestOrdered(t *testing.T) {
	var o thread.Ordered
	for _, m := range messages(`
1 10 lunch
2 30 Re: Dinner
3 20 dinner
4 40 [list] lunch
5 5 Re: lunch
6 50
7 40 fwd: LUNCH
`) {
		o.Add(m)
	}
	if got, want := show(o.Threads()), "(5 (1)(4)(7))(3 2)(6)"; got != want {
		t.Errorf("threads are %s, want %s", got, want)
	}
}

// RFC 5256 section 3, step by step.
func TestReferences(t *testing.T) {
	for _, test := range []struct{ name, messages, want string }{
		{"none", "1 1 a\n2 2 b", "(1)(2)"},
		{"1A: a chain", "1 1 a | x\n2 2 b | y | x\n3 3 c | z | x y", "(1 2 3)"},
		{"1A: in any order", "1 3 c | z | x y\n2 2 b | y | x\n3 1 a | x", "(3 2 1)"},
		{"1A: the first link stays", "1 1 a | x\n2 2 b | y\n3 3 c | z | x q\n4 4 d | w | y q", "(1 (3)(4))(2)"},
		{"1A: no loop", "1 1 a | x | y\n2 2 b | y | x", "(2 1)"},
		{"1A: not itself", "1 1 a | x | x\n2 2 b | y | x x", "(1 2)"},
		{"1A: the same identifier twice", "1 1 a | x\n2 2 b | x\n3 3 c | y | x", "(1 3)(2)"},
		{"1A: no identifier", "1 1 a | | x\n2 2 b | | x", "((1)(2))"},
		{"1B: the last reference counts", "1 1 a | x\n2 2 b | y\n3 3 c | w | x z\n4 4 d | z | y", "(1)(2 4 3)"},
		{"1B: without references no parent", "1 1 a | x\n2 2 b | y | x z\n3 3 c | z", "(1)(3 2)"},
		{"3: what is missing", "1 1 a | x | gone1 gone2\n2 2 b | y | x gone3\n3 3 c | z | gone3", "(1 (2)(3))"},
		{"3: several replies to what is missing", "1 1 a | x | gone\n2 2 b | y | gone\n3 3 c | z | gone", "((1)(2)(3))"},
		{"4: by sent date", "1 9 a | x\n2 5 b | y\n3 7 c | z | x\n4 5 d | w", "(2)(4)(1 3)"},
		{"4: by the first of several", "1 9 a | x | gone\n2 3 b | y | gone\n3 5 c | z", "((2)(1))(3)"},
		{"5: a reply to the subject", "1 1 lunch | x\n2 2 Re: Lunch | y", "(1 2)"},
		{"5: though it is older", "1 2 lunch | x\n2 1 Re: lunch | y", "(1 2)"},
		{"5: not a reply", "1 1 lunch | x\n2 2 lunch | y", "((1)(2))"},
		{"5: two replies", "1 1 re: lunch | x\n2 2 Re: lunch | y", "((1)(2))"},
		{"5: a third", "1 1 lunch | x\n2 2 lunch | y\n3 3 Re: lunch | z\n4 4 lunch | w", "((1)(2)(3)(4))"},
		{"5: to what is missing", "1 1 lunch | x | gone\n2 2 dinner | y | gone\n3 3 re: lunch | z\n4 4 lunch", "((1)(2)(3)(4))"},
		{"5: both missing", "1 1 lunch | x | gone1\n2 2 b | y | gone1\n3 3 lunch | z | gone2\n4 4 d | w | gone2", "((1)(2)(3)(4))"},
		{"5: no subject", "1 1 Re: | x\n2 2 | y", "(1)(2)"},
		{"5: only of threads", "1 1 a | x\n2 2 lunch | y | x\n3 3 Re: lunch | z", "(1 2)(3)"},
		{"6: by sent date, then number", "1 1 a | x\n2 9 b | y | x\n3 5 c | z | x\n4 5 d | w | x", "(1 (3)(4)(2))"},
	} {
		var r thread.References
		for _, m := range messages(test.messages) {
			r.Add(m)
		}
		if got := show(r.Threads()); got != test.want {
			t.Errorf("%s: threads are %s, want %s", test.name, got, test.want)
		}
	}
}

// A chain that is as long as the mailbox costs no stack for each message, nor the square
// of its length; and nobody fills the memory with what is not there.
func TestReferencesHostile(t *testing.T) {
	const n = 30_000
	id := func(i int) string { return strconv.Itoa(i) + "@x" }
	for name, refs := range map[string]func(i int) []string{
		"forward":  func(i int) []string { return []string{id(i - 1)} },
		"backward": func(i int) []string { return []string{id(i + 1)} },
		"wide":     func(int) []string { return []string{id(0)} },
		"missing": func(i int) (refs []string) {
			for k := range 300 {
				refs = append(refs, fmt.Sprintf("%d.%d", i, k))
			}
			return append(refs, fmt.Sprintf("%d.0", i+1))
		},
		"loops": func(i int) []string { return []string{"deep", id(i - 2), id(i - 1)} },
	} {
		n := n
		if name == "missing" {
			n /= 20
		}
		var r thread.References
		for i := 1; i <= n; i++ {
			r.Add(&thread.Message{Number: uint32(i), ID: id(i), References: slices.Values(refs(i))})
		}
		if got := count(r.Threads()); got != n {
			t.Errorf("%s: there are %d messages, want %d", name, got, n)
		}
	}
}

func count(threads []*thread.Thread) (n int) {
	for len(threads) > 0 {
		t := threads[len(threads)-1]
		threads = append(threads[:len(threads)-1:len(threads)-1], t.Replies...)
		if t.Number != 0 {
			n++
		}
	}
	return n
}

// FuzzReferences: each message is in the threads once, and nothing is missing but at the
// top, with several replies.
func FuzzReferences(f *testing.F) {
	f.Add([]byte{1, 2, 3, 0x81, 4, 5, 1, 2}, 3)
	f.Add([]byte("xyxyzzy"), 2)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size = size & 7; size == 0 || len(b) > 2000 {
			return
		}
		id := func(c byte) string { return string('a' + rune(c%32)) }
		var r thread.References
		n := 0
		for m := range slices.Chunk(b, size) {
			var refs []string
			for _, c := range m[1:] {
				refs = append(refs, id(c))
			}
			n++
			r.Add(&thread.Message{Number: uint32(n), Sent: int64(m[0] >> 5), ID: id(m[0]), Subject: "re: "[:m[0]>>6] + id(m[0]), References: slices.Values(refs)})
		}
		seen := map[uint32]bool{}
		var visit func([]*thread.Thread, bool)
		visit = func(threads []*thread.Thread, top bool) {
			for _, th := range threads {
				if th.Number == 0 && (!top || len(th.Replies) < 2) || th.Number != 0 && seen[th.Number] {
					t.Fatalf("%q of %d: %d with %d replies", b, size, th.Number, len(th.Replies))
				}
				if th.Number != 0 {
					seen[th.Number] = true
				}
				visit(th.Replies, false)
			}
		}
		visit(r.Threads(), true)
		if len(seen) != n {
			t.Fatalf("%q of %d: %d messages, want %d", b, size, len(seen), n)
		}
	})
}

func BenchmarkReferences(b *testing.B) {
	const n = 100_000
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%d.message@host.example.com", i)
	}
	for b.Loop() {
		var r thread.References
		for i := range n {
			m := thread.Message{Number: uint32(i + 1), Sent: int64(i), ID: ids[i], Subject: "Re: subject of the thread"}
			if i%5 != 0 {
				m.References = slices.Values(ids[i-i%5 : i])
			}
			r.Add(&m)
		}
		r.Threads()
	}
}
