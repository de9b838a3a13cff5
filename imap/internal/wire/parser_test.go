package wire_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/mailparts/mailparts/imap/internal/wire"
)

func Example() {
	p := wire.NewParser([]byte(`a1 STORE 1:3,7 +FLAGS (\Seen "x y")`))
	fmt.Printf("%s %s", p.Atom(), "")
	p.SP()
	fmt.Print(p.Word(), " ")
	p.SP()
	fmt.Print(p.Set().Resolve(10), " ")
	p.SP()
	fmt.Printf("%s\n", p.Until(" "))
	p.SP()
	p.List(func() {
		if p.Try('\\') {
			fmt.Printf("flag %s\n", p.Atom())
		} else {
			fmt.Printf("string %s\n", p.String())
		}
	})
	fmt.Println(p.End())
	// Output:
	// a1 STORE [{1 3} {7 7}] +FLAGS
	// flag Seen
	// string x y
	// <nil>
}

func TestStrings(t *testing.T) {
	for _, test := range []struct {
		input string
		read  func(*wire.Parser) []byte
		want  string
		bad   bool
	}{
		{`abc`, (*wire.Parser).Atom, "abc", false},
		{`a]c`, (*wire.Parser).Atom, "a", true},
		{`a]c`, (*wire.Parser).AString, "a]c", false},
		{`"a\"\\c"`, (*wire.Parser).AString, `a"\c`, false},
		{`""`, (*wire.Parser).AString, "", false},
		{`"Größe"`, (*wire.Parser).AString, "Größe", false},
		{`"a`, (*wire.Parser).AString, "", true},
		{`"a\b"`, (*wire.Parser).AString, "", true},
		{`"a\`, (*wire.Parser).AString, "", true},
		{"\"a\x00b\"", (*wire.Parser).AString, "", true},
		{"{3}\r\na\"\n", (*wire.Parser).AString, "a\"\n", false},
		{"{0+}\r\n", (*wire.Parser).AString, "", false},
		{"{3}\r\na\x00b", (*wire.Parser).AString, "", true},
		{"~{3}\r\na\x00b", (*wire.Parser).NBinary, "a\x00b", false},
		{"{4}\r\nabc", (*wire.Parser).AString, "", true},
		{"{4}", (*wire.Parser).AString, "", true},
		{`nil`, (*wire.Parser).NString, "", false},
		{`nilx`, (*wire.Parser).NString, "", true},
		{``, (*wire.Parser).AString, "", true},
		{`(`, (*wire.Parser).AString, "", true},
	} {
		p := wire.NewParser([]byte(test.input))
		got := test.read(p)
		if err := p.End(); string(got) != test.want || (err != nil) != test.bad {
			t.Errorf("%q is %q, %v; want %q, bad: %v", test.input, got, err, test.want, test.bad)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		input string
		want  uint64
		bad   bool
	}{
		{"0", 0, false}, {"4294967295", math.MaxUint32, false}, {"4294967296", 0, true}, {"-1", 0, true}, {"", 0, true}, {"99999999999999999999", 0, true},
	} {
		p := wire.NewParser([]byte(test.input))
		if n := p.Number(); uint64(n) != test.want || (p.End() != nil) != test.bad {
			t.Errorf("%q is %d, %v", test.input, n, p.Err())
		}
	}
	p := wire.NewParser([]byte("9223372036854775807 9223372036854775808"))
	if n := p.Number64(); n != math.MaxInt64 {
		t.Errorf("the highest number is %d, %v", n, p.Err())
	}
	if p.SP(); p.Number64() != 0 || p.Err() == nil {
		t.Error("a number of 64 bits is accepted")
	}
}

func TestSets(t *testing.T) {
	for _, test := range []struct{ input, want string }{
		{"1", "1"}, {"1:3", "1:3"}, {"3:1", "1:3"}, {"*", "9"}, {"1:*", "1:9"}, {"*:7", "7:9"}, {"20:*", "9:20"},
		{"5,1:3,2:4,8", "1:5,8"}, {"1:4294967295", "1:4294967295"}, {"4294967295,1", "1,4294967295"},
	} {
		p := wire.NewParser([]byte(test.input))
		set := p.Set()
		if got := string(wire.AppendRanges(nil, set.Resolve(9))); got != test.want || p.End() != nil {
			t.Errorf("%q is %q, %v; want %q", test.input, got, p.Err(), test.want)
		}
	}
	for _, input := range []string{"", "0", "1:", ":1", "1,,2", "1:2:3", "a", "$,1", "4294967296"} {
		p := wire.NewParser([]byte(input))
		if p.Set(); p.End() == nil {
			t.Errorf("%q is a set", input)
		}
	}
}

func TestDates(t *testing.T) {
	p := wire.NewParser([]byte(`" 7-Jul-1996 02:44:25 -0700" 1-Feb-1994 "01-feb-1994"`))
	at := p.DateTime()
	if got := string(wire.AppendDateTime(nil, at)); got != `" 7-Jul-1996 02:44:25 -0700"` {
		t.Errorf("the date-time is %s", got)
	}
	p.SP()
	one := p.Date()
	p.SP()
	if two := p.Date(); !one.Equal(two) || !one.Equal(time.Date(1994, 2, 1, 0, 0, 0, 0, time.UTC)) || p.End() != nil {
		t.Errorf("the dates are %v and %v, %v", one, two, p.Err())
	}
}

func TestDepth(t *testing.T) {
	input := make([]byte, 1000)
	for i := range input {
		input[i] = '('
	}
	p := wire.NewParser(input)
	var item func()
	item = func() { p.List(item) }
	if item(); p.Err() == nil {
		t.Error("no limit to what nests")
	}
}

// FuzzSet: ranges ascend, none touches another, and each number of the set is in one.
func FuzzSet(f *testing.F) {
	f.Add("1:3,7,*:5", uint32(9))
	f.Add("4294967295:1,*", uint32(0))
	f.Fuzz(func(t *testing.T, input string, last uint32) {
		p := wire.NewParser([]byte(input))
		set := p.Set()
		if p.Err() != nil {
			return
		}
		ranges := set.Resolve(last)
		for i, r := range ranges {
			if r.First > r.Last || i > 0 && uint64(ranges[i-1].Last)+1 >= uint64(r.First) {
				t.Fatalf("%q is %v", input, ranges)
			}
		}
		for _, r := range set.Ranges {
			for _, n := range []uint32{r.First, r.Last} {
				if n == wire.Star {
					n = last
				}
				in := false
				for _, r := range ranges {
					in = in || r.First <= n && n <= r.Last
				}
				if !in {
					t.Fatalf("%d of %q is not in %v", n, input, ranges)
				}
			}
		}
	})
}
