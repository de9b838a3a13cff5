package inflate_test

import (
	"bytes"
	"compress/flate"
	"encoding/hex"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts/imap/internal/inflate"
)

func compressed(tb testing.TB, level int, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	w.Write(data)
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestReader(t *testing.T) {
	random := make([]byte, 50_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.UintN(256))
	}
	words := make([]byte, 70_000)
	for i := range words {
		words[i] = "etaoin shrdlu\r\n"[rng.UintN(15)]
	}
	for name, data := range map[string][]byte{
		"nothing": nil,
		"words":   words,
		"random":  random,
		"zeros":   make([]byte, 200_000),
		"both":    append(append(bytes.Clone(words), random...), words...),
	} {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			in := compressed(t, level, data)
			got, err := io.ReadAll(inflate.NewReader(bytes.NewReader(in)))
			if !bytes.Equal(got, data) || err != nil {
				t.Errorf("%s at level %d: %d octets of %d, %v", name, level, len(got), len(data), err)
			}
			got, err = io.ReadAll(iotest.OneByteReader(inflate.NewReader(iotest.OneByteReader(bytes.NewReader(in[:min(len(in), 2000)])))))
			if !bytes.HasPrefix(data, got) || err != nil && err != io.ErrUnexpectedEOF {
				t.Errorf("%s at level %d, cut: %d octets, %v", name, level, len(got), err)
			}
		}
	}
}

// What zlib sends for two commands with a flush after each: deflate(Z_PARTIAL_FLUSH) and
// deflate(Z_SYNC_FLUSH), as Python's zlib has it.
var flushed = map[string][2]string{
	"partial": {"4a3454f0f3f70fe0e50208", "a044238560571f57e710054f3f27ff085e2e8000"},
	"sync":    {"4a3454f0f3f70fe0e502000000ffff", "4a34520876f571750e51f0f473f28fe0e502000000ffff"},
}

// Each command is handed on before the next one comes, whichever flush it ends with.
func TestFlushes(t *testing.T) {
	for name, parts := range flushed {
		t.Run(name, func(t *testing.T) {
			from, to := io.Pipe()
			defer to.Close()
			r := inflate.NewReader(from)
			for i, want := range []string{"a1 NOOP\r\n", "a2 SELECT INBOX\r\n"} {
				part, err := hex.DecodeString(parts[i])
				if err != nil {
					t.Fatal(err)
				}
				go to.Write(part)
				got := make([]byte, len(want))
				if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
					t.Fatalf("got %q, %v", got, err)
				}
			}
		})
	}
}

func TestCorrupt(t *testing.T) {
	for name, in := range map[string]string{
		"block type 3":                "\x07",
		"stored, with a wrong length": "\x01\x01\x00\xff\xff",
		"distance before the start":   "\x03\x02\x00\x00",
		"text":                        "a1 NOOP\r\n",
		"impossible codes":            "\x05\xe0\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if _, err := io.ReadAll(inflate.NewReader(strings.NewReader(in))); err != inflate.ErrCorrupt {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What compress/flate makes of any input, the Reader does.
func FuzzReader(f *testing.F) {
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		f.Add(compressed(f, level, []byte(strings.Repeat("a1 UID FETCH 1:* FLAGS\r\n", 50))))
	}
	f.Add([]byte{0x4b, 0x04, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, in []byte) {
		const most = 1 << 20
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(in)), most))
		got, err := io.ReadAll(io.LimitReader(inflate.NewReader(bytes.NewReader(in)), most))
		if (err != nil) != (wantErr != nil) {
			t.Errorf("%v, want %v", err, wantErr)
		}
		// compress/flate asks for more bits than it needs, at the end.
		if !bytes.Equal(got, want) && !(wantErr == io.ErrUnexpectedEOF && bytes.HasPrefix(got, want)) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	data := []byte(strings.Repeat("Subject: a message of some length, with words in it\r\n", 20_000))
	in := compressed(b, flate.DefaultCompression, data)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, inflate.NewReader(bytes.NewReader(in))); err != nil {
			b.Fatal(err)
		}
	}
}
