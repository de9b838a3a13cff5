package mailparts_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mailparts/mailparts"
)

var errRead = errors.New("the peer went away")

// stream hides everything but Read.
type stream struct{ io.Reader }

// cutOff yields n octets and then errRead.
func cutOff(n int) io.Reader {
	return io.MultiReader(strings.NewReader(strings.Repeat("x", n)), iotest.ErrReader(errRead))
}

func TestBuffer(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, size := range []int{0, 1, 100, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		content := bytes.Repeat([]byte("line\r\n"), size/6+1)[:size]
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole":    func(r io.Reader) io.Reader { return r },
			"in part":  iotest.HalfReader,
			"with EOF": iotest.DataErrReader,
		} {
			b, err := mailparts.Buffer(stream{wrap(bytes.NewReader(content))})
			if err != nil {
				t.Fatalf("%d octets, read %s: %v", size, name, err)
			}
			if size <= 100 {
				if err := iotest.TestReader(b, content); err != nil {
					t.Errorf("%d octets, read %s: %v", size, name, err)
				}
			}
			for range 2 {
				if _, err := b.Seek(0, io.SeekStart); err != nil {
					t.Errorf("%d octets, read %s: Seek: %v", size, name, err)
				}
				if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d octets, read %s: got %d octets, %v", size, name, len(got), err)
				}
			}
			if err := b.Close(); err != nil {
				t.Errorf("%d octets, read %s: Close: %v", size, name, err)
			}
		}
	}
	wantNoFiles(t)
}

// wantNoFiles checks that TMPDIR is empty.
func wantNoFiles(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(os.TempDir())
	if err != nil || len(files) != 0 {
		t.Errorf("the folder of temporary files holds %v, %v, want nothing", files, err)
	}
}

func TestBufferOfSeeker(t *testing.T) {
	r := strings.NewReader("Subject: already there\r\n")
	b, err := mailparts.Buffer(r)
	if err != nil {
		t.Fatal(err)
	}
	io.CopyN(io.Discard, b, 9)
	if at, _ := r.Seek(0, io.SeekCurrent); at != 9 {
		t.Errorf("9 octets were read, the message is at %d: it was copied", at)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	f, err := os.Create(t.TempDir() + "/message")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err = mailparts.Buffer(f); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if _, err := f.Write([]byte("x")); err != nil {
		t.Errorf("Close of the Buffer closed the message: %v", err)
	}
}

func TestBufferReadError(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, n := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		b, err := mailparts.Buffer(cutOff(n))
		if b != nil || !errors.Is(err, errRead) {
			t.Errorf("a message cut off after %d octets: Buffer gives %v, %v, want no message and the read error", n, b, err)
		}
	}
	wantNoFiles(t)
}

func TestBufferNoTempDir(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/missing")
	if b, err := mailparts.Buffer(stream{bytes.NewReader(make([]byte, 1<<20))}); b != nil || err == nil {
		t.Errorf("without a folder for temporary files Buffer gives %v, %v, want an error", b, err)
	}
	if _, err := mailparts.Buffer(stream{strings.NewReader("small")}); err != nil {
		t.Errorf("a small message needs no file: %v", err)
	}
}

// TestBufferMemory: a large message is not held in memory.
func TestBufferMemory(t *testing.T) {
	const size, most = 32 << 20, 4 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b, err := mailparts.Buffer(io.LimitReader(zeros{}, size))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, stream{b})
	if n != size || err != nil {
		t.Errorf("read %d octets, %v, want %d", n, err, size)
	}
	b.Close()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("Buffer of %d octets allocated %d, want at most %d", size, got, most)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestPrepend(t *testing.T) {
	const fields, body = "Received: by here\r\nX-Spam: no\r\n", "Subject: hello\r\n\r\nworld\r\n"
	for what, msg := range map[string]io.Reader{
		"a stream":         stream{strings.NewReader(body)},
		"a seeker":         strings.NewReader(body),
		"a seeker, partly": skipped(3, "abc"+body),
	} {
		if err := iotest.TestReader(mailparts.Prepend(msg, fields), []byte(fields+body)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := io.ReadAll(mailparts.Prepend(mailparts.Prepend(strings.NewReader(body), "A: 1\r\n"), "B: 2\r\n")); err != nil || string(got) != "B: 2\r\nA: 1\r\n"+body {
		t.Errorf("prepended twice: %q, %v", got, err)
	}
	if err := iotest.TestReader(mailparts.Prepend(strings.NewReader(""), ""), nil); err != nil {
		t.Errorf("nothing before nothing: %v", err)
	}
	if got, err := io.ReadAll(mailparts.Prepend(cutOff(3), fields)); string(got) != fields+"xxx" || !errors.Is(err, errRead) {
		t.Errorf("before a message that is cut off: %q, %v, want the fields, what there is and the read error", got, err)
	}
}

// skipped is s, read up to n.
func skipped(n int64, s string) io.ReadSeeker {
	r := strings.NewReader(s)
	r.Seek(n, io.SeekStart)
	return r
}

func TestPrependSeek(t *testing.T) {
	if _, ok := mailparts.Prepend(stream{strings.NewReader("m")}, "A: 1\r\n").(io.Seeker); ok {
		t.Error("a stream can seek once it has fields before it")
	}
	const want = "A: 1\r\nbody"
	r := mailparts.Prepend(skipped(4, "skipbody"), "A: 1\r\n").(io.ReadSeeker)
	for _, c := range []struct {
		offset int64
		whence int
		at     int64 // -1: an error
	}{
		{0, io.SeekStart, 0},
		{3, io.SeekStart, 3},
		{2, io.SeekCurrent, 5},
		{6, io.SeekStart, 6},
		{-4, io.SeekEnd, 6},
		{-5, io.SeekEnd, 5},
		{0, io.SeekEnd, 10},
		{5, io.SeekEnd, 15},
		{-15, io.SeekCurrent, 0},
		{-1, io.SeekStart, -1},
		{-11, io.SeekEnd, -1},
		{8, io.SeekStart, 8},
	} {
		at, err := r.Seek(c.offset, c.whence)
		if c.at < 0 {
			if err == nil {
				t.Errorf("Seek(%d, %d) before the start: at %d, want an error", c.offset, c.whence, at)
			}
			continue
		}
		if at != c.at || err != nil {
			t.Fatalf("Seek(%d, %d) = %d, %v, want %d", c.offset, c.whence, at, err, c.at)
		}
		got, err := io.ReadAll(r)
		if rest := want[min(int(c.at), len(want)):]; string(got) != rest || err != nil {
			t.Errorf("after Seek(%d, %d): %q, %v, want %q", c.offset, c.whence, got, err, rest)
		}
		if _, err := r.Seek(c.at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPrependBrokenSeeker: a seeker that cannot seek is still readable.
func TestPrependBrokenSeeker(t *testing.T) {
	r := mailparts.Prepend(noSeek{strings.NewReader("body")}, "A: 1\r\n")
	if _, err := r.(io.Seeker).Seek(0, io.SeekStart); !errors.Is(err, errRead) {
		t.Errorf("Seek says %v, want what the message said", err)
	}
	if got, err := io.ReadAll(r); string(got) != "A: 1\r\nbody" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

type noSeek struct{ io.Reader }

func (noSeek) Seek(int64, int) (int64, error) { return 0, errRead }
