package queue_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

const fuzzMark = "ABCDEFGHIJKLMNOP"

// written makes a spool with files of the given content.
func written(t testing.TB, files map[string]string) *disktest.FS {
	fsys := disktest.New()
	for _, dir := range []string{"spool", "spool/log"} {
		if err := disk.MkdirAll(fsys, dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files["mark"] = fuzzMark + "\n"
	for name, text := range files {
		if err := disk.WriteFile(fsys, "spool/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fsys
}

// seed is the log and the index of a spool with one of each record.
func seed(t testing.TB) (log, index string) {
	fsys := written(t, map[string]string{})
	s, err := OpenFS(fsys, "spool", 16<<10, large-1)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "message", newEntry("a", "a.example"), newEntry("b", "b.example"))
	put(t, s, strings.Repeat("x", large), fullEntry())
	e := next(t, s, now, 2)
	save(t, s, e[0])
	finish(t, s, e[1])
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return fsys.Files()["/spool/log/1.log"], fsys.Files()["/spool/log/1.idx"]
}

// use reads all there is in a spool, and leaves it working.
func use(t *testing.T, s *FileSpool) map[string]*Entry {
	t.Helper()
	rounds, got := 0, map[string]*Entry{}
	for e, err := range s.All(t.Context()) {
		if err != nil {
			continue
		}
		got[e.ID] = e
		r, err := s.Open(t.Context(), e)
		if err == nil {
			io.Copy(io.Discard, r)
			r.Close()
		}
	}
	for {
		entries, _, err := s.Next(t.Context(), Query{Now: now.AddDate(1000, 0, 0), Max: 10})
		if err != nil {
			t.Fatalf("Next: %v", err)
		}
		if len(entries) == 0 {
			break
		}
		if rounds++; rounds > 100 {
			t.Fatal("Next yields for ever")
		}
		for _, e := range entries {
			save(t, s, e)
			if _, err := s.Lease(t.Context(), e.ID); err != nil && !errors.Is(err, ErrNoEntry) { // not again
				t.Fatalf("Lease: %v", err)
			}
		}
	}
	if err := s.Put(t.Context(), strings.NewReader("x"), newEntry("after", "example.com")); err != nil && !errors.Is(err, ErrExists) {
		t.Fatalf("Put: %v", err)
	}
	return got
}

// Whatever a segment holds, the spool opens, works, and finds nothing more the
// second time.
func FuzzSegment(f *testing.F) {
	log, _ := seed(f)
	f.Add([]byte(log))
	f.Add([]byte(log[:len(log)/2]))
	f.Add([]byte("x" + log + "\x00\x00"))
	f.Add([]byte(strings.Replace(log, "\n", "", 1)))
	f.Add([]byte(fuzzMark + " 00000000 {}\n"))
	for _, json := range []string{
		`{}`, `{"end":"a"}`, `{"put":[{"id":"a","to":[],"env":{"from":""}}],"size":1}`, `{"put":[],"size":-1}`,
		`{"put":[{"id":"x"}],"size":9223372036854775807}`, `{"set":{"id":"b"}}`, `{"put":[{"id":"c"}],"big":"../log/1.log","size":5}`,
	} {
		f.Add([]byte(log + line(json)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := written(t, map[string]string{"log/1.log": string(data), "log/2.log": string(data)})
		s, err := OpenFS(fsys, "spool", 16<<10, large-1)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		before := use(t, s)
		if err := s.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		if s, err = OpenFS(fsys, "spool", 16<<10, large-1); err != nil {
			t.Fatalf("Open again: %v", err)
		}
		defer s.Close()
		if r := s.Recovery(); !reflect.DeepEqual(r, Recovery{}) {
			t.Errorf("Open again found %+v", r)
		}
		after := use(t, s)
		for id, e := range before {
			if after[id] == nil && len(e.Env.To) > 0 {
				t.Errorf("%q is gone", id)
			}
		}
	})
}

// line is a record with the right checksum.
func line(json string) string {
	return fmt.Sprintf("%s %08x %s\n", fuzzMark, crc32.Checksum([]byte(json), crc32.MakeTable(crc32.Castagnoli)), json)
}

// An index that lies, though its sum is right, does no harm but to what it lies
// about.
func FuzzIndex(f *testing.F) {
	log, index := seed(f)
	f.Add(index[:strings.LastIndex(index, "sum ")])
	f.Add("queue 1 0\n")
	f.Add("queue 1 10\np 0 -1 5 5 1 \"\"\ne 5 0 \"\" \"a\"\n")
	f.Add("queue 1 10\np 0 10 5 5 9 \"x\"\ne 5 0 \"\" \"a\"\nx \"a\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		text += fmt.Sprintf("sum %08x\n", crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
		fsys := written(t, map[string]string{"log/1.log": log, "log/1.idx": text})
		s, err := OpenFS(fsys, "spool", 16<<10, large-1)
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		use(t, s)
		s.Close()
	})
}
