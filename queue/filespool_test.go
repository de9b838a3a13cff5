package queue_test

import (
	"errors"
	"io/fs"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailparts/mailparts"
	"github.com/mailparts/mailparts/internal/disk"
	"github.com/mailparts/mailparts/internal/disk/disktest"
	. "github.com/mailparts/mailparts/queue"
)

// reopener closes the spool that it opened before, and opens it again.
func reopener(t *testing.T, fsys disk.FS, dir string, segment, inline int64) func() Spool {
	var s *FileSpool
	t.Cleanup(func() {
		if s != nil {
			s.Close()
		}
	})
	return func() Spool {
		t.Helper()
		if s != nil {
			if err := s.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
		}
		var err error
		if s, err = OpenFS(fsys, dir, segment, inline); err != nil {
			t.Fatalf("Open: %v", err)
		}
		if r := s.Recovery(); !reflect.DeepEqual(r, Recovery{}) {
			t.Errorf("after a clean stop Open found %+v", r)
		}
		return s
	}
}

func TestFileSpool(t *testing.T) {
	for name, newFS := range map[string]func(t *testing.T) (disk.FS, string){
		"OS":     func(t *testing.T) (disk.FS, string) { return disk.OS{}, t.TempDir() },
		"memory": func(t *testing.T) (disk.FS, string) { return disktest.New(), "spool" },
	} {
		for size, segment := range map[string]int64{"one segment": 4 << 20, "many segments": 2 << 10} {
			t.Run(name+", "+size, func(t *testing.T) {
				testSpool(t, func(t *testing.T) func() Spool {
					fsys, dir := newFS(t)
					return reopener(t, fsys, dir, segment, MaxInline)
				})
			})
		}
	}
}

// fullEntry has no zero field.
func fullEntry() *Entry {
	auth := mailparts.Address("alice@example.org")
	at := func(h int) time.Time { return now.Add(time.Duration(h) * time.Hour) }
	return &Entry{
		ID: "full.1", Dest: "xn--mgbh0fb.example", Queued: at(1), Due: at(2), Held: false, Attempts: 7,
		Last: []string{"host: 451 4.3.0 <later>", "450 \"é\"\n"}, Warned: true,
		Env: mailparts.Envelope{
			ID: "full", From: "\"<a b>\"@example.org", Size: 5, Body: "8BITMIME", UTF8: true, RequireTLS: true,
			Ret: "FULL", EnvID: "env+id", AuthSender: &auth, Priority: -9, Hold: at(3),
			By:    mailparts.Deadline{Time: at(4), Return: true, Trace: true},
			Attrs: map[string]string{"tenant": "7"},
			To: []mailparts.Rcpt{
				{Addr: "بوب@example.com", Notify: mailparts.NotifyDelay, ORcpt: "utf-8;x", Since: at(5), SinceOptional: true},
				{Addr: "carol@example.com"},
			},
			Peer: &mailparts.Peer{
				Protocol: "ESMTPSA", Addr: netip.MustParseAddrPort("192.0.2.1:25"), Local: netip.MustParseAddrPort("[::1]:587"),
				Hello: "client", User: "alice", Trusted: true,
				Origin: &mailparts.Peer{Protocol: "SMTP", Hello: "origin"},
			},
		},
	}
}

func sameEntry(t *testing.T, got, want *Entry) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("entry is\n%+v\nwant\n%+v", got, want)
	}
}

// The fields that a record leaves out when they are zero are all there when not.
func TestFullEntryIsFull(t *testing.T) {
	var check func(path string, v reflect.Value)
	check = func(path string, v reflect.Value) {
		if strings.HasPrefix(path, "Entry.Env.Peer.Origin.") {
			return // another Peer
		}
		if v.IsZero() {
			if path != "Entry.Held" && path != "Entry.Env.Peer.TLS" {
				t.Errorf("%s is zero", path)
			}
			return
		}
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		if v.Kind() == reflect.Struct && v.Type().PkgPath() != "time" && v.Type().PkgPath() != "net/netip" {
			for i := range v.NumField() {
				check(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
	}
	e := fullEntry()
	check("Entry", reflect.ValueOf(e))
	check("Rcpt", reflect.ValueOf(e.Env.To[0]))
}

func TestSecondOwner(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("Open by a second owner: %v, want ErrLocked", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(dir)
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	s.Close()
}

// A folder whose making was interrupted is made durable by the next start.
func TestHalfMadeFolder(t *testing.T) {
	for _, dirs := range [][]string{{"spool"}, {"spool", "spool/log"}, {"spool", "spool/log", "spool/big", "spool/bad"}} {
		fsys := disktest.New()
		for _, dir := range dirs {
			if err := fsys.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		s, err := OpenFS(fsys, "spool", small, large-1)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, strings.Repeat("x", large), newEntry("a", "a.example"))
		if s, err = OpenFS(fsys.Reboot(disktest.Strict), "spool", small, large-1); err != nil {
			t.Fatal(err)
		}
		if got := keys(all(t, s)); got != "a" {
			t.Errorf("after %v and a crash: %q, want a", dirs, got)
		}
		s.Close()
	}
}

func TestClosed(t *testing.T) {
	s, err := OpenFS(disktest.New(), "spool", 1<<20, MaxInline)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "x", newEntry("a", "a.example"), newEntry("b", "a.example"))
	e := next(t, s, now, 1)[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, errOpen := s.Open(t.Context(), e)
	_, _, errNext := s.Next(t.Context(), Query{Now: now, Max: 1})
	_, errLease := s.Lease(t.Context(), "b")
	var errAll error
	for _, errAll = range s.All(t.Context()) {
	}
	for i, err := range []error{s.Close(), s.Put(t.Context(), nil, newEntry("c", "")), s.Save(t.Context(), e), errOpen, errNext, errLease, errAll} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("call %d after Close: %v, want fs.ErrClosed", i, err)
		}
	}
}
