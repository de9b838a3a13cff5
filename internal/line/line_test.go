package line_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/internal/line"
)

// sources are ways in which the same octets may come.
var sources = map[string]func(io.Reader) io.Reader{
	"whole":       func(r io.Reader) io.Reader { return r },
	"octets":      iotest.OneByteReader,
	"data+EOF":    iotest.DataErrReader,
	"halves":      iotest.HalfReader,
	"empty reads": func(r io.Reader) io.Reader { return &emptyReads{r: r} },
}

// emptyReads returns 0, nil before each octet.
type emptyReads struct {
	r    io.Reader
	full bool
}

func (e *emptyReads) Read(p []byte) (int, error) {
	if e.full = !e.full; e.full {
		return 0, nil
	}
	return e.r.Read(p[:1])
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := []struct {
		name, input string
		want        []string // lines, or errors in brackets
	}{
		{"lines", "a\r\n\r\nbc\r\n", []string{"a", "", "bc", "[EOF]"}},
		{"no end", "a\r\nb", []string{"a", "[unexpected EOF]"}},
		{"half an end", "a\r", []string{"[unexpected EOF]"}},
		{"LF alone", "a\nb\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"LF alone at once", "\nb\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"LF alone at the end", "a\n\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"LF alone, many times", "a\nb\n\nc\r\nd\r\n", []string{"[CR or LF alone]", "d", "[EOF]"}},
		{"LF alone, no end", "a\nb\n", []string{"[unexpected EOF]"}},
		{"LF CR", "a\n\rb\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"both alone", "a\rb\nc\r\nd\r\n", []string{"[CR or LF alone]", "d", "[EOF]"}},
		{"CR alone", "a\rb\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"CR CR LF", "a\r\r\nc\r\n", []string{"[CR or LF alone]", "c", "[EOF]"}},
		{"NUL is no business of ours", "a\x00b\r\n", []string{"a\x00b", "[EOF]"}},
		{"as long as may be", long[:98] + "\r\nb\r\n", []string{long[:98], "b", "[EOF]"}},
		{"one octet too long", long[:99] + "\r\nb\r\n", []string{"[line too long]", "b", "[EOF]"}},
		{"LF alone makes no line short", long[:60] + "\n" + long[:60] + "\r\nb\r\n", []string{"[line too long]", "b", "[EOF]"}},
		{"CR at the limit", long[:99] + "\r" + long[:99] + "\r\nb\r\n", []string{"[line too long]", "b", "[EOF]"}},
		{"LF alone in what is skipped", long + "\nMAIL\r" + long + "\r\r\nb\r\n", []string{"[line too long]", "b", "[EOF]"}},
		{"far too long", long + "\r\nb\r\n", []string{"[line too long]", "b", "[EOF]"}},
		{"too long, twice", long + "\r\n" + long + "\r\nb\r\n", []string{"[line too long]", "[line too long]", "b", "[EOF]"}},
		{"too long, no end", long, []string{"[unexpected EOF]"}},
		{"empty", "", []string{"[EOF]", "[EOF]"}},
	}
	for _, test := range tests {
		for how, source := range sources {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				r := line.NewReader(source(strings.NewReader(test.input)))
				for i, want := range test.want {
					l, err := r.ReadLine(100)
					got := string(l)
					if err != nil {
						got = "[" + err.Error() + "]"
					}
					if got != want {
						t.Fatalf("line %d is %q, want %q", i, got, want)
					}
				}
			})
		}
	}
}

// A line that is refused shows its start, whole lines of that length among them.
func TestStartOfRefusedLine(t *testing.T) {
	for input, want := range map[string]string{
		"\n\r\n":                                     "\n",
		"DATA\n\r\n":                                 "DATA\n",
		"DATA\nSubject: hello\r\n":                   "DATA\nSub",
		"AUTH PLAIN " + strings.Repeat("A", 90):      "AUTH PLA",
		"AUTH PLAIN " + strings.Repeat("A", 5000):    "AUTH PLA",
		"STARTTLS" + strings.Repeat(" ", 100) + "\r": "STARTTLS",
	} {
		for how, source := range sources {
			r := line.NewReader(source(strings.NewReader(input + "\r\nNEXT\r\n")))
			l, err := r.ReadLine(100)
			if string(l) != want || err != line.ErrBare && err != line.ErrTooLong {
				t.Errorf("%s, %.20q: got %q, %v, want %q", how, input, l, err, want)
			}
		}
	}
}

// What a read had no room for may be there.
func TestPending(t *testing.T) {
	for _, test := range []struct {
		n    int // octets that come in one read, all of one line
		more string
		want bool
	}{{1000, "", false}, {1023, "", false}, {1024, "", true}, {1024, "x", true}, {1000, "x", true}} {
		r := line.NewReader(strings.NewReader(strings.Repeat("x", test.n-2) + "\r\n" + test.more))
		if r.Pending() {
			t.Error("pending before the first read")
		}
		if _, err := r.ReadLine(2000); err != nil {
			t.Fatal(err)
		}
		if got := r.Pending(); got != test.want {
			t.Errorf("%d octets, then %q: got %v", test.n, test.more, got)
		}
	}
}

func TestLineWithoutEndIsGivenUp(t *testing.T) {
	for _, text := range []string{"\x00", "\n", "\r", "MAIL\n", "x\r", "\n\r\x00"} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			endless := &counting{r: &repeat{text: text, n: 1 << 40}}
			r := line.NewReader(endless)
			if _, err := r.ReadLine(1000); err != line.ErrEndless {
				t.Fatalf("got %v, want ErrEndless", err)
			}
			if endless.n > 2<<20 {
				t.Errorf("read %d octets of a line that has no end", endless.n)
			}
		})
	}
}

type counting struct {
	r io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestSourceErrorComesAfterItsOctets(t *testing.T) {
	broken := errors.New("broken")
	r := line.NewReader(io.MultiReader(strings.NewReader("a\r\nb"), iotest.ErrReader(broken)))
	if l, err := r.ReadLine(100); string(l) != "a" || err != nil {
		t.Fatalf("got %q, %v", l, err)
	}
	for range 2 {
		if _, err := r.ReadLine(100); err != broken {
			t.Fatalf("got %v, want %v", err, broken)
		}
	}
}

func TestResetDropsWhatIsBuffered(t *testing.T) {
	r := line.NewReader(strings.NewReader("STARTTLS\r\nMAIL FROM:<evil>\r\n"))
	r.ReadLine(100)
	if r.Buffered() != 18 {
		t.Fatalf("%d octets are buffered, want 18", r.Buffered())
	}
	r.Reset(strings.NewReader("EHLO x\r\n"))
	if r.Buffered() != 0 {
		t.Fatalf("%d octets are buffered after Reset", r.Buffered())
	}
	if l, err := r.ReadLine(100); string(l) != "EHLO x" || err != nil {
		t.Fatalf("got %q, %v", l, err)
	}
}

// A reader that does nothing but return nothing must not spin.
func TestNoProgress(t *testing.T) {
	r := line.NewReader(readerFunc(func([]byte) (int, error) { return 0, nil }))
	if _, err := r.ReadLine(100); err != io.ErrNoProgress {
		t.Fatalf("got %v, want io.ErrNoProgress", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadLineDoesNotAllocate(t *testing.T) {
	text := strings.Repeat("RCPT TO:<someone@example.com>\r\n", 100)
	src := strings.NewReader(text)
	r := line.NewReader(src)
	allocs := testing.AllocsPerRun(100, func() {
		src.Reset(text)
		r.Reset(src)
		for range 100 {
			if _, err := r.ReadLine(512); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs > 1 { // a collection may empty the pool of large buffers
		t.Errorf("%v allocations for 100 lines", allocs)
	}
}

func TestStart(t *testing.T) {
	for _, end := range []string{"\n", strings.Repeat("x", 200)} {
		r := line.NewReader(strings.NewReader("a tag of some length " + end + "\r\n"))
		if _, err := r.ReadLine(100); err == nil {
			t.Fatal("no error")
		}
		if got := string(r.Start()); !strings.HasPrefix(got, "a tag of some length ") || len(got) > 104 {
			t.Errorf("got %q", got)
		}
	}
}
