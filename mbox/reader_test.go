package mbox_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailparts/mailparts/mbox"
)

// describeFile is what a Reader gives: for each message "sender date text".
func describeFile(r *mbox.Reader) (got []string, err error) {
	for {
		m, err := r.Next()
		if err == io.EOF {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		text, err := io.ReadAll(m)
		if err != nil {
			return got, err
		}
		got = append(got, m.From+" "+m.Date.UTC().Format(time.RFC3339)+"\n"+strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
}

// Each file of testdata has what its name and its first message's Subject say; the
// file .want has how each format reads it, and what Detect takes it for.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.mbox")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			format, err := mbox.Detect(strings.NewReader(string(text)))
			b.WriteString("Detect: " + format.String() + errorText(err) + "\n")
			last := ""
			for _, f := range []mbox.Format{mbox.RD, mbox.O, mbox.CL, mbox.CL2} {
				r := mbox.NewReader(strings.NewReader(string(text)), f)
				r.Location = time.UTC
				msgs, err := describeFile(r)
				got := ""
				for _, msg := range msgs {
					got += "--- " + msg
				}
				if got += "---" + errorText(err) + "\n"; got == last {
					got = "as before\n"
				} else {
					last = got
				}
				b.WriteString("\n=== " + f.String() + "\n" + got)
			}
			wantFile := strings.TrimSuffix(name, ".mbox") + ".want"
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(wantFile, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(wantFile)
			if err != nil {
				t.Fatal(err)
			}
			if b.String() != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return ", " + err.Error()
}

func TestReaderPassesOver(t *testing.T) {
	for _, f := range []mbox.Format{mbox.RD, mbox.CL2} {
		for _, in := range []func(string) io.Reader{
			func(s string) io.Reader { return strings.NewReader(s) },
			func(s string) io.Reader { return iotest.HalfReader(strings.NewReader(s)) },
		} {
			r := mbox.NewReader(in(fromLine+"Content-Length: 9\n\none\n\ntwo\n\n"+fromLine+"\ntwo\n\n"+fromLine+"\nthree\n"), f)
			first, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Read(make([]byte, 3)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			if n, err := first.Read(make([]byte, 1)); n > 0 || err == nil || err == io.EOF {
				t.Errorf("Read of a message after Next: %d, %v", n, err)
			}
			m, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(m); string(text) != "\r\nthree\r\n" || err != nil {
				t.Errorf("%v: %q, %v", f, text, err)
			}
			for range 2 {
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("at the end: %v", err)
				}
			}
		}
	}
}

func TestReaderError(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"", "From ", fromLine, fromLine + "Subject: x\n\n", fromLine + "Content-Length: 100\n\nbody"} {
		for _, f := range []mbox.Format{mbox.O, mbox.CL2} {
			r := mbox.NewReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), f)
			if _, err := describeFile(r); err != broken {
				t.Errorf("%v: %q and an error: %v", f, text, err)
			}
			if _, err := r.Next(); err != broken {
				t.Errorf("%v: %q and an error: %v after it", f, text, err)
			}
		}
	}
	if _, err := mbox.NewReader(strings.NewReader(fromLine), 77).Next(); err == nil {
		t.Error("an unknown format was read")
	}
}

// In a file a Content-Length is looked up however far it leads; in a stream it is
// believed, and no message is lost if it was wrong.
func TestWrongLength(t *testing.T) {
	body := strings.Repeat("a line\n", 100<<10)
	text := fromLine + "Content-Length: 700000\n\n" + body + "\n" + fromLine + "Subject: two\n\n"
	r := mbox.NewReader(strings.NewReader(text), mbox.CL2)
	if got, err := describeFile(r); len(got) != 2 || err != nil || !strings.HasSuffix(got[0], body) {
		t.Errorf("in a file: %d messages, %v", len(got), err)
	}
	r = mbox.NewReader(io.MultiReader(strings.NewReader(text)), mbox.CL2)
	if got, err := describeFile(r); len(got) != 0 || !errors.Is(err, mbox.ErrFormat) {
		t.Errorf("in a stream: %d messages, %v", len(got), err)
	}
	text = strings.Replace(text, "700000", "716800", 1)
	for _, in := range []io.Reader{strings.NewReader(text), io.MultiReader(strings.NewReader(text))} {
		if got, err := describeFile(mbox.NewReader(in, mbox.CL2)); len(got) != 2 || err != nil || !strings.HasSuffix(got[0], body) {
			t.Errorf("with the right length: %d messages, %v", len(got), err)
		}
	}
}

// A file is read from where it stands.
func TestReaderInTheMiddle(t *testing.T) {
	in := strings.NewReader(fromLine + "Subject: one\n\n" + fromLine + "Subject: two\n")
	in.Seek(int64(len(fromLine+"Subject: one\n\n")), io.SeekStart)
	if got, err := describeFile(mbox.NewReader(in, mbox.CL2)); len(got) != 1 || err != nil || !strings.HasSuffix(got[0], "two\n") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWriterError(t *testing.T) {
	broken := errors.New("broken")
	for _, f := range []mbox.Format{mbox.RD, mbox.CL} {
		var file strings.Builder
		w := mbox.NewWriter(&file, f)
		if err := w.WriteMessage("a@b", time.Time{}, io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken))); err != broken {
			t.Errorf("%v: %v", f, err)
		}
		if err := w.WriteMessage("a@b", time.Time{}, strings.NewReader("x")); err != broken || file.Len() > 0 {
			t.Errorf("%v: then %v, and the file has %q", f, err, file.String())
		}
	}
	w := mbox.NewWriter(io.Discard, 77)
	if err := w.WriteMessage("a@b", time.Time{}, strings.NewReader("x")); err == nil {
		t.Error("an unknown format was written")
	}
}

// What seeks is written from where it stands, and copied by nobody.
func TestWriterSeeks(t *testing.T) {
	var file strings.Builder
	msg := strings.NewReader("passed over\r\nSubject: x\r\n\r\nbody\r\n")
	msg.Seek(int64(len("passed over\r\n")), io.SeekStart)
	if err := mbox.NewWriter(&file, mbox.CL2).WriteMessage("", time.Unix(0, 0), msg); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(file.String(), "\n")
	if want := "Subject: x\nContent-Length: 5\n\nbody\n\n"; got != want || !strings.HasPrefix(file.String(), "From MAILER-DAEMON Thu Jan  1 ") {
		t.Errorf("%q, want a From_ line and %q", file.String(), want)
	}
}

// A sender is no way to write a line of one's own.
func TestHostileSender(t *testing.T) {
	for _, from := range []string{"a\nFrom b", "a b", "a\x00b", "Wed Dec  2 05:53:22 1992", strings.Repeat("a", 5000), "ü@example.com"} {
		var file strings.Builder
		if err := mbox.NewWriter(&file, mbox.RD).WriteMessage(from, time.Unix(1e9, 0), strings.NewReader("x\n\ny\n")); err != nil {
			t.Fatal(err)
		}
		m, err := mbox.NewReader(strings.NewReader(file.String()), mbox.RD).Next()
		if err != nil || m.Date.Unix() != 1e9 || strings.Count(file.String(), "\n") != 5 {
			t.Errorf("%q is written as %q: %v", from, file.String(), err)
		}
	}
}

func TestDetectLimits(t *testing.T) {
	// Only the first 16 MB count.
	far := strings.Repeat(fromLine+"\nbody\n\n", 16<<20/50) + fromLine + "\n>>From \n>From\n"
	if f, err := mbox.Detect(strings.NewReader(far)); f != mbox.RD || err != nil {
		t.Errorf("%v, %v", f, err)
	}
	broken := errors.New("broken")
	if _, err := mbox.Detect(io.MultiReader(strings.NewReader(fromLine+"\nbody"), iotest.ErrReader(broken))); err != broken {
		t.Errorf("broken: %v", err)
	}
	for _, text := range []string{"x", "x\n" + fromLine, "From here\n"} {
		if _, err := mbox.Detect(strings.NewReader(text)); !errors.Is(err, mbox.ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A scanner is as good as new for each file.
func TestScannerAgain(t *testing.T) {
	var s mbox.Scanner
	for range 3 {
		for n, text := range []string{"", fromLine + "\nbody\n\n", strings.Repeat(fromLine+"Status: RO\n\n", 2), "no mbox"} {
			got, err := s.ScanAll(strings.NewReader(text), true)
			if want := n % 3; got != want || (err != nil) != (n == 3) {
				t.Errorf("%q: %d messages, %v, want %d", text, got, err, want)
			}
		}
	}
	file := strings.NewReader(string(file16MB(true)[:1<<20]))
	if n := testing.AllocsPerRun(3, func() { s.ScanAll(file, true) }); n > 2 {
		t.Errorf("%v allocations for 256 messages", n)
	}
}
