package line_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/internal/line"
)

// next is what follows each message: if a DotReader stops too early or too late,
// it is not the next line.
const next = "NEXT\r\n"

func TestDotReader(t *testing.T) {
	tests := []struct{ name, input, want string }{
		{"empty", ".\r\n", ""},
		{"empty line", "\r\n.\r\n", "\r\n"},
		{"one line", "a\r\n.\r\n", "a\r\n"},
		{"dots", "..\r\n...a\r\n.b\r\na.\r\n.\r\n", ".\r\n..a\r\nb\r\na.\r\n"},
		{"dot in a line", "a.\r\nb\r\n.\r\n", "a.\r\nb\r\n"},
		{"NUL and 8-bit octets", "\x00\xff\r\n.\r\n", "\x00\xff\r\n"},
		{"more than a buffer", strings.Repeat("0123456789\r\n", 10000) + ".\r\n", strings.Repeat("0123456789\r\n", 10000)},
		{"a line longer than a buffer", strings.Repeat("x", 100000) + "\r\n.\r\n", strings.Repeat("x", 100000) + "\r\n"},
	}
	for _, test := range tests {
		for how, source := range sources {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				r := line.NewReader(source(strings.NewReader(test.input + next)))
				got, err := io.ReadAll(line.NewDotReader(r))
				if string(got) != test.want || err != nil {
					t.Fatalf("got %.100q, %v, want %.100q", got, err, test.want)
				}
				if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
					t.Fatalf("then got %q, %v", l, err)
				}
			})
		}
	}
}

// falseEnds are all that a peer may hope to end a message with, but for the true
// end. What stands after them is still the message.
var falseEnds = []string{
	"\n.\n", "\n.\r\n", "\n.\r", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\n", "\r\n.\r",
	"\n\r.\n\r", "\r\r\n.\r\r\n", "\r\n.\r\r\n", "\r\n.\n\r\n", "\n\n.\n\n", "\r\r.\r\r",
	"\r\n.\x00\r\n", "\r\n\x00.\r\n", "\r\n. \r\n", "\r\n.\t\r\n", "\r\n..\r\n", "\r\n.\x00\n", "\n.\x00\r\n",
}

func TestFalseEndsOfData(t *testing.T) {
	for _, end := range falseEnds {
		input := "a" + end + "MAIL FROM:<evil@example.com>\r\n.\r\n"
		want := model(input)
		if !strings.Contains(want.content, "evil") {
			t.Fatalf("the model ends at %q", end)
		}
		for how, source := range sources {
			check(t, want, source(strings.NewReader(input+next)), how)
		}
		for i := range len(input) { // split at every octet
			check(t, want, io.MultiReader(strings.NewReader(input[:i]), strings.NewReader(input[i:]+next)), "split")
		}
	}
}

// A CR alone before a true end does not hide it, as it does in go-smtp.
func TestTrueEndAfterBareCR(t *testing.T) {
	want := model("a\r\r\n.\r\n")
	if want.content != "a\r\n\r\n" || !want.bare || !want.ended {
		t.Fatalf("the model is wrong: %+v", want)
	}
	check(t, want, strings.NewReader("a\r\r\n.\r\n"+next), "whole")
}

// outcome is what should become of an input.
type outcome struct {
	content string // with Normalize
	bare    bool   // refused without
	ended   bool
	rest    string
}

// model is the simplest DotReader: it looks for the end, then at the lines.
func model(input string) (o outcome) {
	raw := input
	if strings.HasPrefix(input, ".\r\n") {
		o.ended, raw, o.rest = true, "", input[3:]
	} else if i := strings.Index(input, "\r\n.\r\n"); i >= 0 {
		o.ended, raw, o.rest = true, input[:i+2], input[i+5:]
	}
	if !o.ended {
		raw = strings.TrimSuffix(raw, "\r") // not known to be alone
	}
	var b strings.Builder
	for l := range strings.SplitAfterSeq(raw, "\r\n") {
		l = strings.TrimPrefix(l, ".")
		text, end := strings.CutSuffix(l, "\r\n")
		if strings.ContainsAny(text, "\r\n") {
			o.bare = true
			text = strings.NewReplacer("\r", "\r\n", "\n", "\r\n").Replace(text)
		}
		b.WriteString(text)
		if end {
			b.WriteString("\r\n")
		}
	}
	o.content = b.String()
	return o
}

// check runs a DotReader both ways over a source and compares.
func check(t *testing.T, want outcome, source io.Reader, how string) {
	t.Helper()
	input, err := io.ReadAll(source)
	if err != nil {
		t.Fatal(err)
	}
	for _, normalize := range []bool{false, true} {
		r := line.NewReader(sources["halves"](bytes.NewReader(input)))
		if how == "octets" {
			r = line.NewReader(iotest.OneByteReader(bytes.NewReader(input)))
		}
		d := line.NewDotReader(r)
		d.Normalize = normalize
		got, err := io.ReadAll(d)
		switch {
		case want.bare && !normalize:
			if err != line.ErrBare {
				t.Fatalf("%s, %q: error %v, want ErrBare", how, input, err)
			}
			if err := d.Discard(1 << 30); (err == nil) != want.ended {
				t.Fatalf("%s, %q: Discard: %v", how, input, err)
			}
		case !want.ended:
			if err != io.ErrUnexpectedEOF {
				t.Fatalf("%s, %q: error %v, want io.ErrUnexpectedEOF", how, input, err)
			}
		case err != nil || string(got) != want.content:
			t.Fatalf("%s, %q:\n got %q, %v\nwant %q", how, input, got, err, want.content)
		}
		if !want.ended {
			continue
		}
		var rest []byte
		for {
			l, err := r.ReadLine(1 << 15)
			if err != nil {
				break
			}
			rest = append(append(rest, l...), "\r\n"...)
		}
		if strings.HasSuffix(string(input), next) && !strings.HasSuffix(string(rest), next) {
			t.Fatalf("%s, %q: then %q", how, input, rest)
		}
	}
}

func TestDiscardHasABound(t *testing.T) {
	r := line.NewReader(io.MultiReader(strings.NewReader("a\n"), &repeat{text: "\x00", n: 1 << 40}))
	d := line.NewDotReader(r)
	if _, err := io.ReadAll(d); err != line.ErrBare {
		t.Fatalf("got %v, want ErrBare", err)
	}
	for range 2 {
		if err := d.Discard(100000); err != line.ErrUnfinished {
			t.Fatalf("got %v, want ErrUnfinished", err)
		}
	}
}

func TestDiscardIsExactAtTheEnd(t *testing.T) {
	r := line.NewReader(strings.NewReader("a\r\n.\r\n" + next))
	d := line.NewDotReader(r)
	io.ReadAll(d)
	if err := d.Discard(0); err != nil {
		t.Fatal(err)
	}
	if l, err := r.ReadLine(100); string(l) != "NEXT" || err != nil {
		t.Fatalf("then got %q, %v", l, err)
	}
}

func TestReadErrorInsideAMessage(t *testing.T) {
	broken := errors.New("broken")
	for _, input := range []string{"", "a", "a\r", "a\r\n", "a\r\n.", "a\r\n.\r"} {
		r := line.NewReader(io.MultiReader(strings.NewReader(input), iotest.ErrReader(broken)))
		d := line.NewDotReader(r)
		if _, err := io.ReadAll(d); err != broken {
			t.Errorf("%q: got %v, want %v", input, err, broken)
		}
		if err := d.Discard(100); err != broken {
			t.Errorf("%q: Discard: %v, want %v", input, err, broken)
		}
	}
}

func TestDotWriter(t *testing.T) {
	tests := []struct {
		name, text, want string
		loneCR           bool
		err              error
	}{
		{name: "empty", want: ".\r\n"},
		{name: "a line", text: "a\r\n", want: "a\r\n.\r\n"},
		{name: "no end of line", text: "a", want: "a\r\n.\r\n"},
		{name: "dots", text: ".\r\n..\r\na.\r\n.b\r\n", want: "..\r\n...\r\na.\r\n..b\r\n.\r\n"},
		{name: "LF alone", text: "a\r\nb\nc", err: line.ErrBare},
		{name: "LF alone first", text: "\n", err: line.ErrBare},
		{name: "CR alone", text: "a\rb\r\n", err: line.ErrBare},
		{name: "CR alone last", text: "a\r", err: line.ErrBare},
		{name: "CR CR LF", text: "a\r\r\n", err: line.ErrBare},
		{name: "CR alone let pass", text: "a\rb\r\r\n.\r", loneCR: true, want: "a\rb\r\r\n..\r\r\n.\r\n"},
		{name: "LF alone not let pass", text: "a\nb", loneCR: true, err: line.ErrBare},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for size := 1; size <= len(test.text)+1; size++ {
				got, err := write(test.text, size, test.loneCR)
				if err != test.err || err == nil && got != test.want {
					t.Fatalf("in pieces of %d: got %q, %v, want %q, %v", size, got, err, test.want, test.err)
				}
			}
		})
	}
}

// write sends text through a DotWriter in pieces.
func write(text string, size int, loneCR bool) (string, error) {
	var b strings.Builder
	d := line.NewDotWriter(&b)
	d.LoneCR = loneCR
	for text != "" {
		n := min(size, len(text))
		if _, err := d.Write([]byte(text[:n])); err != nil {
			return b.String(), err
		}
		text = text[n:]
	}
	err := d.Close()
	return b.String(), err
}

// A failed Write must not leave what a peer could take for an end of data.
func TestDotWriterStopsBeforeWhatIsBare(t *testing.T) {
	for _, end := range falseEnds {
		if !model("a" + end + "\r\n.\r\n").bare {
			continue
		}
		got, err := write("a"+end+"b\r\n", 1000, false)
		if err != line.ErrBare {
			t.Errorf("%q: %v, want ErrBare", end, err)
		}
		if o := model(got + "\r\n.\r\n"); o.bare {
			t.Errorf("%q: wrote %q", end, got)
		}
	}
}
